"""Decoding by hand in JAX: one jitted step, whose cache is donated and written in place."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Cache = list[tuple[jax.Array, jax.Array]]


class Decoder:
    """The model of `generation.py`, with its weights.

    Args:
        weights: in the model's order.
        blocks: the number of blocks.
        heads: the number of heads.
    """

    def __init__(self, weights: Sequence[np.ndarray], blocks: int, heads: int) -> None:
        self.weights = [jnp.asarray(w) for w in weights]
        self.blocks, self.heads = blocks, heads
        self.width = weights[0].shape[1]
        self._whole = jax.jit(partial(self._run, cache=None, index=0))
        self._step = jax.jit(self._run, donate_argnums=2)

    def cache(self, length: int) -> Cache:
        """Room for the keys and values of `length` positions, for each block."""
        shape = (1, length, self.heads, self.width // self.heads)
        return [(jnp.zeros(shape), jnp.zeros(shape)) for _ in range(self.blocks)]

    def step(self, tokens: jax.Array, cache: Cache | None = None, index: int = 0) -> Any:
        """The token after `tokens`, `(1, length)`, which begin at `index`, and the cache."""
        if cache is None:
            return self._whole(self.weights, tokens)[0]
        return self._step(self.weights, tokens, cache, index)

    def _run(self, weights: list[Any], tokens: Any, cache: Any, index: Any) -> tuple[Any, Cache]:
        rest, length = iter(weights), tokens.shape[1]
        x = next(rest)[tokens] + lax.dynamic_slice(next(rest), (index, 0), (length, self.width))
        new = []
        for i in range(self.blocks):
            h = _norm(x, next(rest), next(rest))
            q, k, v = (jnp.einsum("btw,whd->bthd", h, next(rest)) + next(rest) for _ in range(3))
            if cache is not None:
                k, v = (
                    lax.dynamic_update_slice(old, one, (0, index, 0, 0))
                    for old, one in zip(cache[i], (k, v), strict=True)
                )
            new.append((k, v))
            places = index + jnp.arange(length)
            scores = jnp.einsum("bqhd,bkhd->bhqk", q * q.shape[-1] ** -0.5, k)
            scores = jnp.where(jnp.arange(k.shape[1]) <= places[:, None], scores, -jnp.inf)
            y = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v)
            x = x + jnp.einsum("bqhd,hdw->bqw", y, next(rest)) + next(rest)
            h = _norm(x, next(rest), next(rest))
            h = jax.nn.gelu(h @ next(rest) + next(rest), approximate=False)
            x = x + h @ next(rest) + next(rest)
        x = _norm(x[:, -1], next(rest), next(rest))
        return jnp.argmax(x @ next(rest) + next(rest), -1)[:, None], new


def _norm(x: jax.Array, scale: jax.Array, shift: jax.Array) -> jax.Array:
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-3) * scale + shift
