"""Statistics: order statistics, correlation, differences, histograms, and what leaves out NaN."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple, reduced_axes
from kerata.backends.state import operations
from kerata.ops import elementwise as ew
from kerata.ops import reduction as rd
from kerata.ops.convolution import conv
from kerata.ops.creation import full, linspace, zeros
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.indexing import take, take_along_axis
from kerata.ops.products import matmul
from kerata.ops.reduction import Axis, narrowed, root, widened
from kerata.ops.shaping import (
    concatenate,
    convert_to_tensor,
    expand_dims,
    moveaxis,
    reshape,
    shape,
    transpose,
)  # fmt: skip
from kerata.ops.sorting import searchsorted, sort

__all__ = (
    "ptp", "diff", "trapezoid", "median", "quantile", "percentile", "nanmedian", "nanquantile",
    "nanpercentile", "histogram", "corrcoef", "correlate", "nansum", "nanprod", "nanmean",
    "nanvar", "nanstd", "nanmax", "nanmin", "nanargmax", "nanargmin", "nancumsum", "nancumprod",
)  # fmt: skip


def _difference(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 - x2`; for booleans whether they differ."""
    if dtypes.standardize_dtype(x1.dtype) == "bool":
        return ew.not_equal(x1, x2)
    return ew.subtract(x1, x2)


@composite()
def ptp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest less the smallest element over `axis` ("peak to peak").

    >>> ptp([[1, 5], [2, 9]], axis=1).tolist()
    [4, 7]
    """
    return _difference(rd.max(x, axis, keepdims), rd.min(x, axis, keepdims))


def _part(x: Tensor, axis: int, start: Any = None, stop: Any = None) -> Tensor:
    return x[(slice(None),) * axis + (slice(start, stop),)]


@composite()
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    """The differences of neighbours along `axis`, taken `n` times; for booleans "not equal".

    >>> diff([1, 4, 9, 16], n=2).tolist()
    [2, 2]
    """
    if n < 0:
        raise ValueError(f"diff: n must not be negative; got {n}")
    (place,) = axes_tuple(axis, len(shape(a)))
    for _ in range(n):
        a = _difference(_part(a, place, 1), _part(a, place, None, -1))
    return a


@composite(promote="float", operands=("y", "x"))
def trapezoid(y: Tensor, x: Tensor | None = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The integral of `y` along `axis` by the trapezoidal rule.

    Args:
        y: the values.
        x: where they lie, `(n,)` or of the shape of `y`; None for steps of `dx`.
        dx: the distance of neighbours.
        axis: the axis to integrate along.
    """
    rank = len(shape(y))
    (place,) = axes_tuple(axis, rank)
    wide = widened(y)
    heights = ew.add(_part(wide, place, 1), _part(wide, place, None, -1))
    if x is None:
        return narrowed(ew.multiply(rd.sum(heights, place), ew.multiply(0.5, dx)), y)
    if len(shape(x)) == 1:
        steps = expand_dims(diff(widened(x)), tuple(builtins.range(1, rank - place)))
    else:
        steps = diff(widened(x), axis=place)
    return narrowed(ew.multiply(rd.sum(ew.multiply(heights, steps), place), 0.5), y)


# Order statistics


def _check_order(name: str, x: Tensor) -> None:
    if dtypes.is_complex(dtypes.standardize_dtype(x.dtype)):
        raise TypeError(f"{name}: complex numbers have no order")


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _host(q: Any, name: str, top: float) -> np.ndarray | None:
    """`q` where it is made of Python's or NumPy's numbers, as parts of 1; None for tensors."""
    try:
        values = np.asarray(q, np.float64) / top if _is_plain(q) else None
    except (TypeError, ValueError):  # a list that holds tensors
        return None
    if values is not None and not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{name}: q must be between 0 and {top:g}; got {q}")
    return values


def _is_plain(q: Any) -> bool:
    return isinstance(q, (int, float, list, tuple, np.ndarray, np.number))


def _rows(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """`x` with `axes` merged into one, the last."""
    sizes = shape(x)
    kept = [a for a in builtins.range(len(sizes)) if a not in axes]
    merged = math.prod(sizes[a] for a in axes)
    return reshape(transpose(x, [*kept, *axes]), [*(sizes[a] for a in kept), merged])


def _quantile(
    name: str,
    x: Tensor,
    q: Any,
    axis: Axis,
    method: str,
    keepdims: bool,
    top: float = 1.0,
    without_nan: bool = False,
) -> Tensor:
    """The quantiles at `q / top`; the axes of `q` come first in the result."""
    if method not in _METHODS:
        raise ValueError(f"{name}: method must be one of {', '.join(_METHODS)}; got {method!r}")
    _check_order(name, x)
    sizes = shape(x)
    axes = reduced_axes(axis, len(sizes))
    ordered = widened(sort(_rows(x, axes), -1))
    *rows, count = shape(ordered)
    if isinstance(count, int) and count == 0:  # as if there were one NaN
        ordered, count = full([*rows, 1], float("nan"), ordered.dtype), 1
    host = _host(q, name, top)
    parts = ew.true_divide(convert_to_tensor(q), top) if host is None else host
    outer = tuple(shape(parts))
    if without_nan:
        good = rd.sum(ew.cast(ew.logical_not(ew.isnan(ordered)), ordered.dtype), -1, True)
        spots = ew.multiply(_vector(parts, ordered), ew.subtract(good, 1))
    elif host is not None and isinstance(count, int):
        spots = _vector(host * (count - 1), ordered)  # exact: Python's floats have 64 bits
    else:
        last = ew.cast(convert_to_tensor(count), ordered.dtype)
        spots = ew.multiply(_vector(parts, ordered), ew.subtract(last, 1))
    found = _between(ordered, spots, method, take_along_axis if without_nan else take)
    if not without_nan:
        found = ew.where(ew.isnan(ordered[..., -1:]), float("nan"), found)
    left = [1 if a in axes else s for a, s in enumerate(sizes) if keepdims or a not in axes]
    return narrowed(reshape(moveaxis(found, -1, 0), [*outer, *left]), x)


def _vector(parts: Any, like: Tensor) -> Tensor:
    return reshape(ew.cast(convert_to_tensor(parts), like.dtype), (-1,))


def _between(ordered: Tensor, spots: Tensor, method: str, pick: Callable[..., Tensor]) -> Tensor:
    """The elements of sorted rows at `spots`, which may lie between two of them."""

    def at(places: Tensor) -> Tensor:
        return pick(ordered, ew.cast(places, "int32"), -1)

    if method == "lower":
        return at(ew.floor(spots))
    if method == "higher":
        return at(ew.ceil(spots))
    if method == "nearest":
        return at(ew.round(spots))
    low, high = at(ew.floor(spots)), at(ew.ceil(spots))
    part = 0.5 if method == "midpoint" else ew.subtract(spots, ew.floor(spots))
    mixed = ew.add(ew.multiply(low, ew.subtract(1.0, part)), ew.multiply(high, part))
    return ew.where(ew.equal(low, high), low, mixed)  # infinities have no mixture


@composite(promote="float", operands=("x",))
def quantile(
    x: Tensor, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """What a part `q` of the elements over `axis` lies below; NaN where there is one, or nothing.

    Args:
        x: the values.
        q: numbers from 0 to 1, of any shape.
        axis: the axes to reduce, all where None.
        method: what is taken at a place between two elements: "linear" mixes them, "midpoint" is
            their mean, then "lower", "higher", "nearest" (of two equally near the one of even
            place).
        keepdims: whether the reduced axes stay, with size 1.

    Returns:
        a tensor whose first axes are those of `q`. Gradients flow to the elements taken.

    >>> quantile([1.0, 2.0, 4.0], [0.5, 0.75]).tolist()
    [2.0, 3.0]
    """
    return _quantile("quantile", x, q, axis, method, keepdims)


@composite(promote="float", operands=("x",))
def percentile(
    x: Tensor, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """`quantile` at `q / 100`."""
    return _quantile("percentile", x, q, axis, method, keepdims, 100.0)


@composite(promote="float")
def median(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The middle element over `axis`, or the mean of the two in the middle."""
    return _quantile("median", x, 0.5, axis, "linear", keepdims)


@composite(promote="float", operands=("x",))
def nanquantile(
    x: Tensor, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN where all are."""
    return _quantile("nanquantile", x, q, axis, method, keepdims, without_nan=True)


@composite(promote="float", operands=("x",))
def nanpercentile(
    x: Tensor, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """`percentile` of the elements that are not NaN; NaN where all are."""
    return _quantile("nanpercentile", x, q, axis, method, keepdims, 100.0, without_nan=True)


@composite(promote="float")
def nanmedian(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`median` of the elements that are not NaN; NaN where all are."""
    return _quantile("nanmedian", x, 0.5, axis, "linear", keepdims, without_nan=True)


@composite(promote="float", operands=("x",))
def histogram(x: Tensor, bins: int = 10, range: Any = None) -> tuple[Tensor, Tensor]:
    """How many elements fall into each of `bins` intervals of one width.

    Args:
        x: the values, of any shape; NaN and what lies outside of `range` are not counted.
        bins: how many intervals. All hold their lower edge, the last one also its upper edge.
        range: the lowest and the highest edge; the extremes of `x` where None (0 and 1 where `x`
            is empty). Two equal edges are moved apart by one half each.

    Returns:
        the counts, int32 `(bins,)`, and the edges, `(bins + 1,)` in the dtype of `x`.

    >>> counts, edges = histogram([1, 2, 2, 4], bins=3)
    >>> counts.tolist(), edges.tolist()
    ([1, 2, 1], [1.0, 2.0, 3.0, 4.0])
    """
    if not isinstance(bins, int) or bins < 1:
        raise ValueError(f"histogram: bins must be a positive int; got {bins!r}")
    if range is not None and range[0] > range[1]:
        raise ValueError(f"histogram: range must not fall; got {range}")
    _check_order("histogram", x)
    values = reshape(widened(x), (-1,))
    if range is None:
        low, high = rd.min(values, initial=float("inf")), rd.max(values, initial=-float("inf"))
        empty = ew.greater(low, high)
        low, high = ew.where(empty, 0.0, low), ew.where(empty, 1.0, high)
    else:
        low, high = (ew.cast(convert_to_tensor(v), values.dtype) for v in range)
    apart = ew.where(ew.equal(low, high), ew.cast(0.5, values.dtype), 0.0)
    edges = linspace(ew.subtract(low, apart), ew.add(high, apart), bins + 1)
    ordered = sort(values)
    below = searchsorted(ordered, edges[:-1])
    places = concatenate([below, searchsorted(ordered, edges[-1:], "right")])
    return ew.subtract(places[1:], places[:-1]), narrowed(edges, x)


# Correlation


@composite(promote="float")
def corrcoef(x: Tensor) -> Tensor:
    """Pearson's correlation coefficients of the rows of `x`.

    Args:
        x: `(variables, observations)`, or `(observations,)` for one variable.

    Returns:
        `(variables, variables)`, without axes for one variable; NaN where one does not vary.
    """
    rank = len(shape(x))
    if rank not in (1, 2):
        raise ValueError(f"corrcoef: x must have one axis or two; got {rank}")
    wide = widened(x) if rank == 2 else expand_dims(widened(x), 0)
    centered = ew.subtract(wide, rd.mean(wide, 1, True))
    scale = root(rd.sum(ew.square(centered), 1, True))
    products = matmul(centered, transpose(centered))
    found = ew.true_divide(ew.true_divide(products, scale), transpose(scale))
    found = narrowed(ew.clip(found, -1.0, 1.0), x)
    return found if rank == 2 else found[0, 0]


@composite(promote="float")
def correlate(x1: Tensor, x2: Tensor, mode: str = "valid") -> Tensor:
    """The cross-correlation of two vectors, `c[k] = Σ x1[n + k] · conj(x2[n])`.

    Args:
        x1: `(n,)`.
        x2: `(m,)`.
        mode: "full" for every `k` at which they meet (`n + m - 1`), "same" for the `max(n, m)` in
            the middle, "valid" for those at which the shorter one lies within the other.

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5], "full").tolist()
    [0.5, 2.0, 3.5, 3.0, 0.0]
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: mode must be 'valid', 'same' or 'full'; got {mode!r}")
    ranks = [len(shape(x)) for x in (x1, x2)]
    if ranks != [1, 1]:
        raise ValueError(f"correlate: both tensors must have one axis; got {ranks[0]}, {ranks[1]}")
    if dtypes.is_complex(dtypes.standardize_dtype(x1.dtype)):
        return _correlate_complex(x1, x2, mode)
    (n,), (m,) = shape(x1), shape(x2)
    wide = widened(x1)
    rim = zeros((m - 1,), wide.dtype)
    signal = reshape(concatenate([rim, wide, rim]), (1, n + m + m - 2, 1))
    full = reshape(conv(signal, reshape(widened(x2), (m, 1, 1))), (n + m - 1,))
    return narrowed(_middle(full, x1, x2, mode), x1)


def _middle(full: Tensor, x1: Tensor, x2: Tensor, mode: str) -> Tensor:
    """The part of the full correlation that `mode` asks for, found without comparing sizes."""
    if mode == "full":
        return full
    (n,), (m,) = shape(x1), shape(x2)
    (least,) = shape(x1[:m])
    if mode == "valid":
        return full[least - 1 : n + m - least]
    (swapped,) = shape(x2[n : n + 1])  # 1 where x2 is longer
    start = least - 1 - least // 2 + swapped * (1 - least % 2)
    return full[start : start + n + m - least]


def _correlate_complex(x1: Tensor, x2: Tensor, mode: str) -> Tensor:
    (a, b), (c, d) = ((operations["real"](x), operations["imag"](x)) for x in (x1, x2))
    real = ew.add(correlate(a, c, mode), correlate(b, d, mode))
    imaginary = ew.subtract(correlate(b, c, mode), correlate(a, d, mode))
    return ew.add(ew.cast(real, x1.dtype), ew.multiply(ew.cast(imaginary, x1.dtype), 1j))


# Without NaN


def _replaced(x: Tensor, value: float) -> Tensor:
    """`x` with `value` for NaN, which only floats and complex numbers have."""
    dtype = dtypes.standardize_dtype(x.dtype)
    if not dtypes.is_float(dtype) and not dtypes.is_complex(dtype):
        return x
    return ew.where(ew.isnan(x), value, x)


@composite()
def nansum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis` of what is not NaN."""
    return rd.sum(_replaced(x, 0.0), axis, keepdims)


@composite()
def nanprod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over `axis` of what is not NaN."""
    return rd.prod(_replaced(x, 1.0), axis, keepdims)


@composite()
def nancumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running sum along `axis`, NaN counting as 0."""
    return rd.cumsum(_replaced(x, 0.0), axis, dtype)


@composite()
def nancumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running product along `axis`, NaN counting as 1."""
    return rd.cumprod(_replaced(x, 1.0), axis, dtype)


def _count(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """How many elements are not NaN, in the dtype of `x`."""
    return rd.sum(ew.cast(ew.logical_not(ew.isnan(x)), x.dtype), axis, keepdims)


def _mean(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    return ew.true_divide(nansum(x, axis, keepdims), _count(x, axis, keepdims))


@composite(promote="float")
def nanmean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over `axis` of what is not NaN; NaN where all are."""
    return narrowed(_mean(widened(x), axis, keepdims), x)


@composite(promote="float")
def nanvar(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance over `axis` of what is not NaN; NaN where all are."""
    wide = widened(x)
    center = _mean(wide, axis, True)
    distance = ew.subtract(ew.where(ew.isnan(wide), center, wide), center)
    total = rd.sum(ew.square(distance), axis, keepdims)
    return narrowed(ew.true_divide(total, _count(wide, axis, keepdims)), x)


@composite(promote="float")
def nanstd(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over `axis` of what is not NaN; its gradient is 0 where that is."""
    return root(nanvar(x, axis, keepdims))


def _extreme(
    reduce: Callable[..., Tensor], bound: float, x: Tensor, axis: Axis, keepdims: bool
) -> Tensor:
    if not dtypes.is_float(dtypes.standardize_dtype(x.dtype)):
        return reduce(x, axis, keepdims)
    found = reduce(_replaced(x, bound), axis, keepdims)
    return ew.where(rd.all(ew.isnan(x), axis, keepdims), float("nan"), found)


@composite()
def nanmax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over `axis` that is not NaN; NaN where all are."""
    return _extreme(rd.max, -float("inf"), x, axis, keepdims)


@composite()
def nanmin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over `axis` that is not NaN; NaN where all are."""
    return _extreme(rd.min, float("inf"), x, axis, keepdims)


def _place(x: Tensor, extreme: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    """Where `x` first equals its extreme; -1 where all are NaN."""
    found = rd.argmax(ew.equal(x, extreme), axis, keepdims)
    return ew.where(rd.all(ew.isnan(x), axis, keepdims), -1, found)


@composite()
def nanargmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element along `axis` that is not NaN, int32; -1 where all are."""
    return _place(x, nanmax(x, axis, True), axis, keepdims)


@composite()
def nanargmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element along `axis` that is not NaN, int32; -1 where all are."""
    return _place(x, nanmin(x, axis, True), axis, keepdims)
