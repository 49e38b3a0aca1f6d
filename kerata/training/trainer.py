"""`Trainer`: `compile`, `fit`, `evaluate`, `predict` and the steps they are made of."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import optree

from kerata import losses as losses_module
from kerata import metrics as metrics_module
from kerata import ops, optimizers
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.errors import fold
from kerata.core.transforms import jit, value_and_grad
from kerata.training import loops
from kerata.training.checks import check_targets
from kerata.training.data import ArrayData, make_data, split_off, unpack_x_y_sample_weight
from kerata.training.objectives import CompiledMetrics, Objective
from kerata.training.results import output_spec, to_host

if TYPE_CHECKING:
    from kerata.layers.layer import Layer as _Mixed
else:
    _Mixed = object

_MANY_PROGRAMS = 4


class Trainer(_Mixed):
    """The training methods of `Model`."""

    def __init__(self) -> None:
        self._compiled = False
        self.optimizer: Any = None
        self.stop_training = False
        self.history: Any = None
        self._loss_tracker: Any = None
        self._compile_metrics: CompiledMetrics | None = None
        self._compile_loss: Objective | None = None
        self._functions: dict[str, jit] = {}
        self._warned_programs = 0
        self._trained: list[Any] = []
        self._regularized: bool | None = None

    # Compiling

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose optimizer, loss and metrics.

        Args:
            optimizer: an optimizer, its name, or its config.
            loss: a loss, its name, or a function `(y_true, y_pred)`; for several outputs a list or
                a dict by the outputs' names.
            loss_weights: a factor for each output's loss.
            metrics: a list of metrics or names; for several outputs a list of lists or a dict.
            weighted_metrics: likewise, and weighted by `sample_weight`.
            run_eagerly: compile nothing, so that a debugger stops in `call`.
            steps_per_execution: steps in one call of the device; 1 and "auto" leave the choice to
                `fit`, which measures and takes several where no callback looks at every batch.
            jit_compile: "auto", True (XLA on TensorFlow, `torch.compile` on torch) or False.
            auto_scale_loss: scale the loss where float16 needs it.

        Raises:
            ValueError: an optimizer, loss or metric has an unknown name (the nearest is suggested).
        """
        if steps_per_execution != "auto" and (
            not isinstance(steps_per_execution, int) or steps_per_execution < 1
        ):
            raise ValueError(
                f"steps_per_execution must be a positive int or 'auto'; got {steps_per_execution!r}"
            )
        names = getattr(self, "output_names", ())
        self.optimizer = optimizers.get(optimizer)
        half = self.compute_dtype == "float16"
        if (
            auto_scale_loss
            and half
            and not isinstance(self.optimizer, optimizers.LossScaleOptimizer)
        ):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        self._compile_loss = None if loss is None else Objective(loss, loss_weights, names)
        _check_loss_names(loss)
        self._compile_metrics = CompiledMetrics(metrics, weighted_metrics, names)
        _check_metric_names(metrics, weighted_metrics)
        self._loss_tracker = metrics_module.Mean(name="loss")
        self.run_eagerly = run_eagerly
        self.steps_per_execution = steps_per_execution
        self.jit_compile = jit_compile
        self.auto_scale_loss = auto_scale_loss
        self._compile_arguments = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self._functions = {}
        self.stop_training = False
        self._compiled = True

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled

    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile` was called with, as JSON can hold it; None where it was not."""
        from kerata.core.serialization import serialize_object

        if not self._compiled:
            return None
        arguments = {**self._compile_arguments, "optimizer": self.optimizer}
        return {n: serialize_object(v) for n, v in arguments.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """`compile` with what `get_compile_config` gave."""
        from kerata.core.serialization import deserialize_object

        self.compile(**{n: deserialize_object(v) for n, v in config.items()})
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _assert_compiled(self, method: str) -> None:
        if not self._compiled:
            raise ValueError(
                f"Call compile(optimizer, loss) before {method}: "
                f"model {self.name!r} is not compiled"
            )

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
            loss = self.compute_loss(x, y, y_pred, sample_weight, True)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        (_, (loss, y_pred)), gradients = value_and_grad(loss_of, variables, has_aux=True)()
        self._track(loss, x)
        self.optimizer.apply(gradients, variables)
        if type(self).compute_metrics is not Trainer.compute_metrics:
            self.compute_metrics(x, y, y_pred, sample_weight)
        else:
            self._update_metrics(x, y, y_pred, sample_weight)

    def _to_train(self) -> list[Any]:
        found = self.trainable_variables
        if not found:
            raise ValueError(f"Model {self.name!r} has nothing to train")
        return list(found)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training; override it to train in your own way, once for all backends.

        Args:
            data: a batch, `(x, y, sample_weight)`.

        Returns:
            What is shown and kept, by name.

        Example:
            >>> def train_step(self, data):
            ...     x, y, _ = data
            ...     loss, gradients = kerata.value_and_grad(self.loss_of, variables)(x, y)
            ...     self.optimizer.apply(gradients, variables)
            ...     return {"loss": loss}
        """
        self._update(data)
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of `evaluate`; arguments and result as in `train_step`."""
        self._score(data)
        return self.get_metrics_result()

    def _score(self, data: Any) -> None:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        if self._compile_loss is not None or self._added_losses():
            self._track(self.compute_loss(x, y, y_pred, sample_weight, False), x)
        self._update_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of `predict`."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def _step(self, kind: str) -> Any:
        """The step as users override it, or the default without reading the metrics."""
        if kind == "train" and type(self).train_step is Trainer.train_step:
            return self._update
        if kind == "test" and type(self).test_step is Trainer.test_step:
            return self._score
        return getattr(self, f"{kind}_step")

    def _function(self, kind: str, form: str) -> Callable[..., Any]:
        """The compiled step: `form` "batch" takes a batch, "rows" arrays and indices of rows,
        "many" arrays and an index matrix, one row a step."""
        step = self._step(kind)

        def rows(arrays: Any, index: Any) -> Any:
            return step(optree.tree_map(lambda a: ops.take(a, index, 0), arrays))

        def many(arrays: Any, indices: Any) -> Any:
            backend = state.backend or ensure()
            return backend.repeat(lambda index: rows(arrays, index), indices)

        function: Any = {"batch": step, "rows": rows, "many": many}[form]
        if self._compiled and self.run_eagerly:
            return function
        name = f"{kind}_{form}"
        if name not in self._functions:
            option = self.jit_compile if self._compiled else "auto"
            self._functions[name] = jit(function, jit_compile=option)
        return self._functions[name]

    def make_train_function(self, force: bool = False) -> Callable[[Any], Any]:
        """The compiled training step of a batch; `force` compiles anew."""
        return self._compiled_step("train", force)

    def make_test_function(self, force: bool = False) -> Callable[[Any], Any]:
        """The compiled evaluation step of a batch; `force` compiles anew."""
        return self._compiled_step("test", force)

    def make_predict_function(self, force: bool = False) -> Callable[[Any], Any]:
        """The compiled prediction step of a batch; `force` compiles anew."""
        return self._compiled_step("predict", force)

    def _compiled_step(self, kind: str, force: bool) -> Callable[[Any], Any]:
        if force:
            self._functions = {n: f for n, f in self._functions.items() if not n.startswith(kind)}
        return self._function(kind, "batch")

    @property
    def compilations(self) -> dict[str, dict[str, list[str]]]:
        """For each program and backend the shapes that it was compiled for."""
        found: dict[str, dict[str, list[str]]] = {}
        for name, function in self._functions.items():
            for backend, shapes in function.compilations.items():
                if shapes:
                    by = found.setdefault(name.split("_")[0], {})
                    by[backend] = by.get(backend, []) + shapes
        return found

    def _warn_of_programs(self) -> None:
        for program, by in self.compilations.items():
            for backend, shapes in by.items():
                if len(set(shapes)) > max(_MANY_PROGRAMS, self._warned_programs):
                    self._warned_programs = 2 * len(set(shapes))
                    last = "; ".join(list(dict.fromkeys(shapes))[-3:])
                    warnings.warn(
                        f"The {program} step was compiled {len(shapes)} times on {backend}, as "
                        f"the shapes of the batches differ, the last ones: {last}. Batches of one "
                        "shape (padding, or a fixed batch_size) are compiled once.",
                        stacklevel=3,
                    )

    # Making ready

    def _prepare(self, batch: Any, kind: str) -> None:
        """Build model, losses, metrics and optimizer for a batch, and check that all fit."""
        x, y, _ = unpack_x_y_sample_weight(batch)
        y_pred = output_spec(self, x)
        if kind == "predict":
            return
        if self._compile_loss is not None and not self._compile_loss.built:
            self._compile_loss.build(y_pred)
        if self._compile_metrics is not None and not self._compile_metrics.built and y is not None:
            self._compile_metrics.build(y, y_pred)
        if self._compile_loss is not None:
            check_targets(self._compile_loss, y, y_pred)
        if kind == "train" and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self._to_train())
        variables = self.trainable_variables
        self._regularized = any(v.regularizer is not None for v in variables)
        self._trained = variables if kind == "train" else []

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

        Returns:
            The `History`.

        Raises:
            ValueError: the data does not fit together, or to the model; the loss of the first batch
                is not a number.
        """
        self._assert_compiled("fit")
        try:
            if validation_split and validation_data is None:
                parts, validation_data = split_off((x, y, sample_weight), validation_split)
                x, y, sample_weight = parts
            data = make_data(
                x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch
            )
            self._prepare(data.first(), "train")
            return loops.fit(
                self, data, epochs, verbose, callbacks, initial_epoch, steps_per_epoch,
                loops.Validation(
                    validation_data, validation_batch_size or batch_size, validation_steps,
                    validation_freq,
                ),
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
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data; arguments as in `fit`.

        Returns:
            The loss, or the list of the loss and the metrics in the order of `metrics_names`, or
            with `return_dict` all by name.
        """
        self._assert_compiled("evaluate")
        if kwargs:
            raise TypeError(f"evaluate: unknown argument(s) {', '.join(map(repr, kwargs))}")
        try:
            data = make_data(x, y, sample_weight, batch_size, steps=steps)
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
    ) -> Any:
        """The outputs for data, as NumPy arrays; arguments as in `fit`."""
        try:
            data = make_data(x, batch_size=batch_size, steps=steps)
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
        data = ArrayData(x, y, sample_weight, 2**31 - 1, class_weight=class_weight)
        return self._on_batch("train", data, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One evaluation step; returns the metrics' results so far, as `evaluate` does."""
        self._assert_compiled("test_on_batch")
        return self._on_batch("test", ArrayData(x, y, sample_weight, 2**31 - 1), return_dict)

    def _on_batch(self, kind: str, data: Any, return_dict: bool) -> Any:
        self._prepare(data.first(), kind)
        logs = loops.on_batch(self, kind, data.placed())
        values = list(logs.values())
        return logs if return_dict else values[0] if len(values) == 1 else values

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        data = ArrayData(x, batch_size=2**31 - 1)
        self._prepare(data.first(), "predict")
        backend = state.backend or ensure()
        with backend.inference():
            result = self._function("predict", "batch")(data.placed())
        return optree.tree_map(np.asarray, to_host(result))


def _check_loss_names(loss: Any) -> None:
    for one in optree.tree_leaves(loss) if loss is not None else ():
        if isinstance(one, str):
            losses_module.get(one)


def _check_metric_names(*given: Any) -> None:
    for one in optree.tree_leaves(given):
        if isinstance(one, str) and one not in ("accuracy", "acc", "crossentropy", "ce"):
            metrics_module.get(one)
