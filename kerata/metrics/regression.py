"""Metrics of regression."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.loss import converted
from kerata.losses.reduction import count, same_rank
from kerata.losses.regression import cosine_similarity as minus_cosine_similarity
from kerata.losses.regression import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    pair,
)
from kerata.metrics.mean import Mean, MeanMetricWrapper
from kerata.metrics.metric import Metric
from kerata.ops.dispatch import Tensor


class MeanSquaredError(MeanMetricWrapper):
    """The mean of `kerata.losses.mean_squared_error`.

    Args:
        name: its name.
        dtype: see `Metric`.

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of `kerata.losses.mean_absolute_error`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of `kerata.losses.mean_absolute_percentage_error`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of `kerata.losses.mean_squared_logarithmic_error`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """The mean of `kerata.losses.log_cosh`.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name, dtype)


def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The cosine of the angle between `y_true` and `y_pred` along `axis`."""
    return -minus_cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions.

    Args:
        name: its name.
        dtype: see `Metric`.
        axis: the axis of the vectors.
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class RootMeanSquaredError(Mean):
    """The square root of the mean squared error.

    Args:
        name: its name.
        dtype: see `Metric`.
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take a batch in, of any shape, weighted by `sample_weight`."""
        y_true, y_pred = pair(y_true, converted(y_pred, self._dtype))
        super().update_state(ops.square(y_true - y_pred), sample_weight)

    def result(self) -> Tensor:
        return ops.sqrt(super().result())


class R2Score(Metric):
    """The coefficient of determination: 1 minus the residual over the total sum of squares.

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average" or None, for the scores of
            several outputs.
        num_regressors: how many inputs there are, for the adjusted score; 0 for the plain one.
        name: its name.
        dtype: see `Metric`.

    >>> float(R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.5]]))
    0.875
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(f"class_aggregation must be one of {known}; got {class_aggregation!r}")
        if num_regressors < 0:
            raise ValueError(f"num_regressors must not be negative; got {num_regressors}")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_weight(name="num_samples")
        self.squared_sum: Any = None

    def _build(self, outputs: int) -> None:
        self.squared_sum = self.add_weight((outputs,), name="squared_sum")
        self.sum = self.add_weight((outputs,), name="sum")
        self.residual = self.add_weight((outputs,), name="residual")
        self.count = self.add_weight((outputs,), name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in.

        Args:
            y_true: `(batch, outputs)` or `(batch,)`.
            y_pred: of the same shape.
            sample_weight: `(batch,)`, or what broadcasts to the targets.
        """
        y_true, y_pred = pair(y_true, converted(y_pred, self._dtype))
        if len(y_true.shape) == 1:
            y_true, y_pred = ops.expand_dims(y_true, 1), ops.expand_dims(y_pred, 1)
        if self.squared_sum is None:
            self._build(y_true.shape[1])
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            given, _ = same_rank(converted(sample_weight, self._dtype), y_true)
            given = ops.expand_dims(given, 1) if len(given.shape) == 1 else given
            weight = weight * given
        self.sum.assign_add(ops.sum(weight * y_true, axis=0))
        self.squared_sum.assign_add(ops.sum(weight * ops.square(y_true), axis=0))
        self.residual.assign_add(ops.sum(weight * ops.square(y_true - y_pred), axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(ops.cast(count(y_true), self._dtype))

    def result(self) -> Tensor:
        if self.squared_sum is None:
            return ops.convert_to_tensor(0.0, self._dtype)
        mean = ops.divide_no_nan(self.sum.value, self.count.value)
        total = self.squared_sum.value - self.sum.value * mean
        score = 1.0 - ops.divide_no_nan(self.residual.value, total)
        score = self._aggregated(score, total)
        if not self.num_regressors:
            return score
        samples = self.num_samples.value
        free = samples - self.num_regressors - 1.0
        return 1.0 - (1.0 - score) * ops.divide_no_nan(samples - 1.0, free)

    def _aggregated(self, score: Tensor, total: Tensor) -> Tensor:
        if self.class_aggregation == "uniform_average":
            return ops.mean(score)
        if self.class_aggregation == "variance_weighted_average":
            return ops.divide_no_nan(ops.sum(score * total), ops.sum(total))
        return score
