"""Operations that reduce axes: sums, means, extremes, and the running sum."""

from __future__ import annotations

from typing import Any, TypeAlias

from kerata.ops import elementwise as ew
from kerata.ops.dispatch import Tensor, composite, primitive
from kerata.ops.shaping import expand_dims, shape, squeeze

__all__ = (
    "sum", "prod", "mean", "max", "min", "any", "all", "argmax", "argmin", "cumsum", "var",
    "std", "logsumexp", "count_nonzero", "average",
)  # fmt: skip

Axis: TypeAlias = "int | tuple[int, ...] | list[int] | None"


@primitive()
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis` (all axes where None).

    Booleans and integers of up to 32 bits are summed as (u)int32, floats in their own dtype.
    """


@primitive()
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product over `axis` (all axes where None), in the dtypes of `sum` unless `dtype`."""


@primitive(promote="float")
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over `axis` (all axes where None)."""


@primitive()
def max(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The largest element over `axis` (all axes where None); NaN where there is one."""


@primitive()
def min(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The smallest element over `axis` (all axes where None); NaN where there is one."""


@primitive()
def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element over `axis` is true."""


@primitive()
def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over `axis` are true."""


@primitive()
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element along `axis`, int32; the first of equals."""


@primitive()
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element along `axis`, int32; the first of equals."""


@primitive()
def cumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running sum along `axis`; of the flattened tensor where `axis` is None."""


@composite(promote="float")
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance over `axis`: the mean squared distance from the mean."""
    return mean(ew.square(x - mean(x, axis, True)), axis, keepdims)


@composite(promote="float")
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over `axis`; at constant input its gradient is 0."""
    variance = var(x, axis, keepdims)
    constant = ew.equal(variance, 0.0)
    return ew.where(constant, 0.0, ew.sqrt(ew.where(constant, 1.0, variance)))


@composite(promote="float")
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`log(sum(exp(x)))` over `axis`, without overflow."""
    top = ew.stop_gradient(max(x, axis, True))
    top = ew.where(ew.isfinite(top), top, 0.0)
    total = ew.log(sum(ew.exp(x - top), axis, True)) + top
    return total if keepdims else squeeze(total, _axes(axis, len(shape(x))))


@composite()
def count_nonzero(x: Tensor, axis: Axis = None) -> Tensor:
    """How many elements over `axis` are not 0, int32."""
    return sum(ew.cast(ew.not_equal(x, 0), "int32"), axis)


@composite(promote="float")
def average(x: Tensor, axis: Axis = None, weights: Tensor | None = None) -> Tensor:
    """The mean over `axis`, weighted by `weights` (of the shape of `x`, or of `axis` alone)."""
    if weights is None:
        return mean(x, axis)
    rank = len(shape(x))
    if len(shape(weights)) == 1 and rank > 1 and isinstance(axis, int):
        for _ in range(rank - 1 - axis % rank):
            weights = expand_dims(weights, -1)
    return sum(x * weights, axis) / sum(weights * ew.cast(x * 0 + 1, weights.dtype), axis)


def _axes(axis: Axis, rank: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(rank))
    return (axis,) if isinstance(axis, int) else tuple(axis)
