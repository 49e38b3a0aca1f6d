"""Connectionist temporal classification as a loss."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.loss import LossFunctionWrapper, converted
from kerata.ops.dispatch import Tensor


def ctc(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Minus the log probability of the classes `y_true`, however aligned (Graves et al., 2006).

    Args:
        y_true: classes from 1 on, filled up with 0, `(batch, target size)`.
        y_pred: logits, `(batch, length, classes)`; class 0 is the blank.

    Returns:
        `(batch,)`.

    Raises:
        ValueError: `y_pred` has not three axes.
    """
    y_true, y_pred = converted(y_true, None), converted(y_pred, None)
    if len(y_pred.shape) != 3:
        raise ValueError(
            "ctc: y_pred must be logits of shape (batch, length, classes); got the shape "
            f"{tuple(y_pred.shape)}"
        )
    batch, length, _ = ops.shape(y_pred)
    widths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    lengths = ops.full((batch,), length, "int32")
    return ops.ctc_loss(y_true, y_pred, widths, lengths, mask_index=0)


class CTC(LossFunctionWrapper):
    """Minus the log probability of a sequence, however aligned (Graves et al., 2006).

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    casts_targets = False

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)
