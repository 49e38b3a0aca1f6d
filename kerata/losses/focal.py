"""Cross-entropies that weigh samples by how well they are classified already."""

from __future__ import annotations

from typing import Any

from kerata import config, ops
from kerata.losses.loss import LossFunctionWrapper, converted
from kerata.losses.regression import pair
from kerata.ops.dispatch import Tensor


def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: Any = -1,
) -> Tensor:
    """Binary cross-entropy times `(1 - p)^gamma`, `p` that of the truth (Lin et al., 2017).

    Args:
        y_true: 0, 1 or between, `(batch, …, n)`.
        y_pred: probabilities, or logits where `from_logits`, of the same shape.
        apply_class_balancing: whether the classes 1 and 0 weigh `alpha` and `1 - alpha`.
        alpha: see `apply_class_balancing`.
        gamma: how much less easy samples count; 0 for none.
        from_logits: whether `y_pred` are logits.
        label_smoothing: brings the targets this far towards 0.5, in [0, 1].
        axis: the axis of the mean.

    Returns:
        `(batch, …)`.
    """
    y_true, y_pred = pair(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    losses = ops.binary_crossentropy(y_true, y_pred, from_logits)
    chance = ops.sigmoid(y_pred) if from_logits else y_pred
    truth = y_true * chance + (1.0 - y_true) * (1.0 - chance)
    losses = losses * ops.power(1.0 - truth, gamma)
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return ops.mean(losses, axis=axis)


def categorical_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """`-sum(alpha * (1 - y_pred)^gamma * y_true * log(y_pred))` over `axis` (Lin et al., 2017).

    Args:
        y_true: a distribution over the classes, `(batch, …, classes)`.
        y_pred: probabilities, or logits where `from_logits`, of the same shape.
        alpha: a weight, or one for each class.
        gamma: how much less easy samples count; 0 for none.
        from_logits: whether `y_pred` are logits.
        label_smoothing: the share of each target that is spread evenly, in [0, 1].
        axis: the axis of the classes.

    Returns:
        `(batch, …)`.
    """
    y_pred = converted(y_pred, None)
    y_true = ops.convert_to_tensor(y_true, y_pred.dtype)
    if label_smoothing:
        classes = ops.shape(y_true)[axis]
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    if from_logits:
        y_pred = ops.softmax(y_pred, axis)
    chance = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    chance = ops.clip(chance, config.epsilon(), 1.0 - config.epsilon())
    weight = ops.power(1.0 - chance, gamma) * alpha
    return -ops.sum(weight * y_true * ops.log(chance), axis=axis)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross-entropy in which easy samples count less (Lin et al., 2017).

    Args:
        apply_class_balancing: whether the classes 1 and 0 weigh `alpha` and `1 - alpha`.
        alpha: see `apply_class_balancing`.
        gamma: how much less easy samples count; 0 for none.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: brings the targets this far towards 0.5.
        axis: the axis of the mean.
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: Any = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Cross-entropy in which easy samples count less (Lin et al., 2017).

    Args:
        alpha: a weight, or one for each class.
        gamma: how much less easy samples count; 0 for none.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: the share of each target that is spread evenly.
        axis: the axis of the classes.
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
