"""NumPy's kernels for sorting, picking and placing elements."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.keys import axes_of, check_ints, is_array, is_basic, is_mask, parts_of
from kerata.backends.slices import check_updates, slice_plan

_GUESTS = frozenset(
    dtypes.numpy_dtype(n) for n in dtypes.FLOATS if n.startswith(("bfloat16", "float8"))
)


def _plain(x: np.ndarray) -> np.ndarray:
    """Guest dtypes, of which NumPy's own functions know little, as float32."""
    return x.astype(np.float32) if x.dtype in _GUESTS else x


# Order


def argsort(x: np.ndarray, axis: int | None = -1) -> np.ndarray:
    return np.argsort(_plain(x), axis, kind="stable").astype(np.int32)


def sort(x: np.ndarray, axis: int | None = -1) -> np.ndarray:
    return np.sort(_plain(x), axis).astype(x.dtype, copy=False)


def top_k(x: np.ndarray, k: int, sorted: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Back to front, so that a stable order of rising elements puts the first of equals last."""
    if not 0 <= k <= x.shape[-1]:
        raise ValueError(f"k={k}")
    n = x.shape[-1]
    places = n - 1 - np.argsort(_plain(x)[..., ::-1], -1, kind="stable")[..., ::-1][..., :k]
    return np.take_along_axis(x, places, -1), places.astype(np.int32)


def searchsorted(sorted_sequence: np.ndarray, values: np.ndarray, side: Any = "left") -> np.ndarray:
    found = np.searchsorted(_plain(sorted_sequence), _plain(values), side)
    return np.asarray(found).astype(np.int32)


# Places


def getitem(x: np.ndarray, key: Any) -> np.ndarray:
    if not is_basic(key):
        key = tuple(parts_of(key))
    try:
        return np.asarray(x[key])
    except IndexError:
        if is_basic(key):
            raise
    return np.asarray(x[_clipped(key, x.shape)])


def _clipped(key: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A key whose arrays of indices name the nearest places that exist."""
    axes = axes_of(key, len(shape))
    check_ints(key, axes, shape)
    return tuple(
        np.clip(k, -shape[a], shape[a] - 1) if is_array(k) and not is_mask(k) else k
        for k, a in zip(key, axes, strict=True)
    )


def where(condition: np.ndarray, x1: Any = None, x2: Any = None) -> Any:
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("only one of two")
    return np.asarray(np.where(condition, x1, x2))


def nonzero(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(places.astype(np.int32) for places in np.nonzero(x))


def _cut(x: np.ndarray, start_indices: Any, shape: Any) -> tuple[Any, ...]:
    starts, lengths = slice_plan(x.shape, start_indices, shape)
    return tuple(builtins.slice(a, a + n) for a, n in zip(starts, lengths, strict=True))


def slice(inputs: np.ndarray, start_indices: Any, shape: Any) -> np.ndarray:
    return np.asarray(inputs[_cut(inputs, start_indices, shape)])


def slice_update(inputs: np.ndarray, start_indices: Any, updates: np.ndarray) -> np.ndarray:
    y = inputs.copy()
    y[_cut(inputs, start_indices, updates.shape)] = updates
    return y


_COMBINE: dict[str, Any] = {
    "add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply,
}  # fmt: skip


def scatter_update(
    inputs: np.ndarray, indices: np.ndarray, updates: np.ndarray, reduction: str | None = None
) -> np.ndarray:
    check_updates(inputs.shape, indices.shape, updates.shape)
    combine = None if reduction is None else _COMBINE[reduction]
    depth = indices.shape[-1]
    sizes = np.array(inputs.shape[:depth], np.int64)
    places = indices.reshape(math.prod(indices.shape[:-1]), depth).astype(np.int64)
    places = np.where(places < 0, places + sizes, places)
    kept = ((places >= 0) & (places < sizes)).all(-1)
    half = inputs.dtype.itemsize < 4 and inputs.dtype.kind not in "iub"
    y = inputs.astype(np.float32) if half else inputs.copy()
    rows = updates.reshape(len(places), *inputs.shape[depth:]).astype(y.dtype)[kept]
    where = tuple(places[kept].T)
    if combine is None:
        y[where] = rows
    else:
        combine.at(y, where, rows)
    return y.astype(inputs.dtype, copy=False)


KERNELS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        argsort, sort, top_k, searchsorted, getitem, where, nonzero, slice, slice_update,
        scatter_update,
    )
}  # fmt: skip
