"""Metrics of margins."""

from __future__ import annotations

from typing import Any

from kerata.losses.hinge import categorical_hinge, hinge, squared_hinge
from kerata.metrics.mean import MeanMetricWrapper


class Hinge(MeanMetricWrapper):
    """The mean of `kerata.losses.hinge`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean of `kerata.losses.squared_hinge`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of `kerata.losses.categorical_hinge`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, name, dtype)
