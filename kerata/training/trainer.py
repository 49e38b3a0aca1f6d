"""`Trainer`: `fit`, `evaluate`, `predict` and the steps they are made of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import optree

from kerata import ops
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.errors import fold
from kerata.core.transforms import jit, value_and_grad
from kerata.layers.preprocessing.ahead import ahead_of
from kerata.training import loops
from kerata.training.checks import check_targets
from kerata.training.compiling import Compiling
from kerata.training.custom_steps import ALONE, as_step_of_data, as_step_of_state
from kerata.training.data import (
    ArrayData,
    as_inputs,
    make_data,
    split_off,
    unpack_x_y_sample_weight,
)
from kerata.training.data.iterated import on_device
from kerata.training.limits import Limits, limited
from kerata.training.objectives import joined
from kerata.training.programs import Programs
from kerata.training.results import output_spec, to_host
from kerata.training.stateless import StatelessTraining
from kerata.training.tuning import Tuning


class Trainer(Compiling, StatelessTraining, Programs, Tuning):
    """The training methods of `Model`."""

    def __init__(self) -> None:
        Programs.__init__(self)
        self.stop_training = False
        self.history: Any = None
        self.current_run: Any = None
        self._gradient_metrics: list[Any] = []
        self._trained: list[Any] = []
        self._regularized: bool | None = None

    # Metrics and losses

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the metrics of `compile`, and those in its attributes and layers."""
        own: list[Any] = super().metrics
        if not self._compiled:
            return own
        found = [self._loss_tracker] if self._loss_tracker is not None else []
        if self._compile_loss is not None:
            found += self._compile_loss.trackers
        if self._compile_metrics is not None:
            found += self._compile_metrics.metrics
        found += self._gradient_metrics
        return found + [m for m in own if all(m is not f for f in found)]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the results, in the order in which `evaluate` returns them."""
        return list(self.get_metrics_result())

    def reset_metrics(self) -> None:
        """Start counting again."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Every metric's result, as tensors."""
        compiled = self._compile_metrics
        own = compiled.metrics if compiled is not None else []
        found: dict[str, Any] = {}
        for metric in self.metrics:
            if any(metric is m for m in own):
                continue
            value = metric.result()
            found |= value if isinstance(value, dict) else {metric.name: value}
        return found | (compiled.results() if compiled is not None else {})

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The loss of a batch: that of `compile`, and what the layers added. May be overridden.

        Raises:
            ValueError: there is nothing to minimise.
        """
        found = []
        if self._compile_loss is not None:
            value = self._compile_loss(y, y_pred, sample_weight)
            if value is not None:
                found.append(value)
        found += [ops.cast(v, "float32") for v in self._added_losses()]
        if not found:
            if not training:
                return ops.zeros(())
            raise ValueError(
                "There is no loss to minimise: give compile a loss, or add one with add_loss"
            )
        total = found[0]
        for value in found[1:]:
            total = total + value
        return total

    def _added_losses(self) -> list[Any]:
        """`losses`, without looking through the layers where none has any."""
        if self._regularized is False and not state.added_losses:
            return []
        return self.losses

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Take a batch into the metrics and return their results. May be overridden."""
        self._update_metrics(x, y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self._compile_metrics is not None and y is not None:
            self._compile_metrics.update(y, y_pred, sample_weight)

    def _track(self, loss: Any, x: Any) -> None:
        count = ops.shape(optree.tree_leaves(x)[0])[0]
        self._loss_tracker.update_state(loss, sample_weight=count)

    # Steps

    def _update(self, data: Any) -> None:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        variables = self._trained or self._to_train()

        def loss_of() -> Any:
            y_pred = self(x, training=True)
            loss, weight = self._loss_and_weight(x, y, y_pred, sample_weight)
            return self.optimizer.scale_loss(loss), (loss, y_pred, weight)

        (_, (loss, y_pred, weight)), gradients = value_and_grad(loss_of, variables, has_aux=True)()
        self._track(loss, x)
        for metric in self._gradient_metrics:
            metric.update_state(gradients, variables, self.optimizer)
        if weight is None:
            self.optimizer.apply(gradients, variables)
        else:
            self.optimizer.apply(gradients, variables, weight=weight)
        if type(self).compute_metrics is not Trainer.compute_metrics:
            self.compute_metrics(x, y, y_pred, sample_weight)
        else:
            self._update_metrics(x, y, y_pred, sample_weight)

    def _loss_and_weight(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """The loss, and what the optimizer weighs its gradients by where it accumulates them."""
        if not self.optimizer.accumulates:
            return self.compute_loss(x, y, y_pred, sample_weight, True), None
        divisors: list[Any] = []
        if self._compile_loss is not None:
            self._compile_loss.divisors = divisors
        loss = self.compute_loss(x, y, y_pred, sample_weight, True)
        if self._compile_loss is not None:
            self._compile_loss.divisors = None
        return loss, joined(divisors, ops.shape(optree.tree_leaves(x)[0])[0])

    def _flush(self) -> None:
        """Apply the gradients that wait for the rest of their window, at the end of an epoch."""
        if self.optimizer is None or not self.optimizer.accumulates:
            return
        if self.run_eagerly:
            self.optimizer.flush()
            return
        if "flush" not in self._functions:
            self._functions["flush"] = jit(self.optimizer.flush)
        self._functions["flush"]()

    def _to_train(self) -> list[Any]:
        found = self.trainable_variables
        if not found:
            raise ValueError(f"Model {self.name!r} has nothing to train")
        return list(found)

    def train_step(self, state: Any, data: Any = ALONE) -> Any:
        """One step of training; override it to train in your own way.

        An override takes `(self, data)` and works on every backend. It may also be written as
        users of Keras do for one engine: with `tf.GradientTape` or `loss.backward()`, or for JAX as
        `train_step(self, state, data)`, a function of the state that returns `(logs, state)`.

        Args:
            state: the batch where it is the only argument; otherwise the values of the trainable,
                the other, the optimizer's and the metrics' variables, four lists.
            data: a batch: `x`, `(x, y)` or `(x, y, sample_weight)`, as far as there are any.

        Returns:
            What is shown and kept, by name; with a state `(logs, state)`.

        Example:
            >>> def train_step(self, data):
            ...     x, y = data
            ...     loss, gradients = kerata.value_and_grad(self.loss_of, variables)(x, y)
            ...     self.optimizer.apply(gradients, variables)
            ...     return {"loss": loss}
        """
        if data is not ALONE:
            return as_step_of_state(self, "train", Trainer.train_step, state, data)
        self._update(state)
        return self.get_metrics_result()

    def test_step(self, state: Any, data: Any = ALONE) -> Any:
        """One step of `evaluate`; as `train_step`, without the optimizer's part of the state."""
        if data is not ALONE:
            return as_step_of_state(self, "test", Trainer.test_step, state, data)
        self._score(state)
        return self.get_metrics_result()

    def _score(self, data: Any) -> None:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        own = type(self).compute_loss is not Trainer.compute_loss
        if own or self._compile_loss is not None or self._added_losses():
            self._track(self.compute_loss(x, y, y_pred, sample_weight, False), x)
        self._update_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, state: Any, data: Any = ALONE) -> Any:
        """One step of `predict`: the outputs for a batch.

        Its state are the trainable and the other variables' values; with one it returns the outputs
        and the new values of the others.
        """
        if data is not ALONE:
            return as_step_of_state(self, "predict", Trainer.predict_step, state, data)
        return self._predicted(state)

    def _predicted(self, data: Any) -> Any:
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def _watch_gradients(self, metrics: list[Any]) -> None:
        """Give the gradients of each step of the default `train_step` to these metrics alone."""
        self._gradient_metrics = metrics
        self.make_train_function(force=True)

    def _has_own_step(self, kind: str) -> bool:
        return getattr(type(self), f"{kind}_step") is not getattr(Trainer, f"{kind}_step")

    def _step(self, kind: str) -> Callable[[Any], Any]:
        """The step as users override it, or the default without reading the metrics."""
        if self._has_own_step(kind):
            return as_step_of_data(self, kind, getattr(self, f"{kind}_step"))
        default: Any = {"train": self._update, "test": self._score, "predict": self._predicted}
        return default[kind]

    # Making ready

    def _prepare(self, batch: Any, kind: str) -> None:
        """Build model, losses, metrics and optimizer for a batch, and check that all fit."""
        x, y, _ = unpack_x_y_sample_weight(batch)
        y_pred = self._output_spec(x, kind)
        if kind == "predict" or y_pred is None:
            return
        if self._compile_loss is not None and not self._compile_loss.built:
            self._compile_loss.build(y_pred)
        if self._compile_metrics is not None and not self._compile_metrics.built and y is not None:
            self._compile_metrics.build(y, y_pred)
        if self._compile_loss is not None:
            check_targets(self._compile_loss, y, y_pred)
        variables = self.trainable_variables
        if kind == "train" and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(variables if self._has_own_step(kind) else self._to_train())
        self._regularized = any(v.regularizer is not None for v in variables)
        self._trained = variables if kind == "train" else []

    def _output_spec(self, x: Any, kind: str) -> Any:
        """What the model gives for `x`; None where only a step of the user's own takes it."""
        try:
            return output_spec(self, x)
        except Exception:
            if self._has_own_step(kind) and all(
                layer.built for layer in self._flatten_layers() if layer is not self
            ):
                return None
            raise

    # The methods

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        fast_dev_run: bool | int = False,
        overfit_batches: int | float = 0,
        limit_train_batches: int | float | None = None,
        limit_val_batches: int | float | None = None,
    ) -> Any:
        """Train for a number of epochs.

        Args:
            x: arrays `(samples, ...)`, a nesting of them, or what yields batches `(x, y)` or
                `(x, y, sample_weight)`.
            y: targets, where `x` is arrays.
            batch_size: rows a batch, 32 where None.
            epochs: the number of the last epoch.
            verbose: 0 silent, 1 a bar (a line an epoch where output is no terminal), 2 a line an
                epoch.
            callbacks: `kerata.callbacks.Callback` objects.
            validation_split: the share of the last rows to validate with instead of training.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, or what yields batches.
            shuffle: whether rows are put in a new order each epoch.
            class_weight: `{class: weight}`.
            sample_weight: a weight for each row.
            initial_epoch: the number of the epoch to start at.
            steps_per_epoch: batches an epoch, where `x` yields batches.
            validation_steps: likewise for validation.
            validation_batch_size: `batch_size` where None.
            validation_freq: validate every so many epochs, or a list of epochs.
            fast_dev_run: try everything out with one batch of training and of validation (or with
                this number of them), one epoch, and no callback that writes files.
            overfit_batches: train on the same first batches again and again, so many or that share
                of all, without shuffling; validation has as many.
            limit_train_batches: batches an epoch (int), or their share (float).
            limit_val_batches: batches of a validation, or their share; 0 for no validation.

        Returns:
            The `History`.

        Raises:
            ValueError: the data does not fit together, or to the model; the loss of the first batch
                is not a number.
        """
        self._assert_compiled("fit")
        limits = Limits(fast_dev_run, overfit_batches, limit_train_batches, limit_val_batches)
        try:
            x, validation_data = as_inputs(self, x), as_inputs(self, validation_data)
            if validation_split and validation_data is None:
                parts, validation_data = split_off((x, y, sample_weight), validation_split)
                x, y, sample_weight = parts
            data = limits.training(
                make_data(
                    x, y, sample_weight, batch_size, shuffle and not limits.overfit, class_weight,
                    steps_per_epoch, ahead_of(self),
                )
            )  # fmt: skip
            validation = loops.Validation(
                validation_data, validation_batch_size or batch_size, validation_steps,
                validation_freq, ahead_of(self),
            )  # fmt: skip
            self._prepare(data.first(), "train")
            return loops.fit(
                self, data, min(epochs, initial_epoch + 1) if limits.dev else epochs, verbose,
                limits.callbacks(callbacks), initial_epoch, limits.validating(validation),
            )  # fmt: skip
        except Exception as error:
            fold(error)
            raise

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        *,
        limit_batches: int | float | None = None,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data; arguments as in `fit`.

        With `limit_batches` on so many batches, or on that share of them.

        Returns:
            The loss, or the list of the loss and the metrics in the order of `metrics_names`, or
            with `return_dict` all by name.
        """
        self._assert_compiled("evaluate")
        if kwargs:
            raise TypeError(f"evaluate: unknown argument(s) {', '.join(map(repr, kwargs))}")
        try:
            data = make_data(
                as_inputs(self, x),
                y,
                sample_weight,
                batch_size,
                steps=steps,
                prepare=ahead_of(self),
            )
            with closing(data):
                limited(data, limit_batches, "limit_batches")
                self._prepare(data.first(), "test")
                logs = loops.evaluate(self, data, steps, verbose, callbacks)
        except Exception as error:
            fold(error)
            raise
        values = list(logs.values())
        return logs if return_dict else values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        *,
        limit_batches: int | float | None = None,
    ) -> Any:
        """The outputs for data, as NumPy arrays; arguments as in `evaluate`."""
        try:
            data = make_data(
                as_inputs(self, x), batch_size=batch_size, steps=steps, prepare=ahead_of(self)
            )
            with closing(data):
                limited(data, limit_batches, "limit_batches")
                self._prepare(data.first(), "predict")
                return loops.predict(self, data, steps, verbose, callbacks)
        except Exception as error:
            fold(error)
            raise

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step; returns the metrics' results so far, as `evaluate` does."""
        self._assert_compiled("train_on_batch")
        x = as_inputs(self, x)
        data = ArrayData(x, y, sample_weight, 2**31 - 1, class_weight=class_weight)
        return self._on_batch("train", data, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One evaluation step; returns the metrics' results so far, as `evaluate` does."""
        self._assert_compiled("test_on_batch")
        data = ArrayData(as_inputs(self, x), y, sample_weight, 2**31 - 1)
        return self._on_batch("test", data, return_dict)

    def _on_batch(self, kind: str, data: Any, return_dict: bool) -> Any:
        logs = loops.on_batch(self, kind, self._placed(data, kind))
        values = list(logs.values())
        return logs if return_dict else values[0] if len(values) == 1 else values

    def _placed(self, data: ArrayData, kind: str) -> Any:
        """Arrays as one batch on the device, the model built for it."""
        prepare = ahead_of(self)
        if prepare is None:
            self._prepare(data.first(), kind)
            return data.placed()
        batch = (prepare(data.parts[0]), *data.parts[1:])
        self._prepare(batch, kind)
        return on_device(batch)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        data = ArrayData(as_inputs(self, x), batch_size=2**31 - 1)
        batch = self._placed(data, "predict")
        backend = state.backend or ensure()
        with backend.inference():
            result = self._function("predict", "batch")(batch)
        return optree.tree_map(np.asarray, to_host(result))
