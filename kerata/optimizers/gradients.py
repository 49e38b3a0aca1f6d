"""What is done to gradients before they are used: clipping by value and by norm."""

from __future__ import annotations

from kerata import ops
from kerata.backends import dtypes
from kerata.ops.dispatch import Tensor


def clipped(
    gradients: list[Tensor],
    norm: float | None = None,
    value: float | None = None,
    global_norm: float | None = None,
) -> list[Tensor]:
    """Gradients limited by the one limit that is given, if there is one.

    Args:
        gradients: one for each variable.
        norm: each gradient `g` is scaled by `min(1, norm / |g|)`.
        value: each element is limited to `±value`.
        global_norm: all gradients are scaled by `min(1, global_norm / |all of them|)`.
    """
    if norm is not None:
        return [_scaled(g, _factor(squares(g), norm)) for g in gradients]
    if value is not None:
        return [ops.clip(g, -value, value) for g in gradients]
    if global_norm is not None:
        factor = _factor(ops.sum(ops.stack([squares(g) for g in gradients])), global_norm)
        return [_scaled(g, factor) for g in gradients]
    return gradients


def _half(x: Tensor) -> bool:
    return dtypes.standardize_dtype(x.dtype) in ("float16", "bfloat16")


def squares(gradient: Tensor) -> Tensor:
    """The sum of the squares of a gradient, at least in float32."""
    wide = ops.cast(gradient, "float32") if _half(gradient) else gradient
    return ops.sum(wide * wide)


def _factor(total: Tensor, limit: float) -> Tensor:
    return ops.divide(limit, ops.maximum(ops.sqrt(total), limit))


def _scaled(gradient: Tensor, factor: Tensor) -> Tensor:
    return gradient * (ops.cast(factor, gradient.dtype) if _half(gradient) else factor)
