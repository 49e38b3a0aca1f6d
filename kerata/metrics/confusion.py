"""True and false positives and negatives at thresholds, and the ratios of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata import ops
from kerata.losses.loss import converted
from kerata.losses.reduction import same_rank
from kerata.metrics.metric import Metric
from kerata.ops.dispatch import Tensor

Thresholds = float | Sequence[float] | None

_NEVER = -1e10  # what a prediction outside of the top k counts as
_FEW = 8  # up to so many thresholds each is compared; more are searched


def checked_thresholds(thresholds: Thresholds, default: float = 0.5) -> list[float]:
    """`thresholds` as a list, `[default]` where there are none.

    Raises:
        ValueError: one is not in [0, 1].
    """
    if thresholds is None:
        return [default]
    found = [thresholds] if isinstance(thresholds, (int, float)) else list(thresholds)
    wrong = [t for t in found if t is None or not 0 <= t <= 1]
    if wrong or not found:
        raise ValueError(f"thresholds must be in [0, 1]; got {thresholds!r}")
    return [float(t) for t in found]


def prepared(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    dtype: str,
    top_k: int | None = None,
    class_id: int | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Targets as bool, predictions, and a weight for each of them, all of one shape.

    Args:
        y_true: 0 or 1, any shape.
        y_pred: of the same shape, a last axis of size 1 apart.
        sample_weight: broadcasts to the predictions, from the first axis on; or None.
        dtype: of the predictions and weights.
        top_k: only so many predictions along the last axis count as made.
        class_id: only this place of the last axis counts.
    """
    y_true, y_pred = same_rank(converted(y_true, dtype), converted(y_pred, dtype))
    if top_k is not None:
        classes = ops.shape(y_pred)[-1]
        chosen = ops.one_hot(ops.top_k(y_pred, top_k)[1], classes, dtype=dtype)
        y_pred = ops.where(ops.greater(ops.sum(chosen, axis=-2), 0.0), y_pred, _NEVER)
    weight = ops.ones_like(y_pred)
    if sample_weight is not None:
        given, _ = same_rank(converted(sample_weight, dtype), y_pred)
        for _ in range(len(weight.shape) - len(given.shape)):
            given = ops.expand_dims(given, -1)
        weight = weight * given
    if class_id is not None:
        y_true, y_pred, weight = (x[..., class_id] for x in (y_true, y_pred, weight))
    return ops.cast(y_true, "bool"), y_pred, weight


def above_and_below(
    y_pred: Tensor, weight: Tensor, thresholds: Sequence[float]
) -> tuple[Tensor, Tensor]:
    """The weight of the predictions above each threshold, and of those not above.

    Args:
        y_pred: `(n, labels)`.
        weight: `(n, labels)`.
        thresholds: in rising order.

    Returns:
        Two tensors `(thresholds, labels)`.
    """
    levels = ops.convert_to_tensor(np.asarray(thresholds), y_pred.dtype)
    count, labels = len(thresholds), ops.shape(y_pred)[1]
    if count <= _FEW:
        beyond = ops.greater(ops.expand_dims(y_pred, 0), ops.reshape(levels, (count, 1, 1)))
        beyond = ops.cast(beyond, weight.dtype)
        return ops.sum(beyond * weight, axis=1), ops.sum((1.0 - beyond) * weight, axis=1)
    # How many thresholds a prediction is above, and the weight of each such number.
    passed = ops.searchsorted(levels, ops.reshape(y_pred, (-1,)))
    places = ops.reshape(passed, ops.shape(y_pred)) + ops.arange(labels) * (count + 1)
    held = ops.segment_sum(
        ops.reshape(weight, (-1,)), ops.reshape(places, (-1,)), num_segments=labels * (count + 1)
    )
    held = ops.transpose(ops.reshape(held, (labels, count + 1)))
    below = ops.cumsum(held, axis=0)[:-1]
    above = ops.flip(ops.cumsum(ops.flip(held, 0), axis=0), 0)[1:]
    return above, below


def confusion(
    y_true: Tensor,
    y_pred: Tensor,
    weight: Tensor,
    thresholds: Sequence[float],
    labels: bool = False,
) -> dict[str, Tensor]:
    """The four counts at each threshold: `(thresholds,)`, or `(thresholds, labels)`.

    Args:
        y_true: bool.
        y_pred: of its shape.
        weight: of its shape.
        thresholds: in any order.
        labels: whether the last axis is counted each for itself.
    """
    order = np.argsort(thresholds, kind="stable")
    shape = (-1, ops.shape(y_pred)[-1]) if labels else (-1, 1)
    truth = ops.cast(y_true, weight.dtype) * weight
    rising = [thresholds[i] for i in order]
    counts = {}
    for name, part in (("true", truth), ("false", weight - truth)):
        both = above_and_below(ops.reshape(y_pred, shape), ops.reshape(part, shape), rising)
        above, below = (ops.take(x, np.argsort(order).astype("int32"), axis=0) for x in both)
        counts[f"{name}_positives"] = above if labels else above[:, 0]
        wrong = "false" if name == "true" else "true"
        counts[f"{wrong}_negatives"] = below if labels else below[:, 0]
    return counts


def single(x: Tensor, thresholds: Sequence[float]) -> Tensor:
    """A scalar where there is one threshold."""
    return x[0] if len(thresholds) == 1 else x


class _Count(Metric):
    """How much weight one of the four counts has, at each threshold."""

    counted = ""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = thresholds
        self._levels = checked_thresholds(thresholds)
        self.accumulator = self.add_weight((len(self._levels),), name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in.

        Args:
            y_true: 0 or 1, any shape.
            y_pred: from 0 to 1, of the same shape.
            sample_weight: broadcasts to the predictions, from the first axis on.
        """
        tensors = prepared(y_true, y_pred, sample_weight, self._dtype)
        self.accumulator.assign_add(confusion(*tensors, self._levels)[self.counted])

    def result(self) -> Tensor:
        return single(self.accumulator.value, self._levels)


class TruePositives(_Count):
    """How many positives were found.

    Args:
        thresholds: a prediction above one is positive; one or several, 0.5 where None.
        name: its name.
        dtype: see `Metric`.

    >>> float(TruePositives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
    1.0
    """

    counted = "true_positives"


class FalsePositives(_Count):
    """How many negatives were taken for positives.

    Args:
        thresholds: a prediction above one is positive; one or several, 0.5 where None.
        name: its name.
        dtype: see `Metric`.

    >>> float(FalsePositives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
    1.0
    """

    counted = "false_positives"


class TrueNegatives(_Count):
    """How many negatives were found.

    Args:
        thresholds: a prediction above one is positive; one or several, 0.5 where None.
        name: its name.
        dtype: see `Metric`.

    >>> float(TrueNegatives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
    1.0
    """

    counted = "true_negatives"


class FalseNegatives(_Count):
    """How many positives were taken for negatives.

    Args:
        thresholds: a prediction above one is positive; one or several, 0.5 where None.
        name: its name.
        dtype: see `Metric`.

    >>> float(FalseNegatives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]))
    1.0
    """

    counted = "false_negatives"


class _Ratio(Metric):
    """The true positives over themselves and one of the two kinds of errors."""

    _direction = "up"

    error = ""

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self._levels = checked_thresholds(thresholds, 0.5 if top_k is None else _NEVER)
        shape = (len(self._levels),)
        self.true_positives = self.add_weight(shape, name="true_positives")
        self.errors = self.add_weight(shape, name=self.error)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in.

        Args:
            y_true: 0 or 1, any shape.
            y_pred: from 0 to 1, of the same shape.
            sample_weight: broadcasts to the predictions, from the first axis on.
        """
        tensors = prepared(y_true, y_pred, sample_weight, self._dtype, self.top_k, self.class_id)
        counts = confusion(*tensors, self._levels)
        self.true_positives.assign_add(counts["true_positives"])
        self.errors.assign_add(counts[self.error])

    def result(self) -> Tensor:
        found = self.true_positives.value
        return single(ops.divide_no_nan(found, found + self.errors.value), self._levels)


class Precision(_Ratio):
    """The share of true ones among the predicted positives.

    Args:
        thresholds: a prediction above one is positive; one or several, 0.5 where None.
        top_k: only so many predictions along the last axis count as made.
        class_id: only this place of the last axis counts.
        name: its name.
        dtype: see `Metric`.

    >>> float(Precision()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.7]))
    0.3333333432674408
    """

    error = "false_positives"


class Recall(_Ratio):
    """The share of found ones among the positives.

    Args:
        thresholds: a prediction above one is positive; one or several, 0.5 where None.
        top_k: only so many predictions along the last axis count as made.
        class_id: only this place of the last axis counts.
        name: its name.
        dtype: see `Metric`.

    >>> float(Recall()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.7]))
    0.5
    """

    error = "false_negatives"
