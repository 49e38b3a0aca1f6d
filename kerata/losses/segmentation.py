"""Losses of segmentation: how far two sets overlap."""

from __future__ import annotations

from typing import Any

from kerata import config, ops
from kerata.losses.loss import LossFunctionWrapper
from kerata.losses.regression import pair
from kerata.ops.dispatch import Tensor


def tversky(
    y_true: Tensor, y_pred: Tensor, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Tensor:
    """1 minus the Tversky index (Salehi et al., 2017).

    The index is `both / (both + alpha * only_true + beta * only_pred)`.

    Args:
        y_true: memberships from 0 to 1.
        y_pred: memberships from 0 to 1, of the same shape.
        alpha: how much false negatives count.
        beta: how much false positives count.
        axis: the axes that make up a sample; None for all.
    """
    y_true, y_pred = pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    only_pred = ops.sum((1.0 - y_true) * y_pred, axis=axis)
    only_true = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    epsilon = config.epsilon()
    total = both + only_true * alpha + only_pred * beta + epsilon
    return 1.0 - ops.divide(both, total)


def dice(y_true: Tensor, y_pred: Tensor, axis: Any = None) -> Tensor:
    """1 minus the Dice coefficient, `2 * both / (true + pred)`; arguments as in `tversky`."""
    y_true, y_pred = pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    total = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - ops.divide(2.0 * both, total + config.epsilon())


class Dice(LossFunctionWrapper):
    """1 minus the Dice coefficient of targets and predictions.

    Args:
        reduction: see `Loss`.
        name: its name.
        axis: the axes that make up a sample; None for all.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """1 minus the Tversky index of targets and predictions (Salehi et al., 2017).

    Args:
        alpha: how much false negatives count.
        beta: how much false positives count.
        reduction: see `Loss`.
        name: its name.
        axis: the axes that make up a sample; None for all.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
