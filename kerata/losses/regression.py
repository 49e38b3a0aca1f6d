"""Losses of regression."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.loss import LossFunctionWrapper, converted
from kerata.losses.reduction import same_rank
from kerata.ops.dispatch import Tensor


def pair(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Targets and predictions as tensors of the predictions' dtype and of one rank."""
    y_pred = converted(y_pred, None)
    y_true = ops.convert_to_tensor(y_true, y_pred.dtype)
    return same_rank(y_true, y_pred)


def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean((y_true - y_pred)²)` over the last axis.

    Args:
        y_true: `(batch, …, n)`.
        y_pred: `(batch, …, n)`.

    Returns:
        `(batch, …)`.

    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]]).tolist()
    [0.5]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """`mean((y_true - y_pred)²)`.

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)
