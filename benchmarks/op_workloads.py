"""What `ops.py` times: operations that carry real models, at working sizes, and each engine's own.

A workload is a row of `WORKLOADS`: its arrays, and the call in the words of `kerata.ops` and
`keras.ops`. `jax_calls`, `torch_calls` and `tensorflow_calls` have the engines' own call of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Call = Callable[..., Any]
_draw = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    """Standard normal draws, float32."""
    return _draw.standard_normal(shape, dtype=np.float32)


def ints(high: int, *shape: int) -> np.ndarray:
    """Integers below `high`, int32."""
    return _draw.integers(0, high, shape, dtype=np.int32)


def positive_definite(count: int, size: int) -> np.ndarray:
    """Symmetric matrices with a Cholesky factor."""
    a = normal(count, size, size)
    return a @ a.transpose(0, 2, 1) + size * np.eye(size, dtype=np.float32)


class Workload(NamedTuple):
    """One operation: its tensors, and the call."""

    arrays: tuple[np.ndarray, ...]
    call: Call  # (ops, *tensors)


_IMAGES, _FEATURES = (16, 32, 32, 64), (64, 128, 256)
WORKLOADS: dict[str, Workload] = {
    "matmul": Workload((normal(1024, 512), normal(512, 512)), lambda o, a, b: o.matmul(a, b)),
    "matmul, batched": Workload(
        (normal(64, 128, 64), normal(64, 64, 128)), lambda o, a, b: o.matmul(a, b)
    ),
    "einsum": Workload(
        (normal(8, 128, 8, 64), normal(8, 128, 8, 64)),
        lambda o, a, b: o.einsum("bqhd,bkhd->bhqk", a, b),
    ),
    "conv 1-D": Workload(
        (normal(32, 256, 64), normal(3, 64, 64)), lambda o, x, k: o.conv(x, k, padding="same")
    ),
    "conv 2-D": Workload(
        (normal(*_IMAGES), normal(3, 3, 64, 64)), lambda o, x, k: o.conv(x, k, padding="same")
    ),
    "conv 3-D": Workload(
        (normal(4, 16, 16, 16, 16), normal(3, 3, 3, 16, 16)),
        lambda o, x, k: o.conv(x, k, padding="same"),
    ),
    "depthwise conv": Workload(
        (normal(*_IMAGES), normal(3, 3, 64, 1)),
        lambda o, x, k: o.depthwise_conv(x, k, padding="same"),
    ),
    "conv transpose": Workload(
        (normal(16, 16, 16, 32), normal(2, 2, 32, 32)),
        lambda o, x, k: o.conv_transpose(x, k, strides=2),
    ),
    "max pool": Workload((normal(*_IMAGES),), lambda o, x: o.max_pool(x, (2, 2), (2, 2))),
    "average pool": Workload((normal(*_IMAGES),), lambda o, x: o.average_pool(x, (2, 2), (2, 2))),
    "attention": Workload(
        tuple(normal(8, 128, 8, 64) for _ in range(3)),
        lambda o, q, k, v: o.dot_product_attention(q, k, v),
    ),
    "attention, causal": Workload(
        tuple(normal(8, 128, 8, 64) for _ in range(3)),
        lambda o, q, k, v: o.dot_product_attention(q, k, v, is_causal=True),
    ),
    "layer norm": Workload(
        (normal(*_FEATURES), normal(256), normal(256)),
        lambda o, x, g, b: o.layer_normalization(x, g, b, epsilon=1e-5),
    ),
    "batch norm": Workload(
        (normal(*_IMAGES), normal(64), np.abs(normal(64)), normal(64), normal(64)),
        lambda o, x, m, v, b, g: o.batch_normalization(x, m, v, -1, b, g, 1e-3),
    ),
    "rms norm": Workload(
        (normal(*_FEATURES), normal(256)),
        lambda o, x, g: o.rms_normalization(x, g, epsilon=1e-5),
    ),
    "softmax": Workload((normal(64, 4, 128, 128),), lambda o, x: o.softmax(x)),
    "gelu": Workload((normal(*_FEATURES),), lambda o, x: o.gelu(x, approximate=True)),
    "silu": Workload((normal(*_FEATURES),), lambda o, x: o.silu(x)),
    "relu": Workload((normal(*_FEATURES),), lambda o, x: o.relu(x)),
    "add, broadcast": Workload((normal(*_FEATURES), normal(256)), lambda o, x, b: o.add(x, b)),
    "sum": Workload((normal(*_FEATURES),), lambda o, x: o.sum(x, axis=-1)),
    "var": Workload((normal(*_FEATURES),), lambda o, x: o.var(x, axis=-1)),
    "where": Workload(
        (normal(*_FEATURES) > 0, normal(*_FEATURES), normal(*_FEATURES)),
        lambda o, c, a, b: o.where(c, a, b),
    ),
    "embedding": Workload(
        (normal(8000, 256), ints(8000, 64, 128)), lambda o, x, i: o.take(x, i, axis=0)
    ),
    "one hot": Workload((ints(1000, 4096),), lambda o, x: o.one_hot(x, 1000)),
    "segment sum": Workload(
        (normal(8192, 64), np.sort(ints(512, 8192))),
        lambda o, x, i: o.segment_sum(x, i, num_segments=512),
    ),
    "scatter": Workload(
        (ints(4096, 8192, 1), normal(8192, 64)), lambda o, i, x: o.scatter(i, x, (4096, 64))
    ),
    "cumsum": Workload((normal(*_FEATURES),), lambda o, x: o.cumsum(x, axis=1)),
    "sort": Workload((normal(256, 1024),), lambda o, x: o.sort(x)),
    "top k": Workload((normal(256, 8000),), lambda o, x: o.top_k(x, 10)),
    "argmax": Workload((normal(1024, 1000),), lambda o, x: o.argmax(x, axis=-1)),
    "concatenate": Workload(
        (normal(*_FEATURES), normal(*_FEATURES)), lambda o, a, b: o.concatenate([a, b], axis=-1)
    ),
    "resize": Workload(
        (normal(8, 64, 64, 3),), lambda o, x: o.image.resize(x, (128, 128), "bilinear")
    ),
    "cross-entropy": Workload(
        (ints(1000, 1024), normal(1024, 1000)),
        lambda o, t, x: o.sparse_categorical_crossentropy(t, x, from_logits=True),
    ),
    "rfft": Workload((normal(256, 1024),), lambda o, x: o.rfft(x)),
    "cholesky": Workload((positive_definite(32, 64),), lambda o, x: o.cholesky(x)),
}  # fmt: skip


def jax_calls() -> dict[str, Call]:
    """JAX's own call of each workload."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    def conv(x: Any, k: Any, **options: Any) -> Any:
        space = "DHW"[-(x.ndim - 2) :]
        numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
        ones = (1,) * (x.ndim - 2)
        return lax.conv_general_dilated(x, k, ones, "SAME", dimension_numbers=numbers, **options)

    def pool(x: Any, start: float, function: Any) -> Any:
        return lax.reduce_window(x, start, function, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def norm(x: Any, mean: Any, variance: Any, scale: Any, offset: Any, epsilon: float) -> Any:
        return (x - mean) * lax.rsqrt(variance + epsilon) * scale + offset

    def layer_norm(x: Any, g: Any, b: Any) -> Any:
        mean = jnp.mean(x, -1, keepdims=True)
        return norm(x, mean, jnp.var(x, -1, keepdims=True), g, b, 1e-5)

    def attention(q: Any, k: Any, v: Any, causal: bool = False) -> Any:
        return jax.nn.dot_product_attention(q, k, v, is_causal=causal)

    def cross_entropy(t: Any, x: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(x), t[:, None], 1)[:, 0]

    return {
        "matmul": jnp.matmul, "matmul, batched": jnp.matmul,
        "einsum": lambda a, b: jnp.einsum("bqhd,bkhd->bhqk", a, b),
        "conv 1-D": conv, "conv 2-D": conv, "conv 3-D": conv,
        "depthwise conv": lambda x, k: conv(
            x, k.reshape(3, 3, 1, 64), feature_group_count=64
        ),
        "conv transpose": lambda x, k: lax.conv_transpose(
            x, k, (2, 2), "VALID", dimension_numbers=("NHWC", "HWOI", "NHWC"), transpose_kernel=True
        ),
        "max pool": lambda x: pool(x, -jnp.inf, lax.max),
        "average pool": lambda x: pool(x, 0.0, lax.add) / 4,
        "attention": attention, "attention, causal": lambda q, k, v: attention(q, k, v, True),
        "layer norm": layer_norm,
        "batch norm": lambda x, m, v, b, g: norm(x, m, v, g, b, 1e-3),
        "rms norm": lambda x, g: x * lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-5) * g,
        "softmax": jax.nn.softmax, "gelu": jax.nn.gelu, "silu": jax.nn.silu, "relu": jax.nn.relu,
        "add, broadcast": jnp.add, "sum": lambda x: jnp.sum(x, -1),
        "var": lambda x: jnp.var(x, -1), "where": jnp.where,
        "embedding": lambda x, i: jnp.take(x, i, 0, mode="clip"),
        "one hot": lambda x: jax.nn.one_hot(x, 1000),
        "segment sum": lambda x, i: jax.ops.segment_sum(x, i, 512),
        "scatter": lambda i, x: jnp.zeros((4096, 64)).at[i[:, 0]].add(x),
        "cumsum": lambda x: jnp.cumsum(x, 1), "sort": jnp.sort,
        "top k": lambda x: lax.top_k(x, 10), "argmax": lambda x: jnp.argmax(x, -1),
        "concatenate": lambda a, b: jnp.concatenate([a, b], -1),
        "resize": lambda x: jax.image.resize(x, (8, 128, 128, 3), "bilinear", antialias=False),
        "cross-entropy": cross_entropy, "rfft": jnp.fft.rfft, "cholesky": jnp.linalg.cholesky,
    }  # fmt: skip


def torch_calls() -> dict[str, Call]:
    """PyTorch's own call of each workload."""
    import torch
    from torch.nn import functional as F

    def conv(function: Call, groups: int = 1) -> Call:
        def call(x: Any, k: Any) -> Any:
            weights = k.permute(-1, -2, *range(k.ndim - 2))
            if groups > 1:
                weights = weights.reshape(groups, 1, 3, 3)
            y = function(x.movedim(-1, 1), weights, padding=1, groups=groups)
            return y.movedim(1, -1)

        return call

    def pool(function: Call) -> Call:
        return lambda x: function(x.movedim(-1, 1), 2).movedim(1, -1)

    def attention(q: Any, k: Any, v: Any, causal: bool = False) -> Any:
        heads = (t.transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(*heads, is_causal=causal).transpose(1, 2)

    def resized(x: Any) -> Any:
        return F.interpolate(x.movedim(-1, 1), (128, 128), mode="bilinear").movedim(1, -1)

    return {
        "matmul": torch.matmul, "matmul, batched": torch.matmul,
        "einsum": lambda a, b: torch.einsum("bqhd,bkhd->bhqk", a, b),
        "conv 1-D": conv(F.conv1d), "conv 2-D": conv(F.conv2d), "conv 3-D": conv(F.conv3d),
        "depthwise conv": conv(F.conv2d, 64),
        "conv transpose": lambda x, k: F.conv_transpose2d(
            x.movedim(-1, 1), k.permute(3, 2, 0, 1), stride=2
        ).movedim(1, -1),
        "max pool": pool(F.max_pool2d), "average pool": pool(F.avg_pool2d),
        "attention": attention, "attention, causal": lambda q, k, v: attention(q, k, v, True),
        "layer norm": lambda x, g, b: F.layer_norm(x, (256,), g, b),
        "batch norm": lambda x, m, v, b, g: F.batch_norm(
            x.movedim(-1, 1), m, v, g, b, eps=1e-3
        ).movedim(1, -1),
        "rms norm": lambda x, g: F.rms_norm(x, (256,), g, 1e-5),
        "softmax": lambda x: torch.softmax(x, -1), "gelu": lambda x: F.gelu(x, approximate="tanh"),
        "silu": F.silu, "relu": torch.relu, "add, broadcast": torch.add,
        "sum": lambda x: torch.sum(x, -1), "var": lambda x: torch.var(x, -1, correction=0),
        "where": torch.where, "embedding": lambda x, i: F.embedding(i, x),
        "one hot": lambda x: F.one_hot(x.long(), 1000).float(),
        "segment sum": lambda x, i: torch.zeros(512, 64).index_add_(0, i, x),
        "scatter": lambda i, x: torch.zeros(4096, 64).index_add_(0, i[:, 0], x),
        "cumsum": lambda x: torch.cumsum(x, 1), "sort": lambda x: torch.sort(x)[0],
        "top k": lambda x: torch.topk(x, 10), "argmax": lambda x: torch.argmax(x, -1),
        "concatenate": lambda a, b: torch.cat([a, b], -1), "resize": resized,
        "cross-entropy": lambda t, x: F.cross_entropy(x, t.long(), reduction="none"),
        "rfft": torch.fft.rfft, "cholesky": torch.linalg.cholesky,
    }  # fmt: skip


def tensorflow_calls() -> dict[str, Call]:
    """TensorFlow's own call of each workload."""
    import tensorflow as tf

    def norm(x: Any, m: Any, v: Any, b: Any, g: Any, epsilon: float) -> Any:
        return tf.nn.batch_normalization(x, m, v, b, g, epsilon)

    def layer_norm(x: Any, g: Any, b: Any) -> Any:
        return norm(x, *tf.nn.moments(x, -1, keepdims=True), b, g, 1e-5)

    def attention(q: Any, k: Any, v: Any, causal: bool = False) -> Any:
        q, k, v = (tf.transpose(t, (0, 2, 1, 3)) for t in (q, k, v))
        scores = tf.matmul(q * 0.125, k, transpose_b=True)
        if causal:
            lower = tf.linalg.band_part(tf.ones((128, 128), tf.bool), -1, 0)
            scores = tf.where(lower, scores, -1e30)
        return tf.transpose(tf.matmul(tf.nn.softmax(scores), v), (0, 2, 1, 3))

    def rms_norm(x: Any, g: Any) -> Any:
        return x * tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + 1e-5) * g

    return {
        "matmul": tf.matmul, "matmul, batched": tf.matmul,
        "einsum": lambda a, b: tf.einsum("bqhd,bkhd->bhqk", a, b),
        "conv 1-D": lambda x, k: tf.nn.conv1d(x, k, 1, "SAME"),
        "conv 2-D": lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"),
        "conv 3-D": lambda x, k: tf.nn.conv3d(x, k, [1] * 5, "SAME"),
        "depthwise conv": lambda x, k: tf.nn.depthwise_conv2d(x, k, [1] * 4, "SAME"),
        "conv transpose": lambda x, k: tf.nn.conv2d_transpose(x, k, (16, 32, 32, 32), 2, "VALID"),
        "max pool": lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"),
        "average pool": lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID"),
        "attention": attention, "attention, causal": lambda q, k, v: attention(q, k, v, True),
        "layer norm": layer_norm,
        "batch norm": lambda x, m, v, b, g: norm(x, m, v, b, g, 1e-3), "rms norm": rms_norm,
        "softmax": tf.nn.softmax, "gelu": lambda x: tf.nn.gelu(x, approximate=True),
        "silu": tf.nn.silu, "relu": tf.nn.relu, "add, broadcast": tf.add,
        "sum": lambda x: tf.reduce_sum(x, -1), "var": lambda x: tf.math.reduce_variance(x, -1),
        "where": tf.where, "embedding": tf.gather, "one hot": lambda x: tf.one_hot(x, 1000),
        "segment sum": lambda x, i: tf.math.unsorted_segment_sum(x, i, 512),
        "scatter": lambda i, x: tf.scatter_nd(i, x, (4096, 64)),
        "cumsum": lambda x: tf.cumsum(x, 1), "sort": tf.sort,
        "top k": lambda x: tf.math.top_k(x, 10), "argmax": lambda x: tf.argmax(x, -1, tf.int32),
        "concatenate": lambda a, b: tf.concat([a, b], -1),
        "resize": lambda x: tf.image.resize(x, (128, 128)),
        "cross-entropy": lambda t, x: tf.nn.sparse_softmax_cross_entropy_with_logits(t, x),
        "rfft": tf.signal.rfft, "cholesky": tf.linalg.cholesky,
    }  # fmt: skip


ENGINE_CALLS = {"jax": jax_calls, "torch": torch_calls, "tensorflow": tensorflow_calls}
