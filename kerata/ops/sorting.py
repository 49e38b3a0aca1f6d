"""Operations that order elements, or find them in what is ordered.

NaN counts as larger than every number, and as equal to itself. Equal elements keep their order.
"""

from __future__ import annotations

from typing import Any

from kerata.backends import dtypes
from kerata.ops import creation, indexing
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import scattering as sc
from kerata.ops import shaping as sh
from kerata.ops.control import scan
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "argsort", "sort", "argpartition", "top_k", "in_top_k", "searchsorted", "digitize", "isin",
    "unique",
)  # fmt: skip


@primitive()
def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    """The places of the elements along `axis` from the least to the largest, int32.

    Of the flattened `x` where `axis` is None. Equal elements keep their order, NaN come last.

    >>> argsort([3.0, 1.0, 2.0]).tolist()
    [1, 2, 0]
    """


@composite()
def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    """The elements along `axis` from the least to the largest, NaN last; flattened where None."""
    return indexing.take_along_axis(x, argsort(x, axis), axis)


@composite()
def argpartition(x: Tensor, kth: Any, axis: int | None = -1) -> Tensor:
    """An order of the places along `axis`, int32, that puts the `kth` least element where it is
    when sorted, no larger ones before it and no smaller ones after it.

    It is the whole order, `argsort`: what NumPy leaves open is the same on every backend.
    """
    return argsort(x, axis)


@primitive()
def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, largest first, and their places (int32).

    Of equal elements the first ones are taken, and come in their order; NaN is the largest of all.
    `sorted` is accepted for compatibility: they always are.

    >>> values, places = top_k([1.0, 5.0, 2.0, 5.0], 3)
    >>> values.tolist(), places.tolist()
    ([5.0, 5.0, 2.0], [1, 3, 2])

    Raises:
        ValueError: `x` has no axis, or fewer than `k` elements along its last one.
    """


@primitive(promote="common")
def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left") -> Tensor:
    """Where `values` would go in a vector that is sorted, so that it stays so; int32.

    Args:
        sorted_sequence: `(n,)`, rising.
        values: any shape.
        side: "left" for the first such place, before equal elements; "right" for the last.

    Returns:
        numbers from 0 to n, of the shape of `values`.
    """


@composite()
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Whether fewer than `k` classes have a larger prediction than the target's.

    Args:
        targets: `(...,)`, the index of a class. One that doesn't exist is not among the top.
        predictions: `(..., classes)`. A target with NaN is not among the top.
        k: how many classes count as the top; equal predictions at the boundary all do.

    Returns:
        booleans of the shape of `targets`.

    >>> in_top_k([1, 2], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], 1).tolist()
    [True, False]
    """
    classes = sh.shape(predictions)[-1]
    targets = ew.cast(targets, "int32")
    own = indexing.take_along_axis(predictions, sh.expand_dims(targets, -1), -1)
    among = ew.less(red.count_nonzero(ew.greater(predictions, own), -1), k)
    exists = ew.logical_and(ew.greater_equal(targets, 0), ew.less(targets, classes))
    valid = ew.logical_and(exists, ew.logical_not(ew.isnan(sh.squeeze(own, -1))))
    return ew.logical_and(among, valid)


@composite(promote="common")
def digitize(x: Tensor, bins: Tensor) -> Tensor:
    """The number of the bin that each element falls into, int32.

    Bin `i` lies between `bins[i - 1]` and `bins[i]`, the lower of which is in it. Number 0 is what
    lies before the first, `n` behind the last.

    Args:
        x: any shape.
        bins: `(n,)`, rising or falling.

    >>> digitize([0.0, 1.0, 2.5, 9.0], [1.0, 2.0, 3.0]).tolist()
    [0, 1, 2, 3]
    """
    falls = red.any(ew.less(bins[-1:], bins[:1]))
    rising = ew.where(falls, sh.flip(bins), bins)
    after = searchsorted(rising, x, "right")
    return ew.where(falls, sh.shape(bins)[0] - after, after)


@composite(promote="common")
def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is in `x2`, of any shape; with `invert` whether it is not.

    NaN is in nothing. `assume_unique` is accepted for compatibility.
    """
    row = sort(x2, None)
    found = ew.less(searchsorted(row, x1, "left"), searchsorted(row, x1, "right"))
    found = ew.logical_and(found, ew.equal(x1, x1))
    return ew.logical_not(found) if invert else found


def _order_of_rows(rows: Tensor) -> Tensor:
    """The places of the rows of a matrix in their order, the first column counting most."""

    def by_column(order: Tensor, column: Tensor) -> tuple[Tensor, None]:
        return indexing.take(order, argsort(indexing.take(column, order, 0)), 0), None

    start = creation.arange(sh.shape(rows)[0])
    return scan(by_column, start, sh.transpose(rows), reverse=True)[0]


def _runs(rows: Tensor) -> Tensor:
    """Which of sorted rows differ from the one before."""
    places = creation.arange(sh.shape(rows)[0])
    before = indexing.take(rows, ew.maximum(ew.subtract(places, 1), 0), 0)
    differs = ew.not_equal(rows, before)
    differs = red.any(differs, 1) if len(sh.shape(rows)) > 1 else differs
    return ew.logical_or(differs, ew.equal(places, 0))


@composite()
def unique(
    x: Tensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements of `x`, or its different slices along `axis`, in their order.

    Args:
        x: any tensor; every NaN is an element of its own.
        sorted: accepted for compatibility: they always are.
        return_index: return also where each one comes first, int32.
        return_inverse: return also which of them each element is, int32, in the shape of `x`
            (a vector where there is an `axis`).
        return_counts: return also how often each one comes, int32.
        axis: None for the elements of the flattened `x`.
        size: how many to return. None for as many as there are, which follows from the values and
            only runs eagerly. With a `size` the largest that don't fit are left out; where there
            are fewer, the rest are `fill_value`, with the index of the first and the count 0.
        fill_value: 0 where None.

    Returns:
        the values, or a tuple of them and what else was asked for, in the order of the arguments.

    >>> unique([3, 1, 3]).tolist()
    [1, 3]
    """
    shape = sh.shape(x)
    rows = sh.ravel(x) if axis is None else sh.moveaxis(x, axis, 0)
    inner = sh.shape(rows)[1:]
    if inner:
        rows = sh.reshape(rows, (sh.shape(rows)[0], -1))
    order = _order_of_rows(rows) if inner else argsort(rows)
    in_order = indexing.take(rows, order, 0)
    first = _runs(in_order)
    group = ew.subtract(red.cumsum(ew.cast(first, "int32")), 1)
    total = red.count_nonzero(first)
    if size is None:
        size = int(indexing.values_of(total, "unique", "Give size"))
    column = sh.expand_dims(group, 1)
    spare = ew.where(sh.expand_dims(first, 1), column, size)
    places = creation.arange(sh.shape(rows)[0])
    start = sc.scatter_update(creation.zeros((size,), "int32"), spare, places)
    index = indexing.take(order, start, 0)
    values = indexing.take(in_order, start, 0)
    filled = ew.less(creation.arange(size), total)
    fill = ew.cast(0 if fill_value is None else fill_value, dtypes.standardize_dtype(x.dtype))
    values = ew.where(sh.expand_dims(filled, 1) if inner else filled, values, fill)
    if inner:
        values = sh.moveaxis(sh.reshape(values, (size, *inner)), 0, axis)
    found = [values]
    if return_index:
        found.append(index)
    if return_inverse:
        inverse = sc.scatter_update(places, sh.expand_dims(order, 1), group)
        found.append(sh.reshape(inverse, shape) if axis is None else inverse)
    if return_counts:
        ones = creation.ones_like(group)
        found.append(sc.segment_sum(ones, group, size))
    return tuple(found) if len(found) > 1 else values
