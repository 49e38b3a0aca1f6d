"""From the losses of samples to one number: weights, masks, reduction."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def checked_reduction(reduction: str | None) -> str | None:
    """`reduction`, if it is one.

    Raises:
        ValueError: it is none.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {REDUCTIONS}; got {reduction!r}")
    return reduction


def same_rank(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """Two tensors made to have one rank where a last axis of size 1 is all that they differ by.

    `(batch, 1)` and `(batch,)` both become `(batch, 1)`; at higher ranks the axis is squeezed.
    """
    first, second = len(x1.shape), len(x2.shape)
    if first == second + 1 and x1.shape[-1] == 1:
        return (x1, ops.expand_dims(x2, -1)) if second == 1 else (ops.squeeze(x1, -1), x2)
    if second == first + 1 and x2.shape[-1] == 1:
        return (ops.expand_dims(x1, -1), x2) if first == 1 else (x1, ops.squeeze(x2, -1))
    return x1, x2


def count(x: Tensor) -> Any:
    """How many elements `x` has."""
    total: Any = 1
    for size in ops.shape(x):
        total = total * size
    return total


def masked_weight(
    sample_weight: Tensor | None, mask: Tensor, reduction: str | None, dtype: str
) -> Tensor:
    """`sample_weight` times `mask`; for means scaled up by the share that the mask leaves."""
    mask = ops.cast(mask, dtype)
    if reduction in ("sum_over_batch_size", "mean"):
        share = ops.divide_no_nan(ops.cast(count(mask), dtype), ops.sum(mask))
        mask = ops.multiply(mask, share)
    return mask if sample_weight is None else weight_of_valid(sample_weight, mask, dtype)


def weight_of_valid(sample_weight: Tensor, mask: Tensor, dtype: str) -> Tensor:
    """`sample_weight * mask`, one for each sample spread over the axes that only the mask has."""
    sample_weight, mask = same_rank(ops.cast(sample_weight, dtype), ops.cast(mask, dtype))
    for _ in range(len(mask.shape) - len(sample_weight.shape)):
        sample_weight = ops.expand_dims(sample_weight, -1)
    return ops.multiply(sample_weight, mask)


def reduced(values: Tensor, sample_weight: Tensor | None, reduction: str | None) -> Tensor:
    """Weighted `values` reduced; `sample_weight` is what "mean_with_sample_weight" divides by."""
    if reduction in (None, "none") or len(values.shape) == 0:
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(ops.sum(values), ops.sum(sample_weight))
    return ops.mean(values)


def reduce_weighted(
    values: Tensor,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: str = "float32",
) -> Tensor:
    """The losses of samples as one number, or as they are where `reduction` is None or "none".

    Args:
        values: the losses, of any shape.
        sample_weight: broadcasts to `values`, a trailing axis of size 1 apart.
        mask: bool or numbers, as `sample_weight`; where it is 0 a loss does not count.
        reduction: "sum"; "mean" or "sum_over_batch_size", which divide the sum by the number of
            losses that count; "mean_with_sample_weight", which divides it by the sum of weights.
        dtype: the dtype to compute in.
    """
    return reduced(*_weighted(values, sample_weight, mask, reduction, dtype), reduction)


def reduce_with_divisor(
    values: Tensor,
    sample_weight: Tensor | None,
    mask: Tensor | None,
    reduction: str | None,
    dtype: str,
) -> tuple[Tensor, Any]:
    """`reduce_weighted`, and what it divided the sum of the weighted losses by.

    That is a number or a float32 scalar; "sum" where it did not divide, None where `values` is a
    scalar, reduced by who made it.
    """
    values, sample_weight = _weighted(values, sample_weight, mask, reduction, dtype)
    value = reduced(values, sample_weight, reduction)
    if len(values.shape) == 0:
        return value, None
    if reduction == "sum":
        return value, "sum"
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return value, ops.sum(ops.cast(sample_weight, "float32"))
    if mask is None:
        return value, count(values)
    valid = ops.sum(ops.cast(mask, "float32"))
    return value, ops.multiply(valid, ops.divide(count(values), count(mask)))


def _weighted(
    values: Tensor, sample_weight: Any, mask: Tensor | None, reduction: str | None, dtype: str
) -> tuple[Tensor, Any]:
    if mask is not None:
        sample_weight = masked_weight(sample_weight, mask, reduction, dtype)
    if sample_weight is not None:
        values, sample_weight = same_rank(values, ops.cast(sample_weight, dtype))
        values = ops.multiply(values, sample_weight)
    return values, sample_weight
