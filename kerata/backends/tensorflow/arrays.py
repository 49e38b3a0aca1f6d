"""TensorFlow's kernels for running products, paddings, repetitions, rolls and triangles."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import tensorflow as tf

from kerata.backends import dtypes
from kerata.backends.geometry import FILLED, axes_tuple, padding, places_of, summed
from kerata.backends.state import body_of
from kerata.backends.tensorflow.kernels import (
    HALF,
    NAMES,
    as_dtype,
    broadcast_to,
    ints,
    raw,
    reshape,
    shape_of,
)  # fmt: skip


@tf.custom_gradient
def _cumprod(x: Any) -> Any:
    """The running product along the first axis; TensorFlow's gradient divides by `x`."""
    products = raw.Cumprod(x=x, axis=0)

    def backward(upstream: Any) -> Any:
        """The product before `i` times `s[i]`, where `s[i] = g[i] + x[i+1]·s[i+1]`."""
        before = raw.Cumprod(x=x, axis=0, exclusive=True)
        later = tf.concat([x[1:], tf.zeros_like(x[:1])], 0)

        def step(total: Any, row: Any) -> Any:
            return row[0] + row[1] * total

        start = tf.zeros_like(tf.reduce_sum(x, 0))
        return before * tf.scan(step, (upstream, later), start, reverse=True)

    return products, backward


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    kind = summed(NAMES[x.dtype]) if dtype is None else dtypes.standardize_dtype(dtype)
    flat, along = (
        (tf.reshape(x, (-1,)), 0) if axis is None else (x, *axes_tuple(axis, x.shape.rank))
    )
    wide = as_dtype(flat, tf.float32 if tf.as_dtype(kind) in HALF else kind)
    if not wide.dtype.is_floating:
        return raw.Cumprod(x=wide, axis=along)
    order = [along, *(a for a in range(wide.shape.rank) if a != along)]
    products = _cumprod(raw.Transpose(x=wide, perm=ints(order)))
    return as_dtype(raw.Transpose(x=products, perm=ints(np.argsort(order).tolist())), kind)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    pairs = padding(x.shape, pad_width, mode, constant_values)
    if mode not in FILLED:
        return body_of("pad")(x, pad_width, mode, constant_values)
    fill = tf.cast(0 if constant_values is None else constant_values, x.dtype)
    widths = np.array(pairs, np.int32).reshape(-1, 2)
    return raw.PadV2(input=x, paddings=widths, constant_values=fill)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    if isinstance(repeats, tf.Tensor):
        return tf.repeat(x, repeats, axis)
    sizes = list(shape_of(x))
    (place,) = axes_tuple(axis, len(sizes))
    if not isinstance(repeats, Integral):
        known = x.shape[place]
        places = places_of(repeats, len(repeats) if known is None else known)
        return raw.GatherV2(params=x, indices=ints(places), axis=place)
    wide = broadcast_to(
        tf.expand_dims(x, place + 1), [*sizes[: place + 1], repeats, *sizes[place + 1 :]]
    )
    sizes[place] *= repeats
    return reshape(wide, sizes)


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        total = sum(shift) if isinstance(shift, (list, tuple)) else shift
        return reshape(tf.roll(tf.reshape(x, (-1,)), total, 0), shape_of(x))
    if isinstance(shift, int) and isinstance(axis, int):
        return tf.roll(x, shift, axis)
    return body_of("roll")(x, shift, axis)


KERNELS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (cumprod, pad, repeat, roll)
}  # fmt: skip
