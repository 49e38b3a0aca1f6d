"""Metrics of regression."""

from __future__ import annotations

from typing import Any

from kerata.losses.regression import mean_squared_error
from kerata.metrics.mean import MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """The mean of `kerata.losses.mean_squared_error`.

    Args:
        name: its name.
        dtype: see `Metric`.

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)
