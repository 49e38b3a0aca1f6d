"""Activation functions with Keras' arguments and defaults."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor


def linear(x: Tensor) -> Tensor:
    """`x` as it is."""
    return x


def relu(
    x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """`x` above `threshold`, `negative_slope * (x - threshold)` below, at most `max_value`.

    >>> relu([-2.0, 3.0], negative_slope=0.5).tolist()
    [-1.0, 3.0]
    """
    if threshold == 0.0 and max_value is None:
        return ops.leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
    if threshold == 0.0 and max_value == 6.0 and not negative_slope:
        return ops.relu6(x)
    x = ops.convert_to_tensor(x)
    above = ops.where(ops.greater(x, threshold), x, 0)
    if max_value is not None:
        above = ops.clip(above, 0.0, max_value)
    if not negative_slope:
        return above
    below = ops.multiply(ops.subtract(x, threshold), negative_slope)
    return ops.where(ops.greater(x, threshold), above, below)


def relu6(x: Tensor) -> Tensor:
    """`min(max(x, 0), 6)`."""
    return ops.relu6(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """`x` where positive, `negative_slope * x` elsewhere."""
    return ops.leaky_relu(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016)."""
    return ops.elu(x, alpha)


def selu(x: Tensor) -> Tensor:
    """The scaled ELU whose fixed point is zero mean and unit variance (Klambauer et al., 2017)."""
    return ops.selu(x)


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """`x * Φ(x)`, by a formula with tanh where `approximate` (Hendrycks & Gimpel, 2016)."""
    return ops.gelu(x, approximate)


def silu(x: Tensor) -> Tensor:
    """`x * sigmoid(x)`, also called swish."""
    return ops.silu(x)


def sigmoid(x: Tensor) -> Tensor:
    """`1 / (1 + exp(-x))`."""
    return ops.sigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """`relu6(x + 3) / 6`."""
    return ops.hard_sigmoid(x)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(x)


def softplus(x: Tensor) -> Tensor:
    """`log(1 + exp(x))`."""
    return ops.softplus(x)


def softsign(x: Tensor) -> Tensor:
    """`x / (1 + |x|)`."""
    return ops.softsign(x)


def exponential(x: Tensor) -> Tensor:
    """E to the `x`."""
    return ops.exp(x)


def softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """`exp(x)` divided by its sum along `axis` (an int or several)."""
    return ops.softmax(x, axis)


def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """The logarithm of `softmax`."""
    return ops.log_softmax(x, axis)
