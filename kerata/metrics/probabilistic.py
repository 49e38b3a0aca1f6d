"""The cross-entropies as metrics."""

from __future__ import annotations

from typing import Any

from kerata.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from kerata.losses.regression import kl_divergence, poisson
from kerata.metrics.mean import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `kerata.losses.binary_crossentropy`.

    Args:
        name: its name.
        dtype: see `Metric`.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: brings the targets this far towards 0.5.
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `kerata.losses.categorical_crossentropy`.

    Args:
        name: its name.
        dtype: see `Metric`.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: the share of each target that is spread evenly.
        axis: the axis of the classes.
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `kerata.losses.sparse_categorical_crossentropy`.

    Args:
        name: its name.
        dtype: see `Metric`.
        from_logits: whether predictions are logits instead of probabilities.
        ignore_class: an index whose samples have the loss 0; they count in the mean.
        axis: the axis of the classes.
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class KLDivergence(MeanMetricWrapper):
    """The mean of `kerata.losses.kl_divergence`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """The mean of `kerata.losses.poisson`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name, dtype)
