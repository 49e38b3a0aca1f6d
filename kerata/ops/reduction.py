"""Operations that reduce axes: sums, means, extremes, moments, and running sums and products."""

from __future__ import annotations

from typing import Any, TypeAlias

from kerata.backends import dtypes
from kerata.backends.geometry import reduced_axes
from kerata.backends.state import operations
from kerata.ops import elementwise as ew
from kerata.ops.dispatch import Tensor, composite, primitive
from kerata.ops.shaping import broadcast_to, expand_dims, shape, squeeze

__all__ = (
    "sum", "prod", "mean", "max", "min", "amax", "amin", "any", "all", "argmax", "argmin",
    "cumsum", "cumprod", "var", "std", "logsumexp", "count_nonzero", "average",
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


@primitive()
def cumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running product along `axis`; of the flattened tensor where `axis` is None."""


@composite()
def amax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over `axis`, as `max`."""
    return max(x, axis, keepdims)


@composite()
def amin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over `axis`, as `min`."""
    return min(x, axis, keepdims)


def widened(x: Tensor) -> Tensor:
    """`x`, half precision as float32, in which sums of it are kept."""
    dtype = dtypes.standardize_dtype(x.dtype)
    return ew.cast(x, "float32") if dtypes.is_float(dtype) and dtypes.size(dtype) < 4 else x


def narrowed(y: Tensor, x: Tensor) -> Tensor:
    """`y`, calculated from `widened(x)`, in the dtype of `x` again."""
    dtype = dtypes.standardize_dtype(x.dtype)
    return ew.cast(y, dtype) if dtypes.is_float(dtype) and dtypes.size(dtype) < 4 else y


def root(variance: Tensor) -> Tensor:
    """The square root, whose gradient at 0 is 0."""
    constant = ew.equal(variance, 0.0)
    return ew.where(constant, 0.0, ew.sqrt(ew.where(constant, 1.0, variance)))


@composite(promote="float")
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance over `axis`: the mean squared distance from the mean."""
    wide = widened(x)
    distance = wide - mean(wide, axis, True)
    if dtypes.is_complex(dtypes.standardize_dtype(x.dtype)):
        distance = ew.absolute(distance)
    return narrowed(mean(ew.square(distance), axis, keepdims), x)


@composite(promote="float")
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over `axis`; at constant input its gradient is 0."""
    return root(var(x, axis, keepdims))


@composite(promote="float")
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`log(sum(exp(x)))` over `axis`, without overflow."""
    wide = widened(x)
    is_complex = dtypes.is_complex(dtypes.standardize_dtype(x.dtype))
    size = operations["real"](wide) if is_complex else wide
    top = ew.stop_gradient(max(size, axis, True, -float("inf")))
    top = ew.where(ew.isfinite(top), top, 0.0)
    total = ew.add(ew.log(sum(ew.exp(ew.subtract(wide, top)), axis, True)), top)
    total = narrowed(total, x)
    return total if keepdims else squeeze(total, reduced_axes(axis, len(shape(x))))


@composite()
def count_nonzero(x: Tensor, axis: Axis = None) -> Tensor:
    """How many elements over `axis` are not 0, int32."""
    return sum(ew.cast(ew.not_equal(x, 0), "int32"), axis)


@composite(promote="float")
def average(x: Tensor, axis: Axis = None, weights: Tensor | None = None) -> Tensor:
    """The mean over `axis`, weighted by `weights`.

    Args:
        x: the values.
        axis: one axis or several; all of them where None.
        weights: of the shape of `x`, or of the axes in `axis` alone.

    Raises:
        ValueError: the weights have neither as many axes as `x` nor as `axis` names.
    """
    if weights is None:
        return mean(x, axis)
    rank, given = len(shape(x)), len(shape(weights))
    axes = reduced_axes(axis, rank)
    if given not in (rank, len(axes)):
        raise ValueError(
            f"average: weights must have the {rank} axes of x or the {len(axes)} of axis={axis}; "
            f"got {given}"
        )
    if given < rank:
        weights = expand_dims(weights, [a for a in range(rank) if a not in axes])
    wide, heavy = widened(x), widened(weights)
    total = sum(broadcast_to(heavy, shape(x)), axis)
    return narrowed(ew.true_divide(sum(ew.multiply(wide, heavy), axis), total), x)
