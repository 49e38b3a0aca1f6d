"""Sums and means of what is taken in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata import ops
from kerata.core.masks import get_mask
from kerata.core.names import auto_name
from kerata.losses.loss import converted
from kerata.losses.reduction import same_rank, weight_of_valid
from kerata.metrics.metric import Metric
from kerata.ops.dispatch import Tensor, Tree


def by_sample(values: Tensor, sample_weight: Any, mean: bool, dtype: str) -> tuple[Tensor, Any]:
    """The weighted values and the weights, one each for every sample.

    Axes after the first are reduced, by their mean or sum. A weight of fewer axes is for the mean
    or sum of the last ones.

    Returns:
        Values of at most one axis, and weights of the same shape; None where there are none, an int
        where a scalar is weighted by one.
    """
    reduce = ops.mean if mean else ops.sum
    mask = None if sample_weight is None else get_mask(values)
    values = converted(values, dtype)
    if sample_weight.__class__ is int and mask is None and not values.shape:
        return ops.multiply(values, sample_weight), sample_weight
    if sample_weight is None:
        rank = len(values.shape)
        return (reduce(values, tuple(range(1, rank))) if rank > 1 else values), None
    weight = converted(sample_weight, dtype)
    if mask is not None:
        weight = weight_of_valid(weight, mask, dtype)
    values, weight = same_rank(values, weight)
    rank, weights = len(values.shape), len(weight.shape)
    if weights < rank:
        values = reduce(values, tuple(range(weights, rank)))
    values = ops.multiply(values, weight)
    weight = ops.broadcast_to(weight, ops.shape(values))
    if weights > 1:
        axes = tuple(range(1, weights))
        values, weight = reduce(values, axes), reduce(weight, axes)
    return values, weight


class Sum(Metric):
    """The weighted sum of the values.

    Args:
        name: its name.
        dtype: see `Metric`.

    >>> float(Sum()([1.0, 3.0]))
    4.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_weight(name="total")

    def update_state(self, values: Tensor, sample_weight: Any = None) -> None:
        """Take values of any shape in, weighted by `sample_weight`, which broadcasts to them."""
        values, _ = by_sample(values, sample_weight, False, self._dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Tensor:
        return self.total.value


class Mean(Metric):
    """The weighted mean of the values.

    Args:
        name: its name.
        dtype: see `Metric`.

    >>> float(Mean()([1.0, 3.0]))
    2.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_weight(name="total")
        self.count = self.add_weight(name="count")

    def update_state(self, values: Tensor, sample_weight: Any = None) -> None:
        """Take values in; axes after the first are averaged, so that each sample counts once.

        Args:
            values: any shape, `(batch, …)`.
            sample_weight: broadcasts to `values`.
        """
        values, weight = by_sample(values, sample_weight, True, self._dtype)
        shape = ops.shape(values)
        total = ops.sum(values) if shape else values
        if weight is not None:
            count = ops.sum(weight) if shape else weight
        elif shape and not isinstance(shape[0], int):
            count = ops.cast(shape[0], self._dtype)
        else:
            count = shape[0] if shape else 1
        self.total.assign_add(total)
        self.count.assign_add(count)

    def result(self) -> Tensor:
        return ops.divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The weighted mean of what a function computes for each sample.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` returns values of samples.
        name: its name.
        dtype: see `Metric`.
        **kwargs: further arguments of `fn`.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name or auto_name(type(self).__name__), dtype)
        self._fn = fn
        self._fn_arguments = kwargs

    def update_state(self, y_true: Tree, y_pred: Tree, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take a batch in.

        Args:
            y_true: the targets.
            y_pred: the predictions; samples that a mask of theirs leaves out don't count.
            sample_weight: weights of the samples.
        """
        mask = get_mask(y_pred)
        values = self._fn(converted(y_true, None), converted(y_pred, None), **self._fn_arguments)
        if mask is not None:
            if sample_weight is None:
                sample_weight = ops.cast(mask, self._dtype)
            else:
                weight = converted(sample_weight, self._dtype)
                sample_weight = weight_of_valid(weight, mask, self._dtype)
        super().update_state(values, sample_weight)
