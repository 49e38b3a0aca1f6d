"""How often predictions are right."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.loss import converted
from kerata.losses.regression import mean_of_last, pair
from kerata.metrics.mean import MeanMetricWrapper
from kerata.ops.dispatch import Tensor


def _hits(first: Tensor, second: Tensor) -> Tensor:
    return ops.cast(ops.equal(first, second), "float32")


def accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1.0 where `y_true == y_pred`, else 0.0; of the shape of the two."""
    return _hits(*pair(y_true, y_pred))


def binary_accuracy(y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """The share of `y_pred > threshold` that equals `y_true`, over the last axis.

    Args:
        y_true: 0 or 1, `(batch, …, n)`.
        y_pred: `(batch, …, n)`.
        threshold: above it a prediction is 1.

    Returns:
        `(batch, …)`.

    >>> binary_accuracy([[1.0, 1.0]], [[0.9, 0.2]]).tolist()
    [0.5]
    """
    y_true, y_pred = pair(y_true, y_pred)
    decided = ops.cast(ops.greater(y_pred, threshold), y_true.dtype)
    return mean_of_last(_hits(y_true, decided))


def categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1.0 where the largest of `y_true` and of `y_pred` along the last axis stand in one place.

    Args:
        y_true: one-hot or probabilities, `(batch, …, classes)`.
        y_pred: `(batch, …, classes)`.

    Returns:
        `(batch, …)`.
    """
    true, pred = converted(y_true, None), converted(y_pred, None)
    return _hits(ops.argmax(true, axis=-1), ops.argmax(pred, axis=-1))


def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1.0 where the largest of `y_pred` along the last axis stands at `y_true`.

    Args:
        y_true: the indices of the classes, `(batch, …)`; an axis of size 1 may follow.
        y_pred: `(batch, …, classes)`.

    Returns:
        `(batch, …)`.
    """
    true, pred = converted(y_true, None), converted(y_pred, None)
    if len(true.shape) == len(pred.shape) and true.shape[-1] == 1:
        true = ops.squeeze(true, -1)
    return _hits(ops.cast(true, "int32"), ops.argmax(pred, axis=-1))


class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal the targets.

    Args:
        name: its name.
        dtype: see `Metric`.

    >>> float(Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
    0.75
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """The share of `y_pred > threshold` that equals the targets, which are 0 or 1.

    Args:
        name: its name.
        dtype: see `Metric`.
        threshold: above it a prediction is 1.
    """

    _direction = "up"

    def __init__(
        self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose likeliest class is that of the one-hot target.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose likeliest class is the target, an index.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)
