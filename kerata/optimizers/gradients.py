"""What is done to gradients before they are used: clipping and scaling."""

from __future__ import annotations

from collections.abc import Sequence

from kerata import ops
from kerata.ops.dispatch import Tensor


def clipped_by_value(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Each element limited to `±limit`."""
    return [ops.clip(g, -limit, limit) for g in gradients]


def clipped_by_norm(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Each gradient `g` scaled by `min(1, limit / |g|)`."""
    return [g * ops.cast(_factor(_squares(g), limit), g.dtype) for g in gradients]


def clipped_by_global_norm(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """All gradients scaled by `min(1, limit / |all of them|)`."""
    total = ops.sum(ops.stack([_squares(g) for g in gradients]))
    factor = _factor(total, limit)
    return [g * ops.cast(factor, g.dtype) for g in gradients]


def _squares(gradient: Tensor) -> Tensor:
    return ops.sum(ops.square(ops.cast(gradient, "float32")))


def _factor(squares: Tensor, limit: float) -> Tensor:
    return ops.divide(limit, ops.maximum(ops.sqrt(squares), limit))
