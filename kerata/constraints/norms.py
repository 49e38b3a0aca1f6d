"""Constraints on the sign and the norm of weights.

`axis` says over which axes the norm is taken: 0 for the kernel `(inputs, units)` of a dense layer,
`[0, 1, 2]` for that of a convolution, `(height, width, channels, filters)`.
"""

from __future__ import annotations

from typing import Any

from kerata import config, ops
from kerata.constraints.base import Constraint
from kerata.ops.dispatch import Tensor


def _norm(w: Tensor, axis: Any) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(w), axis, keepdims=True))


def _safe(size: Tensor) -> Tensor:
    return ops.add(size, config.epsilon())


class NonNeg(Constraint):
    """`max(w, 0)`."""

    def __call__(self, w: Tensor) -> Tensor:
        return ops.maximum(w, 0)


class MaxNorm(Constraint):
    """`w * min(|w|, max_value) / |w|`.

    Args:
        max_value: the largest norm.
        axis: the axes that the norm is taken over.
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Tensor) -> Tensor:
        size = _norm(w, self.axis)
        return ops.multiply(w, ops.divide(ops.clip(size, 0, self.max_value), _safe(size)))


class UnitNorm(Constraint):
    """`w / |w|`.

    Args:
        axis: the axes that the norm is taken over.
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Tensor) -> Tensor:
        return ops.divide(w, _safe(_norm(w, self.axis)))


class MinMaxNorm(Constraint):
    """`w * (rate * clip(|w|, min_value, max_value) + (1 - rate) * |w|) / |w|`.

    Args:
        min_value: the least norm.
        max_value: the largest norm.
        rate: how far an update goes towards the bounds, 1 for all the way.
        axis: the axes that the norm is taken over.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Tensor) -> Tensor:
        size = _norm(w, self.axis)
        bounded = ops.multiply(ops.clip(size, self.min_value, self.max_value), self.rate)
        wanted = ops.add(bounded, ops.multiply(size, 1.0 - self.rate))
        return ops.multiply(w, ops.divide(wanted, _safe(size)))
