"""Operations of neural networks: activations, convolution, pooling, normalization, attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kerata import config
from kerata.backends import dtypes
from kerata.ops import elementwise as ew
from kerata.ops import linalg
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite, primitive

# Activations


@composite()
def relu(x: Tensor) -> Tensor:
    """`max(x, 0)`."""
    return ew.maximum(x, 0)


@composite()
def relu6(x: Tensor) -> Tensor:
    """`min(max(x, 0), 6)`."""
    return ew.minimum(ew.maximum(x, 0), 6)


@composite(promote="float")
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """`x` where positive, `negative_slope * x` elsewhere."""
    return ew.where(ew.greater(x, 0.0), x, x * negative_slope)


@composite(promote="float")
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere."""
    return ew.where(ew.greater(x, 0.0), x, ew.expm1(ew.minimum(x, 0.0)) * alpha)


@composite(promote="float")
def selu(x: Tensor) -> Tensor:
    """The scaled ELU whose fixed point is zero mean and unit variance (Klambauer et al., 2017)."""
    return elu(x, 1.6732632423543772) * 1.0507009873554805


@composite(promote="float")
def sigmoid(x: Tensor) -> Tensor:
    """`1 / (1 + exp(-x))`."""
    return ew.tanh(x * 0.5) * 0.5 + 0.5


@composite(promote="float")
def hard_sigmoid(x: Tensor) -> Tensor:
    """`relu6(x + 3) / 6`."""
    return relu6(x + 3.0) * (1.0 / 6.0)


@composite(promote="float")
def silu(x: Tensor) -> Tensor:
    """`x * sigmoid(x)`, also called swish."""
    return x * sigmoid(x)


@composite(promote="float")
def softplus(x: Tensor) -> Tensor:
    """`log(1 + exp(x))`."""
    return ew.maximum(x, 0.0) + ew.log1p(ew.exp(-ew.absolute(x)))


@composite(promote="float")
def softsign(x: Tensor) -> Tensor:
    """`x / (1 + |x|)`."""
    return x / (ew.absolute(x) + 1.0)


@composite(promote="float")
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """`x * Φ(x)`, by the tanh formula where `approximate` (Hendrycks & Gimpel, 2016)."""
    if approximate:
        inner = (x + x * x * x * 0.044715) * math.sqrt(2.0 / math.pi)
        return x * (ew.tanh(inner) * 0.5 + 0.5)
    return x * (ew.erf(x * math.sqrt(0.5)) + 1.0) * 0.5


@composite(promote="float")
def softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """`exp(x)` divided by its sum along `axis` (an int or several)."""
    powers = ew.exp(x - ew.stop_gradient(red.max(x, axis, True)))
    return powers / red.sum(powers, axis, True)


@composite(promote="float")
def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """The logarithm of `softmax`, without its rounding."""
    shifted = x - ew.stop_gradient(red.max(x, axis, True))
    return shifted - ew.log(red.sum(ew.exp(shifted), axis, True))


# Convolution and pooling


@primitive(promote="common")
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A convolution over one, two or three spatial axes.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)`.
        kernel: `(*window, channels / groups, filters)`; the number of groups follows.
        strides: the step, one int or one for each spatial axis.
        padding: "valid" (none) or "same" (the output has `ceil(size / stride)`).
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the kernel's elements.

    Returns:
        `(batch, *spatial, filters)` or `(batch, filters, *spatial)`.
    """


@primitive()
def max_pool(
    inputs: Tensor,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest element of each window; arguments as in `conv`, `strides` None is `pool_size`."""


@primitive()
def average_pool(
    inputs: Tensor,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window, padding not counted; arguments as in `max_pool`."""


# Normalization


@composite()
def moments(
    x: Tensor, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """The mean and the variance over `axes`; half precision is reduced in float32.

    `synchronized` is accepted for compatibility; one process holds the whole batch.
    """
    dtype = dtypes.standardize_dtype(x.dtype)
    half = dtype in ("float16", "bfloat16")
    wide = ew.cast(x, "float32") if half else x
    mean = red.mean(wide, axes, True)
    variance = red.mean(ew.square(wide - mean), axes, keepdims)
    if not keepdims:
        mean = sh.squeeze(mean, axes)
    return (ew.cast(mean, dtype), ew.cast(variance, dtype)) if half else (mean, variance)


def _along(parameter: Tensor, rank: int, axes: Sequence[int], x: Tensor) -> Tensor:
    """`parameter`, whose axes are `axes` of a tensor of `rank`, reshaped to broadcast with it."""
    sizes = sh.shape(x)
    return sh.reshape(parameter, tuple(sizes[a] if a in axes else 1 for a in range(rank)))


@composite(promote="float")
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, vectors lying along `axis`.

    Ioffe & Szegedy, 2015.
    """
    rank = len(sh.shape(x))
    axes = (axis % rank,)
    factor = ew.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return x * _along(factor, rank, axes, x) + _along(shift, rank, axes, x)


@composite(promote="float")
def batch_normalization_training(
    x: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """`batch_normalization` by the batch's own moments; returns `(y, mean, variance)`.

    No gradient flows through the moments that it returns.
    """
    rank = len(sh.shape(x))
    others = tuple(a for a in range(rank) if a != axis % rank)
    mean, variance = moments(x, others)
    y = batch_normalization(x, mean, variance, axis, offset, scale, epsilon)
    return y, ew.stop_gradient(mean), ew.stop_gradient(variance)


@composite(promote="float")
def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` over `axis` (Ba et al., 2016)."""
    rank = len(sh.shape(x))
    axes = tuple(sorted(a % rank for a in ([axis] if isinstance(axis, int) else axis)))
    dtype = dtypes.standardize_dtype(x.dtype)
    half = dtype in ("float16", "bfloat16")
    wide = ew.cast(x, "float32") if half else x
    mean, variance = moments(wide, axes, True)
    y = (wide - mean) * ew.rsqrt(variance + (config.epsilon() if epsilon is None else epsilon))
    if gamma is not None:
        y = y * ew.cast(_along(gamma, rank, axes, x), y.dtype)
    if beta is not None:
        y = y + ew.cast(_along(beta, rank, axes, x), y.dtype)
    return ew.cast(y, dtype) if half else y


@composite(promote="float")
def normalize(x: Tensor, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Tensor:
    """`x` divided by its norm of `order` along `axis`, and by no less than `epsilon`."""
    size = red.norm(x, order, axis, True)
    return x / ew.maximum(size, config.epsilon() if epsilon is None else epsilon)


# Attention


@composite(promote="float", operands=("query", "key", "value"))
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """`softmax(query · keyᵀ * scale + bias) · value` (Vaswani et al., 2017).

    Args:
        query: `(batch, length, heads, size)`.
        key: `(batch, source, key heads, size)`; the key heads divide the heads.
        value: `(batch, source, key heads, value size)`.
        bias: added to the scores; broadcasts to `(batch, heads, length, source)`.
        mask: bool, True where attention may look; broadcasts likewise.
        scale: None for `1 / sqrt(size)`.
        is_causal: each position sees only itself and those before.
        flash_attention: True asks for a fused kernel, False for none, None leaves the choice.
        attn_logits_soft_cap: scores are limited to ± this by a tanh.

    Returns:
        `(batch, length, heads, value size)`. A position that may look nowhere gets zeros.
    """
    _, length, heads, size = sh.shape(query)
    source, groups = sh.shape(key)[1:3]
    if heads != groups:
        key = sh.repeat(key, heads // groups, axis=2)
        value = sh.repeat(value, heads // groups, axis=2)
    factor = 1.0 / math.sqrt(size) if scale is None else scale
    scores = linalg.einsum("bqhd,bkhd->bhqk", query * factor, key)
    if attn_logits_soft_cap is not None:
        scores = ew.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + ew.cast(bias, scores.dtype)
    if is_causal:
        rows, columns = sh.arange(length), sh.arange(source)
        causal = ew.greater_equal(sh.expand_dims(rows, 1), sh.expand_dims(columns, 0))
        mask = causal if mask is None else ew.logical_and(mask, causal)
    return linalg.einsum("bhqk,bkhd->bqhd", masked_softmax(scores, mask), value)


@composite(promote="float", operands=("scores",))
def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """`softmax` along the last axis where `mask` holds; zeros where it never does."""
    if mask is None:
        return softmax(scores, -1)
    dtype = dtypes.standardize_dtype(scores.dtype)
    mask = ew.cast(mask, "bool")
    low = dtypes.bounds(dtype)[0] * 0.5
    weights = softmax(ew.where(mask, scores, low), -1)
    return ew.where(mask, weights, 0.0)


# Losses


@composite()
def one_hot(
    x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """1 at the place that each integer names along a new `axis`, else 0; all 0 out of range."""
    rank = len(sh.shape(x)) + 1
    places = [1] * rank
    places[axis] = num_classes
    classes = sh.reshape(sh.arange(num_classes), tuple(places))
    hit = ew.equal(sh.expand_dims(x, axis), classes)
    return ew.cast(hit, dtypes.standardize_dtype(dtype or config.floatx()))


def _log_probabilities(output: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return log_softmax(output, axis)
    output = output / red.sum(output, axis, True)
    return ew.log(ew.clip(output, config.epsilon(), 1.0 - config.epsilon()))


@composite(promote="float")
def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-sum(target * log(output))` along `axis`.

    Probabilities are divided by their sum and kept `config.epsilon()` away from 0 and 1.
    """
    return -red.sum(target * _log_probabilities(output, from_logits, axis), axis)


@composite(promote="float", operands=("output",))
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-log(output[target])` along `axis`, `target` holding the index of the true class."""
    rank = len(sh.shape(output))
    if len(sh.shape(target)) == rank:
        target = sh.squeeze(target, axis)
    logs = _log_probabilities(output, from_logits, axis)
    index = sh.expand_dims(ew.cast(target, "int32"), axis)
    return -sh.squeeze(sh.take_along_axis(logs, index, axis), axis)


@composite(promote="float")
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """`-(target * log(output) + (1 - target) * log(1 - output))`, element by element.

    Probabilities are kept `config.epsilon()` away from 0 and 1.
    """
    if from_logits:
        return ew.maximum(output, 0.0) - output * target + ew.log1p(ew.exp(-ew.absolute(output)))
    output = ew.clip(output, config.epsilon(), 1.0 - config.epsilon())
    return -(target * ew.log(output) + (1.0 - target) * ew.log(1.0 - output))
