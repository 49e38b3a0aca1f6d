"""Losses of classification: the cross-entropies."""

from __future__ import annotations

from typing import Any

from kerata import config, ops
from kerata.core.masks import set_mask
from kerata.losses.loss import LossFunctionWrapper, converted
from kerata.losses.regression import mean_of_last, pair
from kerata.ops.dispatch import Tensor

Reduction = str | None


def binary_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: Any = -1,
) -> Tensor:
    """`mean(-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)))` over `axis`.

    Args:
        y_true: 0, 1 or between, `(batch, …, n)`.
        y_pred: probabilities, or logits where `from_logits`, of the same shape.
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
    return mean_of_last(losses) if axis == -1 else ops.mean(losses, axis=axis)


def categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """`-sum(y_true * log(y_pred))` over `axis`.

    Args:
        y_true: a distribution over the classes, `(batch, …, classes)`.
        y_pred: probabilities, or logits where `from_logits`, of the same shape.
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
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def sparse_categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """`-log(y_pred[y_true])` along `axis`.

    Args:
        y_true: the indices of the classes, `(batch, …)`; an axis of size 1 may follow.
        y_pred: probabilities, or logits where `from_logits`, `(batch, …, classes)`.
        from_logits: whether `y_pred` are logits.
        ignore_class: an index whose samples have the loss 0 and count nowhere.
        axis: the axis of the classes.

    Returns:
        `(batch, …)`.
    """
    y_true, y_pred = converted(y_true, None), converted(y_pred, None)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    valid = ops.not_equal(y_true, ignore_class)
    known = ops.where(valid, y_true, 0)
    losses = ops.sparse_categorical_crossentropy(known, y_pred, from_logits, axis)
    losses = ops.where(valid, losses, 0.0)
    set_mask(losses, valid)
    return losses


def categorical_generalized_cross_entropy(y_true: Tensor, y_pred: Tensor, q: float) -> Tensor:
    """`(1 - p^q) / q`, `p` the probability of the true class (Zhang & Sabuncu, 2018).

    Args:
        y_true: the indices of the classes, `(batch,)` or `(batch, 1)`.
        y_pred: probabilities, `(batch, classes)`.
        q: from 0 (the cross-entropy) to 1 (the mean absolute error, which bears wrong labels).

    Returns:
        `(batch,)`.
    """
    y_true, y_pred = converted(y_true, None), converted(y_pred, None)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    index = ops.expand_dims(ops.cast(y_true, "int32"), -1)
    chance = ops.squeeze(ops.take_along_axis(y_pred, index, axis=-1), -1)
    chance = ops.maximum(chance, config.epsilon())
    return (1.0 - ops.power(chance, q)) / q


class BinaryCrossentropy(LossFunctionWrapper):
    """`-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`, for yes-or-no targets.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: brings the targets this far towards 0.5.
        axis: the axis of the mean.
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: Any = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(LossFunctionWrapper):
    """`-sum(y_true * log(y_pred))`, for targets that are distributions (one-hot, usually).

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: the share of each target that is spread evenly.
        axis: the axis of the classes.
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """`-log(y_pred[y_true])`, for targets that are indices of classes.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        ignore_class: an index whose samples count nowhere.
        reduction: see `Loss`.
        axis: the axis of the classes.
        name: its name.
        dtype: see `Loss`.
    """

    casts_targets = False

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Reduction = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """`(1 - p^q) / q`, which bears wrong labels (Zhang & Sabuncu, 2018).

    Args:
        q: from 0 (as the cross-entropy) to 1 (as the mean absolute error).
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    casts_targets = False

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
