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


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017)."""
    return ops.celu(x, alpha)


def glu(x: Tensor, axis: int = -1) -> Tensor:
    """One half of `x` along `axis`, gated by the sigmoid of the other (Dauphin et al., 2017)."""
    return ops.glu(x, axis)


def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """`x`, and 0 where `|x| <= threshold`."""
    return ops.hard_shrink(x, threshold)


def hard_silu(x: Tensor) -> Tensor:
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019)."""
    return ops.hard_silu(x)


def hard_tanh(x: Tensor) -> Tensor:
    """`x` limited to the interval from -1 to 1."""
    return ops.hard_tanh(x)


def log_sigmoid(x: Tensor) -> Tensor:
    """The logarithm of `sigmoid(x)`."""
    return ops.log_sigmoid(x)


def mish(x: Tensor) -> Tensor:
    """`x * tanh(softplus(x))` (Misra, 2019)."""
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """`x` brought towards 0 by `threshold`, and 0 where that would cross it."""
    return ops.soft_shrink(x, threshold)


def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, `x` from 1 on, and `(x + 1)² / 4` between."""
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Tensor) -> Tensor:
    """0 up to -1, 1 from 1 on, and `(x + 1) / 2` between."""
    return ops.sparse_sigmoid(x)


def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """The point of the probability simplex next to `x` along `axis` (Martins & Astudillo, 2016)."""
    return ops.sparsemax(x, axis)


def squareplus(x: Tensor, b: Any = 4) -> Tensor:
    """`(x + sqrt(x² + b)) / 2` (Barron, 2021)."""
    return ops.squareplus(x, b)


def tanh_shrink(x: Tensor) -> Tensor:
    """`x - tanh(x)`."""
    return ops.tanh_shrink(x)


def threshold(x: Tensor, threshold: Any, default_value: Any) -> Tensor:
    """`x` where it is above `threshold`, `default_value` elsewhere."""
    return ops.threshold(x, threshold, default_value)


def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """The logarithm of `softmax`."""
    return ops.log_softmax(x, axis)
