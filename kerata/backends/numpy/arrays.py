"""NumPy's kernels for running products, paddings, repetitions, rolls, triangles and diagonals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.geometry import FILLED, MIRRORED, padding, repeated, summed
from kerata.backends.state import body_of


def cumprod(x: np.ndarray, axis: int | None = None, dtype: Any = None) -> np.ndarray:
    name = dtypes.standardize_dtype(dtype or summed(dtypes.standardize_dtype(x.dtype)))
    kind = dtypes.numpy_dtype(name)
    wide = np.float32 if dtypes.is_float(name) and kind.itemsize < 4 else kind
    return np.cumprod(x, axis, dtype=wide).astype(kind, copy=False)


def pad(
    x: np.ndarray, pad_width: Any, mode: str = "constant", constant_values: Any = None
) -> np.ndarray:
    pairs = padding(x.shape, pad_width, mode, constant_values)
    if not pairs:
        return x
    if mode in FILLED:
        return np.pad(x, pairs, constant_values=constant_values or 0)
    if mode in MIRRORED:
        return np.pad(x, pairs, mode)  # type: ignore[call-overload]
    found: np.ndarray = body_of("pad")(x, pad_width, mode, constant_values)
    return found


def repeat(x: np.ndarray, repeats: Any, axis: int | None = None) -> np.ndarray:
    if isinstance(repeats, (list, tuple)):
        repeats = repeated(repeats, x.size if axis is None else x.shape[axis])
    return np.repeat(x, repeats, axis)


def roll(x: np.ndarray, shift: Any, axis: Any = None) -> np.ndarray:
    return np.roll(x, shift, tuple(axis) if isinstance(axis, list) else axis)


KERNELS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (cumprod, pad, repeat, roll)},
    "copy": np.array,
    "diagonal": np.diagonal,
}
