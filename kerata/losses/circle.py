"""The circle loss of metric learning."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.masks import set_mask
from kerata.losses.loss import LossFunctionWrapper, converted
from kerata.ops.dispatch import Tensor


def circle(
    y_true: Tensor,
    y_pred: Tensor,
    ref_labels: Tensor | None = None,
    ref_embeddings: Tensor | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """The circle loss (Sun et al., 2020): embeddings of one class close, of others apart.

    Args:
        y_true: the indices of the classes, `(batch,)` or `(batch, 1)`.
        y_pred: embeddings of length 1, `(batch, size)`.
        ref_labels: the classes of `ref_embeddings`; None for `y_true`.
        ref_embeddings: what each embedding is compared with, `(n, size)`; None for `y_pred`.
        remove_diagonal: whether an embedding is not compared with the one of its own place.
        gamma: the scale of the similarities.
        margin: how far from the ends of [0, 1] similarities count as good enough.

    Returns:
        `(batch,)`; 0, and not counted, where there is no other embedding of the class or none of
        another.
    """
    labels = ops.reshape(ops.cast(converted(y_true, None), "int32"), (-1, 1))
    embeddings = converted(y_pred, None)
    others = labels if ref_labels is None else ops.cast(converted(ref_labels, None), "int32")
    against = embeddings if ref_embeddings is None else converted(ref_embeddings, None)
    similarity = ops.matmul(embeddings, ops.transpose(against))
    similarity = similarity - ops.stop_gradient(ops.maximum(similarity - 1.0, 0.0))
    same = ops.equal(labels, ops.reshape(others, (1, -1)))
    different = ops.logical_not(same)
    if remove_diagonal:
        rows, columns = ops.shape(similarity)
        own = ops.equal(ops.expand_dims(ops.arange(rows), 1), ops.arange(columns))
        same = ops.logical_and(same, ops.logical_not(own))
    near = ops.stop_gradient(ops.maximum(1.0 + margin - similarity, 0.0))
    far = ops.stop_gradient(ops.maximum(similarity + margin, 0.0))
    pulls = -gamma * near * (similarity - (1.0 - margin))
    pushes = gamma * far * (similarity - margin)
    total = _log_sum(pulls, same) + _log_sum(pushes, different)
    both = ops.logical_and(ops.any(same, axis=1), ops.any(different, axis=1))
    losses = ops.where(both, ops.softplus(ops.where(both, total, 0.0)), 0.0)
    set_mask(losses, both)
    return losses


def _log_sum(x: Tensor, mask: Tensor) -> Tensor:
    """`log(sum(exp(x)))` of each row where `mask` holds."""
    return ops.logsumexp(ops.where(mask, x, -1e9), axis=1)


class Circle(LossFunctionWrapper):
    """Embeddings of one class close, of others apart (Sun et al., 2020).

    Args:
        gamma: the scale of the similarities.
        margin: how far from the ends of [0, 1] similarities count as good enough.
        remove_diagonal: whether an embedding is not compared with itself.
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    casts_targets = False

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle,
            reduction,
            name,
            dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
