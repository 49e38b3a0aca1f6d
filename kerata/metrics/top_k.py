"""How often the target is among the likeliest classes."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.loss import converted
from kerata.metrics.mean import MeanMetricWrapper
from kerata.ops.dispatch import Tensor


def sparse_top_k_categorical_accuracy(
    y_true: Tensor, y_pred: Tensor, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """1.0 where fewer than `k` classes have a larger value than class `y_true`.

    Args:
        y_true: the indices of the classes, `(batch, …)`.
        y_pred: `(batch, …, classes)`; or the ids of classes, likeliest first, where
            `from_sorted_ids`.
        k: how many classes count.
        from_sorted_ids: see `y_pred`.

    Returns:
        Of the shape of `y_true`.

    >>> sparse_top_k_categorical_accuracy([2, 1], [[0.1, 0.9, 0.8], [0.1, 0.9, 0.0]], k=1).tolist()
    [0.0, 1.0]
    """
    y_true, y_pred = converted(y_true, None), converted(y_pred, None)
    shape = ops.shape(y_true)
    classes = ops.shape(y_pred)[-1]
    true = ops.reshape(ops.cast(y_true, "int32"), (-1, 1))
    pred = ops.reshape(y_pred, (-1, classes))
    if from_sorted_ids:
        found = ops.any(ops.equal(ops.cast(pred[:, :k], "int32"), true), axis=-1)
    else:
        own = ops.take_along_axis(pred, true, axis=-1)
        larger = ops.count_nonzero(ops.greater(pred, own), axis=-1)
        finite = ops.squeeze(ops.isfinite(own), -1)
        found = ops.logical_and(ops.less(larger, k), finite)
    return ops.reshape(ops.cast(found, "float32"), shape)


def top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """`sparse_top_k_categorical_accuracy` of the largest of `y_true` along the last axis.

    Args:
        y_true: one-hot or probabilities, `(batch, …, classes)`.
        y_pred: `(batch, …, classes)`.
        k: how many classes count.

    Returns:
        `(batch, …)`.
    """
    true = ops.argmax(converted(y_true, None), axis=-1)
    return sparse_top_k_categorical_accuracy(true, y_pred, k)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose one-hot target is among the `k` likeliest classes.

    Args:
        k: how many classes count.
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "up"

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose target, an index, is among the `k` likeliest classes.

    Args:
        k: how many classes count.
        name: its name.
        dtype: see `Metric`.
        from_sorted_ids: predictions are ids of classes, likeliest first.
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids
