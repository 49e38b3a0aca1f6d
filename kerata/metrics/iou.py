"""Intersection over union: how far sets of pixels overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.losses.loss import converted
from kerata.metrics.metric import Metric
from kerata.ops.dispatch import Tensor


class _Confusion(Metric):
    """A matrix of how often each class (a row) was taken for each class (a column).

    It counts in int32 unless `dtype` says otherwise; fractional weights need a floating `dtype`.
    """

    _direction = "up"

    def __init__(self, num_classes: int, name: str | None, dtype: Any) -> None:
        super().__init__("int32" if dtype is None else dtype, name)
        self.num_classes = num_classes
        self.total_confusion_matrix = self.add_weight(
            (num_classes, num_classes), name="total_confusion_matrix"
        )

    def _count(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any, ignored: Any) -> None:
        """Take classes, as ints of any shape, in."""
        y_true, y_pred = (ops.reshape(ops.cast(y, "int32"), (-1,)) for y in (y_true, y_pred))
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            weight = ops.reshape(converted(sample_weight, "float32"), (-1,))
        if ignored is not None:
            counted = ops.not_equal(y_true, ignored)
            y_true, weight = ops.where(counted, y_true, 0), ops.where(counted, weight, 0)
        n = self.num_classes
        pairs = ops.segment_sum(weight, y_true * n + y_pred, num_segments=n * n)
        matrix = ops.reshape(pairs, (n, n))
        if self._dtype.startswith("int"):
            matrix = ops.round(matrix)
        self.total_confusion_matrix.assign_add(ops.cast(matrix, self._dtype))

    def _scores(self, chosen: Sequence[int]) -> Tensor:
        """The mean over those classes of `chosen` that were there."""
        matrix = ops.cast(self.total_confusion_matrix.value, "float32")
        both = ops.diagonal(matrix)
        union = ops.sum(matrix, 0) + ops.sum(matrix, 1) - both
        places = ops.convert_to_tensor(list(chosen), "int32")
        both, union = ops.take(both, places), ops.take(union, places)
        there = ops.sum(ops.cast(ops.greater(union, 0.0), "float32"))
        return ops.divide_no_nan(ops.sum(ops.divide_no_nan(both, union)), there)


def _check_targets(chosen: Sequence[int], num_classes: int) -> None:
    for c in chosen:
        if not 0 <= c < num_classes:
            raise ValueError(f"target_class_ids must be in [0, {num_classes}); got {c}")


class IoU(_Confusion):
    """The mean intersection over union of chosen classes: `both / (true + predicted - both)`.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes that the mean is over.
        name: its name.
        dtype: "int32" where None; fractional weights need a floating one.
        ignore_class: targets of this class count nowhere.
        sparse_y_true: whether targets are indices; otherwise the largest along `axis` counts.
        sparse_y_pred: whether predictions are indices.
        axis: the axis of the classes where they are not.

    >>> float(IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1]))
    0.3333333432674408
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype)
        _check_targets(target_class_ids, num_classes)
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in: classes, or what is largest for the class; weights of their shape."""
        y_true, y_pred = converted(y_true, None), converted(y_pred, None)
        y_true = y_true if self.sparse_y_true else ops.argmax(y_true, self.axis)
        y_pred = y_pred if self.sparse_y_pred else ops.argmax(y_pred, self.axis)
        self._count(y_true, y_pred, sample_weight, self.ignore_class)

    def result(self) -> Tensor:
        return self._scores(self.target_class_ids)


class BinaryIoU(IoU):
    """The mean intersection over union of two classes told apart by a threshold.

    Args:
        target_class_ids: 0, 1 or both.
        threshold: below it a prediction is of class 0.
        name: its name.
        dtype: "int32" where None; fractional weights need a floating one.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in: targets of 0 or 1, and predictions of the same shape."""
        decided = ops.greater_equal(converted(y_pred, None), self.threshold)
        self._count(converted(y_true, None), decided, sample_weight, None)


class MeanIoU(IoU):
    """The mean intersection over union of all classes; arguments as in `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        every = list(range(num_classes))
        super().__init__(
            num_classes, every, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )


class OneHotIoU(IoU):
    """`IoU` for targets that are one-hot along `axis`; arguments as there."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` for targets that are one-hot along `axis`; arguments as there."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
