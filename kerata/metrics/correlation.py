"""Metrics of how targets and predictions go together."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.regression import pair
from kerata.metrics.mean import MeanMetricWrapper
from kerata.ops.dispatch import Tensor


def pearson_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The covariance along `axis` over the product of the standard deviations (Pearson, 1895).

    NaN where one of the two is constant.
    """
    true, pred = (y - ops.mean(y, axis, True) for y in pair(y_true, y_pred))
    spread = ops.sum(ops.square(true), axis) * ops.sum(ops.square(pred), axis)
    return ops.sum(true * pred, axis) / ops.sqrt(spread)


def concordance_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """How near pairs along `axis` are to the line of equals (Lin, 1989).

    `2 * covariance / (variance + variance + (mean - mean)²)`.
    """
    y_true, y_pred = pair(y_true, y_pred)
    means = ops.mean(y_true, axis, True), ops.mean(y_pred, axis, True)
    true, pred = y_true - means[0], y_pred - means[1]
    shift = ops.squeeze(ops.square(means[0] - means[1]), axis)
    spread = ops.mean(ops.square(true), axis) + ops.mean(ops.square(pred), axis) + shift
    return 2.0 * ops.mean(true * pred, axis) / spread


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation`.

    Args:
        name: its name.
        dtype: see `Metric`.
        axis: the axis that is correlated along.
    """

    _direction = "up"

    def __init__(
        self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation`.

    Args:
        name: its name.
        dtype: see `Metric`.
        axis: the axis that is correlated along.
    """

    _direction = "up"

    def __init__(
        self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
