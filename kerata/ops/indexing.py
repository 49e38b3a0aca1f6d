"""Operations that pick elements by place, and that find places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.backends.dtypes import standardize_dtype
from kerata.backends.slices import size_unknown
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "getitem", "get_item", "take", "take_along_axis", "nonzero", "select", "slice",
    "unravel_index",
)  # fmt: skip


def values_of(x: Tensor, name: str, remedy: str) -> np.ndarray:
    """Integers on the host, int64, for an operation `name` whose result's size follows from them.

    Raises:
        SizeUnknown: a program is being built or compiled; the text ends with the `remedy`.
    """
    try:
        return sh.convert_to_numpy(x).astype(np.int64)
    except TypeError as error:
        raise size_unknown(name, remedy) from error


@primitive()
def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]` as in NumPy: ints, slices (of any step), None, Ellipsis, index tensors and masks.

    Ints and the ends of slices may be scalar tensors. Of the indices in tensors those that are out
    of range are clipped to the nearest that exists, negative ones count from the end. A boolean
    mask gives a result whose size follows from its values, which only runs eagerly.

    Raises:
        IndexError: an int is out of range, or there are more indices than axes.
    """


@composite()
def get_item(x: Tensor, key: Any) -> Tensor:
    """`x[key]`; see `getitem`."""
    return getitem(x, key)


@primitive()
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """The slices of `x` at `indices` along `axis`; of the flattened `x` where None.

    Negative indices count from the end. Others out of range are clipped to the nearest that exists.
    """


@primitive()
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """The elements of `x` at `indices` (of the same rank) along `axis`; others as in `take`."""


@primitive()
def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """The places of the elements that are not 0: for each axis a vector of indices, int32.

    How many there are follows from the values, so it runs eagerly (and in TensorFlow's programs).

    Raises:
        ValueError: `x` has no axis, or its values are not known.
    """


@composite(promote="common", operands=("choicelist", "default"))
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Tensor = 0) -> Tensor:
    """For each element the choice whose condition is the first to hold, else `default`.

    >>> x = ops.convert_to_tensor([1, 2, 3, 4])
    >>> select([x < 2, x > 2], [x, x * 10], 0).tolist()
    [1, 0, 30, 40]

    Raises:
        ValueError: the lists are empty or differ in length.
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            "select: condlist and choicelist must have one length, at least 1; "
            f"got {len(condlist)} and {len(choicelist)}"
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = ew.where(condition, choice, result)
    return result


@primitive()
def slice(inputs: Tensor, start_indices: Any, shape: Any) -> Tensor:
    """The part of `inputs` of a given `shape` that starts at `start_indices`.

    Args:
        inputs: any tensor.
        start_indices: a place along each axis: a vector, or a sequence of ints and scalar tensors.
            Negative ones count from the end; where the slice would reach beyond the end, it starts
            earlier.
        shape: the size along each axis, ints; -1 for all that follow a start that is an int.

    Raises:
        ValueError: there is not one start and one size for each axis, or the slice is too large.
    """


@composite()
def unravel_index(indices: Tensor, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """For each axis of a tensor of `shape` the index of the elements at these flat places, int32.

    Negative places count from the end, others out of range are clipped to the nearest that exists.

    >>> [i.tolist() for i in unravel_index([3, 5], (2, 3))]
    [[1, 1], [0, 2]]
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    total = int(np.prod(sizes, dtype=np.int64))
    wide = "int64" if standardize_dtype(indices.dtype) in ("int64", "uint64") else "int32"
    rest = ew.cast(indices, wide)
    rest = ew.clip(ew.where(ew.less(rest, 0), ew.add(rest, total), rest), 0, max(total - 1, 0))
    found = []
    for size in reversed(sizes):
        found.append(ew.cast(ew.mod(rest, size), "int32"))
        rest = ew.floor_divide(rest, size)
    return tuple(reversed(found))
