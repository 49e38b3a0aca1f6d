"""Means of precision and recall."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.losses.loss import converted
from kerata.metrics.metric import Metric
from kerata.ops.dispatch import Tensor

_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """`(1 + beta²) * precision * recall / (beta² * precision + recall)`.

    Args:
        average: None for a score of each class, "micro" to count all classes together, "macro" for
            the mean over classes, "weighted" for that weighted by how many samples each has.
        beta: how much more recall counts than precision.
        threshold: a prediction above it is positive; None for the largest of each row.
        name: its name.
        dtype: see `Metric`.

    >>> FBetaScore(threshold=0.5)([[1, 0], [1, 1]], [[0.9, 0.6], [0.7, 0.8]]).tolist()
    [1.0, 0.6666666865348816]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in _AVERAGES:
            raise ValueError(f"average must be one of {_AVERAGES}; got {average!r}")
        if not isinstance(beta, (int, float)) or beta <= 0:
            raise ValueError(f"beta must be a number above 0; got {beta!r}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1; got {threshold!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.true_positives: Any = None

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_weight(shape, name="true_positives")
        self.false_positives = self.add_weight(shape, name="false_positives")
        self.false_negatives = self.add_weight(shape, name="false_negatives")
        self.intermediate_weights = self.add_weight(shape, name="intermediate_weights")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in.

        Args:
            y_true: 0 or 1, `(batch, classes)`.
            y_pred: `(batch, classes)`.
            sample_weight: `(batch,)` or `(batch, 1)`.

        Raises:
            ValueError: the shapes are others.
        """
        y_true, y_pred = converted(y_true, self._dtype), converted(y_pred, self._dtype)
        if len(y_true.shape) != 2 or len(y_pred.shape) != 2:
            raise ValueError(
                f"{type(self).__name__}: y_true and y_pred must have the shape (batch, classes); "
                f"got {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
            )
        if self.true_positives is None:
            self._build(y_true.shape[-1])
        axis = None if self.average == "micro" else 0
        weight = ops.convert_to_tensor(1.0, self._dtype)
        if sample_weight is not None:
            weight = ops.reshape(converted(sample_weight, self._dtype), (-1, 1))
        made = self._decided(y_pred)
        self.true_positives.assign_add(ops.sum(weight * made * y_true, axis))
        self.false_positives.assign_add(ops.sum(weight * made * (1.0 - y_true), axis))
        self.false_negatives.assign_add(ops.sum(weight * (1.0 - made) * y_true, axis))
        self.intermediate_weights.assign_add(ops.sum(weight * y_true, axis))

    def _decided(self, y_pred: Tensor) -> Tensor:
        """1 where a prediction is positive; a row of zeros has none."""
        if self.threshold is not None:
            return ops.cast(ops.greater(y_pred, self.threshold), self._dtype)
        largest = ops.greater_equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
        there = ops.greater(ops.absolute(y_pred), 1e-9)
        return ops.cast(ops.logical_and(largest, there), self._dtype)

    def result(self) -> Tensor:
        if self.true_positives is None:
            return ops.convert_to_tensor(0.0, self._dtype)
        found, squared = self.true_positives.value, self.beta**2
        precision = ops.divide_no_nan(found, found + self.false_positives.value)
        recall = ops.divide_no_nan(found, found + self.false_negatives.value)
        both = precision * recall * (1.0 + squared)
        scores = ops.divide_no_nan(both, precision * squared + recall)
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            return ops.divide_no_nan(ops.sum(scores * weights), ops.sum(weights))
        return ops.mean(scores) if self.average == "macro" else scores


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall; arguments as in `FBetaScore`.

    >>> F1Score(threshold=0.5)([[1, 0], [1, 1]], [[0.9, 0.6], [0.7, 0.8]]).tolist()
    [1.0, 0.6666666865348816]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
