"""`compile`'s loss and metrics, resolved for the structure of the model's outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import optree

from kerata import losses as losses_module
from kerata import metrics as metrics_module
from kerata import ops
from kerata.core.names import snake_case


def _output_names(y_pred: Any, names: Sequence[str]) -> list[str]:
    if isinstance(y_pred, dict):
        return sorted(y_pred)
    count = len(optree.tree_leaves(y_pred))
    return list(names) if len(names) == count else [f"output_{i}" for i in range(count)]


def _flat(tree: Any, names: list[str], y_pred: Any) -> list[Any]:
    """`tree` (targets, losses, weights) with one entry for each output."""
    if isinstance(tree, Mapping):
        unknown = [k for k in tree if k not in names]
        if unknown:
            raise ValueError(f"There is no output named {unknown}; the outputs are {names}")
        return [tree.get(n) for n in names]
    if len(names) == 1 and not isinstance(y_pred, (list, tuple, dict)):
        return [tree]
    if isinstance(tree, (list, tuple)):
        if len(tree) != len(names):
            raise ValueError(f"Expected {len(names)} entries, one for each output; got {len(tree)}")
        return list(tree)
    return [tree] * len(names)


class Objective:
    """The loss of `compile`: one for each output, weighted and summed.

    Attributes:
        divisors: a list to put what each loss was divided by into (see `Loss.with_divisor`), or
            None.
    """

    def __init__(self, loss: Any, weights: Any, output_names: Sequence[str]) -> None:
        self._given = loss
        self._weights_given = weights
        self._names_given = output_names
        self.names: list[str] = []
        self.losses: list[Any] = []
        self.weights: list[float | None] = []
        self.trackers: list[Any] = []
        self.built = False
        self.divisors: list[Any] | None = None

    def build(self, y_pred: Any) -> None:
        """Resolve names and structures; `y_pred` may be symbolic."""
        self.names = _output_names(y_pred, self._names_given)
        given = self._given
        if len(self.names) > 1 and not isinstance(given, (list, tuple, Mapping)):
            given = [given] * len(self.names)
        self.losses = [
            None if one is None else _as_loss(one) for one in _flat(given, self.names, y_pred)
        ]
        weights = self._weights_given
        self.weights = (
            [None] * len(self.names) if weights is None else _flat(weights, self.names, y_pred)
        )
        if len(self.names) > 1:
            self.trackers = [metrics_module.Mean(name=f"{n}_loss") for n in self.names]
        self.built = True

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The sum of the outputs' losses, or None where there are none."""
        if not self.built:
            self.build(y_pred)
        if len(self.losses) == 1 and not isinstance(y_pred, (list, tuple, dict)):
            target = y[0] if isinstance(y, (list, tuple)) and len(y) == 1 else y
            return self._one(0, target, y_pred, sample_weight)
        outputs = optree.tree_leaves(y_pred)
        targets = _flat(y, self.names, y_pred)
        weights = _flat(sample_weight, self.names, y_pred)
        total = None
        for i, (t, p, w) in enumerate(zip(targets, outputs, weights, strict=True)):
            value = self._one(i, t, p, w)
            if value is not None:
                if self.trackers:
                    self.trackers[i].update_state(value, sample_weight=_rows(p))
                total = value if total is None else total + value
        return total

    def _one(self, i: int, target: Any, output: Any, weight: Any) -> Any:
        loss = self.losses[i]
        if loss is None:
            return None
        if self.divisors is None:
            value = loss(target, output, sample_weight=weight)
        else:
            value, divisor = loss.with_divisor(target, output, weight)
            self.divisors.append(divisor)
        return value if self.weights[i] is None else value * self.weights[i]


def joined(divisors: list[Any], rows: Any) -> Any:
    """What the mean of gradients weighs those of a batch by (see `Optimizer.apply`).

    Args:
        divisors: what each of its losses was divided by; sums say nothing beside means.
        rows: the samples of the batch, for losses that don't say.
    """
    means = [d for d in divisors if not isinstance(d, str)]
    if any(d is None for d in means) or not divisors:
        return rows
    if not means:
        return "sum"
    total = means[0]
    for divisor in means[1:]:
        total = ops.add(ops.cast(total, "float32"), ops.cast(divisor, "float32"))
    return total


def _rows(x: Any) -> Any:
    sizes = ops.shape(x)
    return sizes[0] if sizes else 1


def _as_loss(one: Any) -> Any:
    loss = losses_module.get(one)
    if isinstance(loss, losses_module.Loss):
        return loss
    return losses_module.LossFunctionWrapper(loss, name=getattr(loss, "__name__", None))


_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")


class CompiledMetrics:
    """The metrics of `compile`, one list for each output."""

    def __init__(self, metrics: Any, weighted: Any, output_names: Sequence[str]) -> None:
        self._given = metrics
        self._weighted_given = weighted
        self._names_given = output_names
        self._entries: list[tuple[int, bool, Any, str]] = []
        self.built = False

    @property
    def metrics(self) -> list[Any]:
        """All of them, in the order in which they are shown."""
        return [m for _, _, m, _ in self._entries]

    def build(self, y: Any, y_pred: Any) -> None:
        """Resolve names by the shapes of targets and outputs; these may be symbolic."""
        names = _output_names(y_pred, self._names_given)
        outputs = optree.tree_leaves(y_pred)
        targets = _flat(y, names, y_pred)
        for weighted, given in ((False, self._given), (True, self._weighted_given)):
            if not given:
                continue
            for i, listed in enumerate(self._by_output(given, names)):
                for one in listed:
                    metric = _as_metric(one, targets[i], outputs[i])
                    label = metric.name if len(names) == 1 else f"{names[i]}_{metric.name}"
                    self._entries.append((i, weighted, metric, label))
        self.built = True

    def _by_output(self, given: Any, names: list[str]) -> list[list[Any]]:
        if isinstance(given, Mapping):
            unknown = [k for k in given if k not in names]
            if unknown:
                raise ValueError(f"metrics: no output is named {unknown}; there are {names}")
            found = [given.get(n) for n in names]
        elif len(names) == 1:
            inner = given[0] if len(given) == 1 and isinstance(given[0], (list, tuple)) else given
            found = [inner]
        else:
            if not isinstance(given, (list, tuple)) or len(given) != len(names):
                raise ValueError(
                    f"metrics: give a list for each of the outputs {names}, or a dict by them"
                )
            found = list(given)
        return [
            [] if f is None else list(f) if isinstance(f, (list, tuple)) else [f] for f in found
        ]

    def update(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        if not self.built:
            self.build(y, y_pred)
        if not self._entries:
            return
        if isinstance(y_pred, (list, tuple, dict)):
            names = _output_names(y_pred, self._names_given)
            outputs = optree.tree_leaves(y_pred)
            targets = _flat(y, names, y_pred)
            weights = _flat(sample_weight, names, y_pred)
        else:
            outputs, targets, weights = [y_pred], [y], [sample_weight]
        for i, weighted, metric, _ in self._entries:
            metric.update_state(
                targets[i], outputs[i], sample_weight=weights[i] if weighted else None
            )

    def results(self) -> dict[str, Any]:
        """Each metric's result by its label."""
        found: dict[str, Any] = {}
        for _, _, metric, label in self._entries:
            value = metric.result()
            if isinstance(value, dict):
                found |= value
            else:
                found[label] = value
        return found


def _as_metric(one: Any, target: Any, output: Any) -> Any:
    if isinstance(one, metrics_module.Metric):
        return one
    if isinstance(one, str) and one in (*_ACCURACY, *_CROSSENTROPY):
        return _by_shapes(one, target, output)
    name = one if isinstance(one, str) else None
    metric = metrics_module.get(one)
    if isinstance(metric, metrics_module.Metric):
        metric.name = name or metric.name  # logs have the name that compile was given
        return metric
    return metrics_module.MeanMetricWrapper(
        metric, name=name or snake_case(getattr(one, "__name__", "metric"))
    )


def _by_shapes(name: str, target: Any, output: Any) -> Any:
    """ "accuracy" and "crossentropy" as the one that fits targets and outputs."""
    kind = "accuracy" if name in _ACCURACY else "crossentropy"
    sizes, given = tuple(output.shape), tuple(target.shape)
    if sizes and sizes[-1] == 1:
        prefix = "Binary"
    elif len(given) < len(sizes) or given[-1:] == (1,):
        prefix = "SparseCategorical"
    else:
        prefix = "Categorical"
    cls = getattr(metrics_module, f"{prefix}{kind.capitalize()}")
    return cls(name=name)
