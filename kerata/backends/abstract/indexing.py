"""What shape and dtype sorting, picking and placing elements give."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kerata.backends.abstract.kernels import broadcast, counted, describe
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.geometry import axes_tuple
from kerata.backends.keys import axes_of, check_ints, is_array, is_mask, parts_of, refuse_unknown
from kerata.backends.slices import KEEPING, size_unknown, slice_plan


def _argsort(x: T, axis: int | None = -1) -> T:
    if axis is None:
        return T((math.prod(x.shape),), "int32")
    axes_tuple(axis, len(x.shape))
    return T(x.shape, "int32")


def _top_k(x: T, k: int, sorted: bool = True) -> tuple[T, T]:
    if not x.shape or not 0 <= k <= x.shape[-1]:
        raise ValueError(
            f"top_k: k must be from 0 to the size of the last axis; got k={k} for {describe(x)}"
        )
    shape = (*x.shape[:-1], k)
    return T(shape, x.dtype), T(shape, "int32")


def _searchsorted(sorted_sequence: T, values: T, side: str = "left") -> T:
    if len(sorted_sequence.shape) != 1:
        raise ValueError(
            f"searchsorted: sorted_sequence must have one axis; got {describe(sorted_sequence)}"
        )
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right'; got {side!r}")
    return T(values.shape, "int32")


def _index_shape(x: T, part: Any, axis: int) -> tuple[Any, ...]:
    """The shape of the indices that an int, an index array or a known mask stands for."""
    if isinstance(part, int):
        return ()
    if not is_mask(part):
        return tuple(part.shape)
    if tuple(part.shape) != tuple(x.shape[axis : axis + part.ndim]):
        raise IndexError(f"getitem: a mask of shape {part.shape} at axis {axis} of {describe(x)}")
    return (int(part.sum()),)


def _getitem(x: T, key: Any) -> T:
    parts = parts_of(key)
    if Ellipsis not in [p for p in parts if not is_array(p)]:
        parts.append(Ellipsis)
    axes = [*axes_of(parts, len(x.shape)), len(x.shape)]
    check_ints(parts, axes[:-1], x.shape)
    refuse_unknown(parts, T)
    arrays = any(map(is_array, parts))
    result: list[Any] = []
    shapes, places = [], []
    for i, (part, axis) in enumerate(zip(parts, axes, strict=False)):
        if part is None:
            result.append(1)
        elif part is Ellipsis:
            result += x.shape[axis : axes[i + 1]]
        elif isinstance(part, slice):
            result.append(len(range(*part.indices(x.shape[axis]))))
        elif arrays:  # beside an array of indices an int counts as one
            shapes.append(_index_shape(x, part, axis))
            places.append((i, len(result)))
    if shapes:
        together = places[-1][0] - places[0][0] == len(places) - 1
        at = places[0][1] if together else 0
        result[at:at] = broadcast("getitem", *shapes)
    return T(tuple(result), x.dtype)


def _nonzero(x: T, name: str = "nonzero") -> Any:
    if not x.shape:
        raise ValueError(f"{name}: to find places there must be an axis; got {describe(x)}")
    raise size_unknown(name, KEEPING)


def _where(condition: T, x1: T | None = None, x2: T | None = None) -> Any:
    if x1 is None and x2 is None:
        return _nonzero(condition, "where")
    if x1 is None or x2 is None:
        raise ValueError(f"where: x1 and x2 come together; got x1={x1} and x2={x2}")
    return T(broadcast("where", condition.shape, x1.shape, x2.shape), x1.dtype)


def _slice(inputs: T, start_indices: Any, shape: Any) -> T:
    _, lengths = slice_plan(inputs.shape, start_indices, shape)
    return T(tuple(lengths), inputs.dtype)


def _slice_update(inputs: T, start_indices: Any, updates: T) -> T:
    slice_plan(inputs.shape, start_indices, updates.shape)
    return inputs


REDUCTIONS = (None, "add", "max", "min", "mul")


def _scatter_update(inputs: T, indices: T, updates: T, reduction: str | None = None) -> T:
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"scatter_update: reduction must be one of {REDUCTIONS}; got {reduction!r}"
        )
    if not indices.shape or not 1 <= indices.shape[-1] <= len(inputs.shape):
        raise ValueError(
            "scatter_update: the last axis of indices has one index for each axis of inputs that "
            f"they go into; got inputs {describe(inputs)}, indices {describe(indices)}"
        )
    wanted = (*indices.shape[:-1], *inputs.shape[indices.shape[-1] :])
    if tuple(updates.shape) != wanted:
        raise ValueError(
            f"scatter_update: updates must have the shape {wanted} for inputs {describe(inputs)} "
            f"and indices {describe(indices)}; got {describe(updates)}"
        )
    return inputs


def _work_sort(out: Any, x: T, *_: Any, **__: Any) -> int:
    """`n log2 n` comparisons."""
    count = math.prod(x.shape)
    return count * max(count, 1).bit_length()


_PLAIN: dict[str, Callable[..., Any]] = {
    "argsort": _argsort, "top_k": _top_k, "searchsorted": _searchsorted, "getitem": _getitem,
    "nonzero": _nonzero, "where": _where, "slice": _slice, "slice_update": _slice_update,
    "scatter_update": _scatter_update,
}  # fmt: skip
_WORK: dict[str, Callable[..., int]] = {
    "argsort": _work_sort, "top_k": _work_sort,
    "scatter_update": lambda out, inputs, indices, updates, *_, **__: math.prod(updates.shape),
}  # fmt: skip
KERNELS = {n: counted(n, k, _WORK.get(n)) for n, k in _PLAIN.items()}
