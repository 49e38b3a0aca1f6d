"""Areas under curves of the confusion at many thresholds, and points on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import config, ops
from kerata.metrics.confusion import checked_thresholds, confusion, prepared
from kerata.metrics.metric import Metric
from kerata.ops.dispatch import Tensor

_COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def _spread(count: int) -> list[float]:
    """`count` thresholds at even distances, the outer ones just beyond 0 and 1."""
    epsilon = config.epsilon()
    return [-epsilon, *(i / (count - 1) for i in range(1, count - 1)), 1.0 + epsilon]


class _AtThresholds(Metric):
    """The four counts at many thresholds."""

    _direction = "up"

    def __init__(self, dtype: Any, name: str | None) -> None:
        super().__init__(dtype, name)
        self.true_positives: Any = None

    def _build(self, shape: tuple[int, ...]) -> None:
        for name in _COUNTS:
            setattr(self, name, self.add_weight(shape, name=name))

    def _add(self, counts: dict[str, Tensor]) -> None:
        for name in _COUNTS:
            getattr(self, name).assign_add(counts[name])

    def _counts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        tp, fp, tn, fn = (getattr(self, name).value for name in _COUNTS)
        return tp, fp, tn, fn


class AUC(_AtThresholds):
    """The area under a curve: of the receiver operating characteristic, or precision by recall.

    Args:
        num_thresholds: how many thresholds the curve is made of, two or more.
        curve: "ROC", "PR" (precision by recall) or "PRGAIN" (their gains; Flach & Kull, 2015).
        summation_method: "interpolation" (trapezoids; for "PR" as Davis & Goadrich, 2006),
            "minoring" or "majoring" (steps below or above the curve).
        name: its name.
        dtype: see `Metric`.
        thresholds: these instead of `num_thresholds` even ones; 0 and 1 are added.
        multi_label: whether each place of the last axis has an area, which are averaged.
        num_labels: the size of the last axis, where the state is to be made before the first batch.
        label_weights: weights of the labels in that average.
        from_logits: whether predictions are logits instead of probabilities.

    >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        _check_choice("curve", curve, ("ROC", "PR", "PRGAIN"))
        methods = ("interpolation", "minoring", "majoring")
        _check_choice("summation_method", summation_method, methods)
        if thresholds is None and (not isinstance(num_thresholds, int) or num_thresholds < 2):
            raise ValueError(f"num_thresholds must be an int above 1; got {num_thresholds!r}")
        epsilon = config.epsilon()
        self._levels = (
            _spread(num_thresholds)
            if thresholds is None
            else [-epsilon, *sorted(checked_thresholds(thresholds)), 1.0 + epsilon]
        )
        self.num_thresholds = len(self._levels)
        self.curve = curve
        self.summation_method = summation_method
        self.multi_label = multi_label
        self.label_weights = label_weights
        self.from_logits = from_logits
        if not multi_label:
            self._build((len(self._levels),))
        elif num_labels is not None:
            self._build((len(self._levels), num_labels))

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, the outer ones just beyond 0 and 1."""
        return list(self._levels)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in.

        Args:
            y_true: 0 or 1, any shape.
            y_pred: from 0 to 1 (logits where `from_logits`), of the same shape.
            sample_weight: broadcasts to the predictions, from the first axis on.
        """
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        y_true, y_pred, weight = prepared(y_true, y_pred, sample_weight, self._dtype)
        if self.multi_label and len(y_pred.shape) == 1:
            y_true, y_pred, weight = (ops.expand_dims(x, 0) for x in (y_true, y_pred, weight))
        if self.true_positives is None:
            self._build((len(self._levels), y_pred.shape[-1]))
        if self.label_weights is not None and not self.multi_label:
            weight = weight * ops.convert_to_tensor(self.label_weights, self._dtype)
        self._add(confusion(y_true, y_pred, weight, self._levels, self.multi_label))

    def result(self) -> Tensor:
        if self.true_positives is None:
            return ops.convert_to_tensor(0.0, self._dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._average(self._precision_recall_area())
        x, y = self._curve()
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) * 0.5
        else:
            choose = ops.minimum if self.summation_method == "minoring" else ops.maximum
            heights = choose(y[:-1], y[1:])
        return self._average((x[:-1] - x[1:]) * heights)

    def _curve(self) -> tuple[Tensor, Tensor]:
        """Abscissas and ordinates at the thresholds."""
        tp, fp, tn, fn = self._counts()
        recall = ops.divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            return ops.divide_no_nan(fp, fp + tn), recall
        precision = ops.divide_no_nan(tp, tp + fp)
        if self.curve == "PR":
            return recall, precision
        share = ops.divide_no_nan(tp + fn, tp + fp + tn + fn)
        recall, precision = (
            ops.divide_no_nan(x - share, (1.0 - share) * x) for x in (recall, precision)
        )
        return ops.maximum(recall, 0.0), precision

    def _precision_recall_area(self) -> Tensor:
        """Between thresholds the false positives are linear in the true ones; the exact areas."""
        tp, fp, _, fn = self._counts()
        positives = tp + fp
        found, more = tp[:-1] - tp[1:], positives[:-1] - positives[1:]
        slope = ops.divide_no_nan(found, ops.maximum(more, 0.0))
        intercept = tp[1:] - slope * positives[1:]
        grows = ops.logical_and(ops.greater(positives[:-1], 0.0), ops.greater(positives[1:], 0.0))
        ratio = ops.where(grows, ops.divide_no_nan(positives[:-1], positives[1:]), 1.0)
        area = slope * (found + intercept * ops.log(ratio))
        return ops.divide_no_nan(area, ops.maximum(tp[1:] + fn[1:], 0.0))

    def _average(self, parts: Tensor) -> Tensor:
        """The sum of the parts of an area, averaged over labels."""
        areas = ops.sum(parts, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.convert_to_tensor(self.label_weights, self._dtype)
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))


def _check_choice(name: str, value: Any, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {tuple(known)}; got {value!r}")


class _BestAt(_AtThresholds):
    """The best of one ratio among the thresholds at which another reaches a value."""

    constraint = ""

    def __init__(
        self, value: float, num_thresholds: int, class_id: int | None, name: Any, dtype: Any
    ) -> None:
        super().__init__(dtype, name)
        if not 0 <= value <= 1:
            raise ValueError(f"{self.constraint} must be in [0, 1]; got {value!r}")
        if not isinstance(num_thresholds, int) or num_thresholds < 1:
            raise ValueError(f"num_thresholds must be an int above 0; got {num_thresholds!r}")
        self.class_id = class_id
        self.num_thresholds = num_thresholds
        self._value = value
        self._levels = [0.5] if num_thresholds == 1 else _spread(num_thresholds)
        self._build((len(self._levels),))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in.

        Args:
            y_true: 0 or 1, any shape.
            y_pred: from 0 to 1, of the same shape.
            sample_weight: broadcasts to the predictions, from the first axis on.
        """
        tensors = prepared(y_true, y_pred, sample_weight, self._dtype, class_id=self.class_id)
        self._add(confusion(*tensors, self._levels))

    def result(self) -> Tensor:
        reached, best = self._ratios(*self._counts())
        feasible = ops.greater_equal(reached, self._value)
        return ops.max(ops.where(feasible, best, 0.0))

    def _ratios(self, tp: Tensor, fp: Tensor, tn: Tensor, fn: Tensor) -> tuple[Tensor, Tensor]:
        """What has to reach the value, and what is wanted."""
        raise NotImplementedError(f"{type(self).__name__} must define _ratios")


class SensitivityAtSpecificity(_BestAt):
    """The largest share of found positives at a given share of found negatives.

    Args:
        specificity: what has to be reached, from 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: only this place of the last axis counts.
        name: its name.
        dtype: see `Metric`.
    """

    constraint = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def _ratios(self, tp: Tensor, fp: Tensor, tn: Tensor, fn: Tensor) -> tuple[Tensor, Tensor]:
        return ops.divide_no_nan(tn, tn + fp), ops.divide_no_nan(tp, tp + fn)


class SpecificityAtSensitivity(_BestAt):
    """The largest share of found negatives at a given share of found positives.

    Args:
        sensitivity: what has to be reached, from 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: only this place of the last axis counts.
        name: its name.
        dtype: see `Metric`.
    """

    constraint = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def _ratios(self, tp: Tensor, fp: Tensor, tn: Tensor, fn: Tensor) -> tuple[Tensor, Tensor]:
        return ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(tn, tn + fp)


class PrecisionAtRecall(_BestAt):
    """The largest precision at a given recall.

    Args:
        recall: what has to be reached, from 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: only this place of the last axis counts.
        name: its name.
        dtype: see `Metric`.
    """

    constraint = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def _ratios(self, tp: Tensor, fp: Tensor, tn: Tensor, fn: Tensor) -> tuple[Tensor, Tensor]:
        return ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(tp, tp + fp)


class RecallAtPrecision(_BestAt):
    """The largest recall at a given precision.

    Args:
        precision: what has to be reached, from 0 to 1.
        num_thresholds: how many thresholds are tried.
        class_id: only this place of the last axis counts.
        name: its name.
        dtype: see `Metric`.
    """

    constraint = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def _ratios(self, tp: Tensor, fp: Tensor, tn: Tensor, fn: Tensor) -> tuple[Tensor, Tensor]:
        return ops.divide_no_nan(tp, tp + fp), ops.divide_no_nan(tp, tp + fn)
