"""Activation functions."""

from __future__ import annotations

import math
from typing import Any

from kerata.backends import dtypes
from kerata.ops import creation, sorting
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite

__all__ = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "silu", "softplus",
    "softsign", "gelu", "softmax", "log_softmax", "celu", "glu", "hard_shrink", "hard_silu",
    "hard_swish", "hard_tanh", "log_sigmoid", "soft_shrink", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold",
)  # fmt: skip


@composite()
def relu(x: Tensor) -> Tensor:
    """`max(x, 0)`; its gradient at 0 is 0."""
    return ew.where(ew.less_equal(x, 0), 0, x)


@composite()
def relu6(x: Tensor) -> Tensor:
    """`min(max(x, 0), 6)`; its gradient at 0 and at 6 is 0."""
    return ew.where(ew.greater_equal(x, 6), 6, relu(x))


@composite(promote="float")
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """`x` where positive, `negative_slope * x` elsewhere."""
    return ew.where(ew.greater(x, 0.0), x, x * negative_slope)


@composite(promote="float")
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere."""
    positive = ew.greater(x, 0.0)
    return ew.where(positive, x, ew.expm1(ew.where(positive, 0.0, x)) * alpha)


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


@composite(promote="float")
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017)."""
    return ew.maximum(x, 0.0) + ew.expm1(ew.minimum(x, 0.0) / alpha) * alpha


@composite(promote="float")
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """One half of `x` along `axis`, gated by the sigmoid of the other (Dauphin et al., 2017).

    >>> glu([1.0, 2.0, 0.0, 0.0]).tolist()
    [0.5, 1.0]

    Raises:
        ValueError: the size of `axis` is odd.
    """
    first, second = sh.split(x, 2, axis)
    return first * sigmoid(second)


@composite(promote="float")
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """`x`, and 0 where `|x| <= threshold`."""
    return ew.where(ew.greater(ew.absolute(x), threshold), x, 0.0)


@composite(promote="float")
def hard_silu(x: Tensor) -> Tensor:
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019)."""
    return x * hard_sigmoid(x)


@composite(promote="float")
def hard_tanh(x: Tensor) -> Tensor:
    """`x` limited to the interval from -1 to 1."""
    return ew.clip(x, -1.0, 1.0)


@composite(promote="float")
def log_sigmoid(x: Tensor) -> Tensor:
    """The logarithm of `sigmoid(x)`, without its rounding."""
    return -softplus(-x)


@composite(promote="float")
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """`x` brought towards 0 by `threshold`, and 0 where that would cross it."""
    return ew.maximum(x - threshold, 0.0) + ew.minimum(x + threshold, 0.0)


@composite(promote="float")
def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, `x` from 1 on, and `(x + 1)² / 4` between."""
    return ew.where(ew.greater(x, 1.0), x, ew.square(ew.clip(x, -1.0, 1.0) + 1.0) * 0.25)


@composite(promote="float")
def sparse_sigmoid(x: Tensor) -> Tensor:
    """0 up to -1, 1 from 1 on, and `(x + 1) / 2` between."""
    return ew.clip(x, -1.0, 1.0) * 0.5 + 0.5


@composite(promote="float")
def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """The point of the probability simplex next to `x` along `axis` (Martins & Astudillo, 2016)."""
    size = sh.shape(x)[axis]
    falling = sh.flip(sorting.sort(x, axis), axis)
    rank = len(sh.shape(x))
    counts = ew.cast(creation.arange(size) + 1, dtypes.standardize_dtype(x.dtype))
    counts = sh.reshape(counts, tuple(size if a == axis % rank else 1 for a in range(rank)))
    excess = red.cumsum(falling, axis) - 1.0
    support = ew.cast(ew.greater(falling * counts, excess), falling.dtype)
    kept = red.sum(support, axis, True)
    level = (red.sum(falling * support, axis, True) - 1.0) / kept
    return ew.maximum(x - level, 0.0)


@composite(promote="float")
def squareplus(x: Tensor, b: Any = 4) -> Tensor:
    """`(x + sqrt(x² + b)) / 2` (Barron, 2021)."""
    return (x + ew.sqrt(x * x + b)) * 0.5


@composite(promote="float")
def tanh_shrink(x: Tensor) -> Tensor:
    """`x - tanh(x)`."""
    return x - ew.tanh(x)


@composite()
def threshold(x: Tensor, threshold: Any, default_value: Any) -> Tensor:
    """`x` where it is above `threshold`, `default_value` elsewhere."""
    return ew.where(ew.greater(x, threshold), x, default_value)


swish, hard_swish = silu, hard_silu
