"""Losses of regression."""

from __future__ import annotations

import math
from typing import Any

from kerata import config, ops
from kerata.losses.loss import LossFunctionWrapper, converted
from kerata.losses.reduction import same_rank
from kerata.ops.dispatch import Tensor


def pair(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Targets and predictions as tensors of the predictions' dtype and of one rank."""
    y_pred = converted(y_pred, None)
    if not isinstance(y_true, type(y_pred)) or y_true.dtype != y_pred.dtype:
        y_true = ops.convert_to_tensor(y_true, y_pred.dtype)
    return same_rank(y_true, y_pred)


def mean_of_last(x: Tensor) -> Tensor:
    """The mean over the last axis; an axis of one entry has nothing to be computed."""
    return ops.squeeze(x, -1) if x.shape and x.shape[-1] == 1 else ops.mean(x, axis=-1)


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
    return mean_of_last(ops.square(ops.subtract(y_true, y_pred)))


def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(|y_true - y_pred|)` over the last axis; shapes as in `mean_squared_error`."""
    y_true, y_pred = pair(y_true, y_pred)
    return mean_of_last(ops.absolute(ops.subtract(y_true, y_pred)))


def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`100 * mean(|y_true - y_pred| / max(|y_true|, config.epsilon()))` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred)
    size = ops.maximum(ops.absolute(y_true), config.epsilon())
    return 100.0 * mean_of_last(ops.absolute((y_true - y_pred) / size))


def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean((log(1 + y_true) - log(1 + y_pred))²)` over the last axis.

    What is below `config.epsilon()` counts as that.
    """
    y_true, y_pred = pair(y_true, y_pred)
    true, pred = (ops.log1p(ops.maximum(y, config.epsilon())) for y in (y_true, y_pred))
    return mean_of_last(ops.square(true - pred))


def huber(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """The mean of `e² / 2` where `|e| <= delta`, and `delta * (|e| - delta / 2)` beyond.

    `e` is `y_true - y_pred`; the mean is over the last axis (Huber, 1964).
    """
    y_true, y_pred = pair(y_true, y_pred)
    size = ops.absolute(y_true - y_pred)
    near = ops.minimum(size, delta)
    return mean_of_last(near * (size - near * 0.5))


def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    return mean_of_last(error + ops.softplus(error * -2.0) - math.log(2.0))


def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`mean(y_pred - y_true * log(y_pred + config.epsilon()))` over the last axis."""
    y_true, y_pred = pair(y_true, y_pred)
    return mean_of_last(y_pred - y_true * ops.log(y_pred + config.epsilon()))


def kl_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`sum(y_true * log(y_true / y_pred))` over the last axis (Kullback & Leibler, 1951).

    Both are limited to the interval from `config.epsilon()` to 1.
    """
    y_true, y_pred = (ops.clip(y, config.epsilon(), 1.0) for y in pair(y_true, y_pred))
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between `y_true` and `y_pred` along `axis`.

    -1 is the same direction, 0 a right angle (or a vector of zeros), 1 the opposite direction.
    """
    y_true, y_pred = (ops.normalize(y, axis) for y in pair(y_true, y_pred))
    return -ops.sum(y_true * y_pred, axis=axis)


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


class MeanAbsoluteError(LossFunctionWrapper):
    """`mean(|y_true - y_pred|)`.

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """`100 * mean(|y_true - y_pred| / |y_true|)`.

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """`mean((log(1 + y_true) - log(1 + y_pred))²)`.

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Squares of small errors, the size of large ones (Huber, 1964).

    Args:
        delta: where an error starts to count as large.
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """`mean(log(cosh(y_pred - y_true)))`.

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """`mean(y_pred - y_true * log(y_pred))`.

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)


class KLDivergence(LossFunctionWrapper):
    """`sum(y_true * log(y_true / y_pred))` (Kullback & Leibler, 1951).

    Args:
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and predictions.

    Args:
        axis: the axis of the vectors.
        reduction: see `Loss`.
        name: its name.
        dtype: see `Loss`.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
