"""Losses of margins."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.loss import LossFunctionWrapper
from kerata.losses.regression import pair
from kerata.ops.dispatch import Tensor


def signed(y_true: Tensor) -> Tensor:
    """Targets of -1 and 1 from targets of 0 and 1; any others as they are."""
    zero, one = ops.equal(y_true, 0.0), ops.equal(y_true, 1.0)
    binary = ops.all(ops.logical_or(zero, one))
    return ops.where(binary, 2.0 * y_true - 1.0, y_true)


def hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(max(1 - y_true * y_pred, 0))` over the last axis; targets are -1 or 1, or 0 or 1."""
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - signed(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(max(1 - y_true * y_pred, 0)²)` over the last axis; targets as in `hinge`."""
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - signed(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`max(1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred), 0)` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred)
    own = ops.sum(y_true * y_pred, axis=-1)
    other = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(other - own + 1.0, 0.0)


class Hinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0))`, for targets of -1 or 1 (or 0 or 1).

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0)²)`, for targets of -1 or 1 (or 0 or 1).

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """How far the likeliest wrong class comes within 1 of the right one.

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
