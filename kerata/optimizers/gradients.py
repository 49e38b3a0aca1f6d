"""What is done to gradients before they are used: clipping by value and by norm."""

from __future__ import annotations

from collections.abc import Sequence

from kerata import ops
from kerata.backends import dtypes
from kerata.ops.dispatch import Tensor


def clipped_by_value(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Each element limited to `±limit`."""
    return [ops.clip(g, -limit, limit) for g in gradients]


def clipped_by_norm(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Each gradient `g` scaled by `min(1, limit / |g|)`."""
    return [_scaled(g, _factor(_squares(g), limit)) for g in gradients]


def clipped_by_global_norm(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """All gradients scaled by `min(1, limit / |all of them|)`."""
    factor = _factor(ops.sum(ops.stack([_squares(g) for g in gradients])), limit)
    return [_scaled(g, factor) for g in gradients]


def _half(x: Tensor) -> bool:
    return dtypes.standardize_dtype(x.dtype) in ("float16", "bfloat16")


def _squares(gradient: Tensor) -> Tensor:
    wide = ops.cast(gradient, "float32") if _half(gradient) else gradient
    return ops.sum(wide * wide)


def _factor(squares: Tensor, limit: float) -> Tensor:
    return ops.divide(limit, ops.maximum(ops.sqrt(squares), limit))


def _scaled(gradient: Tensor, factor: Tensor) -> Tensor:
    return gradient * (ops.cast(factor, gradient.dtype) if _half(gradient) else factor)
