"""`GradientNorm`: how large gradients are, among the logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.callbacks.callback import Callback, Logs
from kerata.metrics.metric import Metric
from kerata.ops.dispatch import Tensor
from kerata.optimizers.gradients import squares

_NAME = "gradient_norm"


class _Norms(Metric):
    """The means over the steps of the norm of all gradients, and of each layer's.

    Args:
        layers: the paths of the layers to give the norms of.
    """

    def __init__(self, layers: Sequence[str]) -> None:
        super().__init__(name=_NAME)
        self.layers = list(layers)
        self.shown = True
        self.total = self.add_weight((1 + len(self.layers),), name="total")
        self.steps = self.add_weight(name="steps")

    def update_state(
        self, gradients: Sequence[Tensor], variables: Sequence[Any], optimizer: Any
    ) -> None:
        """Take the gradients of a step in; those that a loss scale made too large are left out."""
        found = [squares(g) for g in gradients if g is not None]
        places = [layer_of(v) for v, g in zip(variables, gradients, strict=True) if g is not None]
        groups = [found]
        for layer in self.layers:
            groups.append([s for s, place in zip(found, places, strict=True) if place == layer])
        norms = ops.sqrt(ops.stack([ops.cast(_sum(group), self.dtype) for group in groups]))
        scale = optimizer.scale_loss(ops.ones((), self.dtype))
        norms = norms / ops.cast(scale, self.dtype)
        if hasattr(optimizer, "dynamic_growth_steps"):
            finite = ops.isfinite(norms[0])
            self.total.assign_add(ops.where(finite, norms, ops.zeros_like(norms)))
            self.steps.assign_add(ops.cast(finite, self.dtype))
        else:
            self.total.assign_add(norms)
            self.steps.assign_add(1.0)

    def result(self) -> dict[str, Tensor]:
        if not self.shown:
            return {}
        means = ops.divide_no_nan(self.total.value, self.steps.value)
        names = [_NAME, *(f"{_NAME}/{layer}" for layer in self.layers)]
        return {name: means[i] for i, name in enumerate(names)}


def _sum(parts: list[Tensor]) -> Tensor:
    return ops.sum(ops.stack(parts)) if parts else ops.zeros(())


def layer_of(variable: Any) -> str:
    """The path of the layer that a variable belongs to."""
    return str(variable.path).rpartition("/")[0] or str(variable.path)


class GradientNorm(Callback):
    """Put the mean norm of the gradients among the logs, as `gradient_norm`.

    So `History`, `CSVLogger`, `TensorBoard` and the progress bar show it. It is measured inside of
    the compiled step, before clipping, and read when the metrics are. Norms that grow without bound
    call for a smaller learning rate or clipping, and those of a layer that vanish for other
    activations, initial weights or residual connections.

    Args:
        per_layer: whether to give each layer's norm too, as `gradient_norm/{path of the layer}`.

    Raises:
        ValueError: when training begins: the model has a `train_step` of its own, whose gradients
            are not seen.

    Example:
        >>> history = model.fit(x, y, callbacks=[GradientNorm()])
        >>> history.history["gradient_norm"]
    """

    def __init__(self, per_layer: bool = False) -> None:
        super().__init__()
        self.per_layer = per_layer
        self._metric: _Norms | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        model = self.model
        if model._has_own_step("train"):
            raise ValueError(
                f"GradientNorm sees the gradients of the default train_step; "
                f"{type(model).__name__} has its own"
            )
        layers = dict.fromkeys(map(layer_of, model.trainable_variables)) if self.per_layer else ()
        self._metric = _Norms(list(layers))
        model._watch_gradients([self._metric])  # until `fit` ends

    def on_test_begin(self, logs: Logs = None) -> None:
        if self._metric is not None:
            self._metric.shown = False

    def on_test_end(self, logs: Logs = None) -> None:
        if self._metric is not None:
            self._metric.shown = True

    def on_train_end(self, logs: Logs = None) -> None:
        self._metric = None
