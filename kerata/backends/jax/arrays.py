"""JAX's kernels for running products, paddings, repetitions, rolls, triangles and diagonals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from kerata.backends import dtypes
from kerata.backends.geometry import FILLED, MIRRORED, padding, places_of, summed
from kerata.backends.jax.kernels import native
from kerata.backends.state import body_of


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    name = dtypes.standardize_dtype(dtype or summed(dtypes.standardize_dtype(x.dtype)))
    wide = "float32" if dtypes.is_float(name) and dtypes.size(name) < 4 else name
    return jnp.cumprod(x, axis, dtype=native(wide)).astype(native(name))


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    pairs = padding(x.shape, pad_width, mode, constant_values)
    if not pairs:
        return x
    if mode in FILLED:
        return jnp.pad(x, pairs, constant_values=0 if constant_values is None else constant_values)
    if mode in MIRRORED:
        return jnp.pad(x, pairs, mode)
    return body_of("pad")(x, pad_width, mode, constant_values)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    if not isinstance(repeats, (list, tuple, np.ndarray)):
        return jnp.repeat(x, repeats, axis)
    places = places_of(repeats, x.size if axis is None else x.shape[axis])
    return jnp.take(x, np.asarray(places, np.int32), axis)


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    return jnp.roll(x, shift, tuple(axis) if isinstance(axis, list) else axis)


KERNELS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (cumprod, pad, repeat, roll)},
    "diagonal": jnp.diagonal,
    "tril": jnp.tril,
    "triu": jnp.triu,
}
