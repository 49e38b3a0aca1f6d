"""The operations of `models.py` in JAX."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

Array = jax.Array


class Net:
    """Weights, moving statistics and a random key, for the time of one trace.

    Args:
        weights: by name.
        state: moving statistics by name; replaced by the operations that change them.
        key: where dropout's keys come from; None for inference.
        words: those of the variant.
    """

    def __init__(
        self,
        weights: dict[str, Array],
        state: dict[str, Array],
        key: Array | None,
        words: list[str],
    ) -> None:
        self.weights = weights
        self.state = dict(state)
        self.key = key
        self.words = words
        self.drawn = 0

    def image(self, x: Array) -> Array:
        return x

    def dense(self, x: Array, name: str, inputs: int, outputs: int, bias: bool = True) -> Array:
        y = flat_product(x, self.weights[f"{name}.kernel"])
        return y + self.weights[f"{name}.bias"] if bias else y

    def conv(
        self, x: Array, name: str, size: int, inputs: int, outputs: int,
        stride: int = 1, padding: int = 0, bias: bool = True,
    ) -> Array:  # fmt: skip
        kernel = self.weights[f"{name}.kernel"]
        if "patches" in self.words or ("dots" in self.words and size == 1):
            y = convolve_patches(x, kernel, stride, padding)
        else:
            y = lax.conv_general_dilated(
                x, kernel, (stride, stride), [(padding, padding)] * 2,
                dimension_numbers=("NHWC", "HWIO", "NHWC"),
            )  # fmt: skip
        return y + self.weights[f"{name}.bias"] if bias else y

    relu = staticmethod(jax.nn.relu)
    tanh = staticmethod(jnp.tanh)
    add = staticmethod(jnp.add)

    def gelu(self, x: Array) -> Array:
        return jax.nn.gelu(x, approximate=False)

    def dropout(self, x: Array, rate: float) -> Array:
        if self.key is None or not rate:
            return x
        self.drawn += 1
        key = jax.random.fold_in(self.key, self.drawn)
        if "bits" in self.words:  # 16 random bits are enough to decide
            kept = jax.random.bits(key, x.shape, jnp.uint16) >= round(rate * 2**16)
        else:
            kept = jax.random.bernoulli(key, 1 - rate, x.shape)
        return jnp.where(kept, x / (1 - rate), 0)

    def max_pool(self, x: Array, size: int, stride: int, padding: int = 0) -> Array:
        """The maximum of shifted views, since XLA's gradient of a window is slow."""
        batch, height, width, channels = x.shape
        if size == stride and not padding:
            h, w = height // size, width // size
            x = x[:, : h * size, : w * size]
            return x.reshape(batch, h, size, w, size, channels).max(axis=(2, 4))
        return fold(jnp.maximum, shifted(x, size, stride, padding))

    def image_mean(self, x: Array) -> Array:
        return x.mean((1, 2))

    def flatten(self, x: Array) -> Array:
        return x.reshape(len(x), -1)

    def first(self, x: Array) -> Array:
        return x[:, 0]

    def embedding(self, x: Array, name: str, rows: int, width: int) -> Array:
        return self.weights[name][x]

    def positions(self, x: Array, name: str, rows: int, width: int) -> Array:
        return x + self.weights[name]

    def layer_norm(self, x: Array, name: str, width: int) -> Array:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return self.scaled(x, name, mean, variance, 1e-6)

    def batch_norm(self, x: Array, name: str, width: int) -> Array:
        if self.key is None:
            mean, variance = self.state[f"{name}.mean"], self.state[f"{name}.variance"]
        else:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
            for part, value in (("mean", mean), ("variance", variance)):
                old = self.state[f"{name}.{part}"]
                self.state[f"{name}.{part}"] = 0.99 * old + 0.01 * lax.stop_gradient(value)
        return self.scaled(x, name, mean, variance, 1e-5)

    def scaled(self, x: Array, name: str, mean: Array, variance: Array, epsilon: float) -> Array:
        """Normalise with given moments, then scale and shift."""
        w = self.weights
        factor = lax.rsqrt(variance + epsilon) * w[f"{name}.scale"]
        return (x - mean) * factor + w[f"{name}.shift"]

    def attention(
        self, x: Array, name: str, width: int, heads: int, rate: float, causal: bool
    ) -> Array:
        batch, length, _ = x.shape
        parts = self.dense(x, f"{name}.qkv", width, 3 * width)
        parts = parts.reshape(batch, length, 3, heads, width // heads)
        q, k, v = (parts[:, :, i] for i in range(3))
        scores = jnp.einsum("bqhd,bkhd->bhqk", q * (width // heads) ** -0.5, k)
        if causal:
            scores = jnp.where(jnp.tri(length, dtype=bool), scores, -1e30)
        shares = self.dropout(jax.nn.softmax(scores), rate)
        y = jnp.einsum("bhqk,bkhd->bqhd", shares, v).reshape(batch, length, width)
        return self.dense(y, f"{name}.out", width, width)

    def lstm(self, x: Array, name: str, inputs: int, units: int, masked: bool) -> Array:
        """The last state; of padded sequences, that of the last step before the zeros."""
        w = self.weights

        def step(carry: tuple[Array, Array], x: Array) -> tuple[tuple[Array, Array], Array]:
            h, c = carry  # one product of all steps' inputs ahead would be slower: XLA's slices
            gates = x @ w[f"{name}.kernel"] + w[f"{name}.bias"] + h @ w[f"{name}.recurrent"]
            i, f, g, o = jnp.split(gates, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((len(x), units))
        (last, _), outputs = lax.scan(step, (zeros, zeros), jnp.swapaxes(x, 0, 1))
        if not masked:
            return last
        lengths = (x != 0).any(-1).sum(1)
        return outputs[lengths - 1, jnp.arange(len(x))]


def shifted(x: Array, size: int, stride: int, padding: int) -> list[Array]:
    """Of each window its first entries, its second entries, and so on."""
    x = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    height, width = ((n - size) // stride + 1 for n in x.shape[1:3])
    spans = [
        (slice(i, i + (height - 1) * stride + 1, stride), slice(j, j + (width - 1) * stride + 1,
        stride))
        for i in range(size) for j in range(size)
    ]  # fmt: skip
    return [x[:, rows, columns] for rows, columns in spans]


def convolve_patches(x: Array, kernel: Array, stride: int, padding: int) -> Array:
    """A convolution as one matrix product of shifted views: XLA's gradient on a CPU is slow."""
    views = shifted(x, kernel.shape[0], stride, padding)
    return flat_product(jnp.concatenate(views, axis=-1), kernel.reshape(-1, kernel.shape[-1]))


def flat_product(x: Array, kernel: Array) -> Array:
    """A product of matrices: that of more axes has a gradient that XLA makes slowly on a CPU."""
    return (x.reshape(-1, x.shape[-1]) @ kernel).reshape(*x.shape[:-1], kernel.shape[-1])


def fold(function: Callable[[Array, Array], Array], parts: list[Array]) -> Array:
    """`function` over all parts."""
    result = parts[0]
    for part in parts[1:]:
        result = function(result, part)
    return result
