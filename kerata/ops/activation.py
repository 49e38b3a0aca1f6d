"""Activation functions."""

from __future__ import annotations

import math
from typing import Any

from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops.dispatch import Tensor, composite

__all__ = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "silu", "softplus",
    "softsign", "gelu", "softmax", "log_softmax",
)  # fmt: skip


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
