"""TensorFlow's draws: those of its operations that take a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerata.backends import dtypes
from kerata.backends.tensorflow.kernels import as_dtype, ints, raw, reshape, size_vector, volume


def random_uniform(shape: Any, seed: Any, dtype: str = "float32") -> Any:
    return raw.StatelessRandomUniform(shape=size_vector(shape), seed=seed, dtype=dtype)


def random_normal(shape: Any, seed: Any, dtype: str = "float32") -> Any:
    return raw.StatelessRandomNormal(shape=size_vector(shape), seed=seed, dtype=dtype)


def random_randint(shape: Any, minval: Any, maxval: Any, seed: Any, dtype: str = "int32") -> Any:
    sizes = size_vector(shape)
    if not isinstance(minval, int) or not isinstance(maxval, int):
        wide = "int64" if dtypes.size(dtype) > 4 or dtype == "uint32" else "int32"
        ends = tf.cast(minval, wide), tf.cast(maxval, wide)
    elif minval >= -(2**31) and maxval < 2**31:
        ends = tf.constant(minval, tf.int32), tf.constant(maxval, tf.int32)
    else:
        return _long_randint(sizes, minval, maxval, seed, dtype)
    draws = raw.StatelessRandomUniformInt(shape=sizes, seed=seed, minval=ends[0], maxval=ends[1])
    return as_dtype(draws, dtype)


def _long_randint(sizes: Any, low: int, high: int, seed: Any, dtype: str) -> Any:
    half = 2**63
    high_half = dtype == "uint64" and high > half
    if high_half:  # drawn 2⁶³ lower, then the upper bit turned
        low, high = low - half, high - half
    top = high == half  # one more than int64 holds
    if top and low == -half:
        draws = raw.StatelessRandomUniformFullInt(shape=sizes, seed=seed, dtype=tf.int64)
    else:
        ends = [tf.constant(v - top, tf.int64) for v in (low, high)]
        draws = raw.StatelessRandomUniformInt(
            shape=sizes, seed=seed, minval=ends[0], maxval=ends[1]
        ) + tf.constant(int(top), tf.int64)
    if high_half:
        return raw.Bitcast(input=raw.BitwiseXor(x=draws, y=tf.constant(-half)), type=tf.uint64)
    return as_dtype(draws, dtype)


def random_bernoulli(shape: Any, probability: float, seed: Any) -> Any:
    """Each 32 bits drawn serve for two."""
    limit = math.floor(min(probability, 1.0) * 65536 + 0.5) - 32769
    if limit < -32768:
        return raw.Fill(dims=size_vector(shape), value=False)
    count = volume(shape)
    half = ints([(count + 1) // 2])
    bits = raw.StatelessRandomUniformFullInt(shape=half, seed=seed, dtype=tf.int32)
    draws = reshape(raw.Bitcast(input=bits, type=tf.int16), (-1,))[:count]
    return reshape(raw.LessEqual(x=draws, y=tf.constant(limit, tf.int16)), shape)


def random_gamma(alpha: Any, seed: Any) -> Any:
    return tf.random.stateless_gamma(tf.shape(alpha), seed, alpha, dtype=alpha.dtype)


def random_binomial(counts: Any, probabilities: Any, seed: Any) -> Any:
    return tf.random.stateless_binomial(
        tf.shape(counts), seed, counts, probabilities, output_dtype=counts.dtype
    )


_OWN = (
    random_uniform, random_normal, random_randint, random_bernoulli, random_gamma, random_binomial,
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
