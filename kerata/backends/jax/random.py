"""JAX's draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kerata.backends.jax.kernels import native


def _key(seed: Any) -> Any:
    words = lax.convert_element_type(seed, jnp.uint32)
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def random_uniform(shape: Any, seed: Any, dtype: str = "float32") -> Any:
    return jax.random.uniform(_key(seed), tuple(shape), native(dtype))


def random_normal(shape: Any, seed: Any, dtype: str = "float32") -> Any:
    return jax.random.normal(_key(seed), tuple(shape), native(dtype))


def random_randint(shape: Any, minval: Any, maxval: Any, seed: Any, dtype: str = "int32") -> Any:
    kind, shape, key = native(dtype), tuple(shape), _key(seed)
    if not isinstance(minval, int) or not isinstance(maxval, int):
        return jax.random.randint(key, shape, minval, maxval, kind)
    least, most = int(jnp.iinfo(kind).min), int(jnp.iinfo(kind).max)
    if minval < least or maxval > most + 1:
        raise ValueError(
            f"randint: JAX keeps {dtype} as {kind}, which does not hold minval={minval} and "
            f"maxval={maxval} (unless jax_enable_x64 is set)"
        )
    if (minval, maxval) == (least, most + 1):
        bits = jax.random.bits(key, shape, np.dtype(f"u{kind.itemsize}"))
        return lax.bitcast_convert_type(bits, kind)
    if maxval == most + 1:  # which the dtype does not hold
        return jax.random.randint(key, shape, minval - 1, most, kind) + jnp.asarray(1, kind)
    return jax.random.randint(key, shape, minval, maxval, kind)


def _mixed(x: Any) -> Any:
    """A bijection of 32-bit numbers whose every output bit depends on every input bit.

    The constants are those of the "lowbias32" hash (C. Wellons, 2018).
    """
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def random_bernoulli(shape: Any, probability: float, seed: Any) -> Any:
    """A hash of place and seed: enough for a mask, a tenth of threefry's cost, and XLA fuses it."""
    shape = tuple(shape)
    words = lax.convert_element_type(seed, jnp.uint32)
    places = lax.iota(jnp.uint32, int(np.prod(shape)))
    bits = _mixed(_mixed(places ^ _mixed(words[0] + jnp.uint32(0x9E3779B9))) + _mixed(words[1]))
    limit = min(round(probability * 2**32), 2**32 - 1)
    return (bits < jnp.uint32(limit)).reshape(shape)


def random_gamma(alpha: Any, seed: Any) -> Any:
    return jax.random.gamma(_key(seed), alpha, alpha.shape, alpha.dtype)


def random_binomial(counts: Any, probabilities: Any, seed: Any) -> Any:
    return jax.random.binomial(_key(seed), counts, probabilities, counts.shape, counts.dtype)


_OWN = (
    random_uniform, random_normal, random_randint, random_bernoulli, random_gamma, random_binomial,
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
