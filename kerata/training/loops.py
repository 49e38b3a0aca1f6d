"""The loops of `fit`, `evaluate` and `predict`: one for all backends."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import optree

from kerata import config, ops
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.callbacks import CallbackList
from kerata.core.symbolic import KerasTensor
from kerata.optimizers import LossScaleOptimizer
from kerata.training.checks import check_all_labels, nan_message
from kerata.training.data import ArrayData, is_batches, make_data
from kerata.training.interrupt import between_steps
from kerata.training.results import as_numbers, output_spec, to_host
from kerata.training.run import Run
from kerata.training.steps import Chooser, Steps, chooser_for


class Validation:
    """Data to validate with, and when.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, something that yields batches, or None.
        batch_size: rows a batch.
        steps: batches, where `data` yields them.
        frequency: every so many epochs, or a list of epochs (from 1).
        prepare: as in `make_data`.
    """

    def __init__(
        self,
        data: Any,
        batch_size: int | None,
        steps: int | None,
        frequency: Any,
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        self.data = None
        self.steps = steps
        self.frequency = frequency
        if data is not None:
            if isinstance(data, (tuple, list)) and not is_batches(data):
                if not 1 <= len(data) <= 3:
                    raise ValueError(
                        "validation_data must be (x, y), (x, y, sample_weight) or yield batches; "
                        f"got {len(data)} parts"
                    )
                x, y, weight = (*data, None, None)[:3]
                self.data = make_data(x, y, weight, batch_size, steps=steps, prepare=prepare)
            else:
                self.data = make_data(data, batch_size=batch_size, steps=steps, prepare=prepare)
        self._chooser: Chooser | None = None

    def skip(self, times: int) -> None:
        """Go on after so many validations."""
        if self.data is not None:
            self.data.skip(times, 0, lambda: None)

    def close(self) -> None:
        """Stop what runs in the background."""
        if self.data is not None:
            self.data.close()

    def due(self, epoch: int) -> bool:
        """Whether to validate after epoch `epoch` (counted from 0)."""
        if self.data is None:
            return False
        if isinstance(self.frequency, int):
            return (epoch + 1) % self.frequency == 0
        return epoch + 1 in self.frequency

    def run(self, run: Run, epochs: int) -> dict[str, Any]:
        """The results, their names with `val_` before them."""
        if self._chooser is None:
            self._chooser = run.chooser("test", self.data, epochs)
        logs = score(run.model, self.data, run.callbacks, self._chooser)
        return {f"val_{name}": value for name, value in logs.items()}


def fit(
    model: Any,
    data: Any,
    epochs: int,
    verbose: Any,
    callbacks: Any,
    initial_epoch: int,
    validation: Validation,
) -> Any:
    """Train; see `Trainer.fit`."""
    limit = config.max_epochs()
    epochs = epochs if limit is None else min(epochs, initial_epoch + limit)
    listed = _listed(model, callbacks, verbose, data, epochs=epochs)
    _check_labels(model, data)
    run = model.current_run = Run(model, data, validation, listed, initial_epoch)
    model.stop_training = False
    try:
        with between_steps() as check:
            listed.on_train_begin()
            logs = _train(run, epochs, check)
            listed.on_train_end(logs)
    finally:
        model.current_run = None
        data.close()
        validation.close()
        if model._gradient_metrics:
            model._watch_gradients([])
    if hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return listed.history


def _train(run: Run, epochs: int, check: Callable[[], None]) -> dict[str, Any]:
    model, listed, count = run.model, run.callbacks, epochs - run.epoch
    steps = Steps(model, "train", run.data, run.chooser("train", run.data, count))
    guard = _FirstBatch(model, run.data)
    logs: dict[str, Any] = {}
    while run.epoch < epochs and not (model.stop_training and run.step == 0):
        if logs and not run.data.has_more():
            break
        listed.on_epoch_begin(run.epoch)
        logs = _train_epoch(run, steps, check, guard)
        if run.validation.due(run.epoch):
            logs |= run.validation.run(run, count)
        listed.on_epoch_end(run.epoch, logs)
        model._warn_of_programs()
        run.epoch, run.step = run.epoch + 1, 0
    return logs


def _train_epoch(run: Run, steps: Steps, check: Callable[[], None], guard: Any) -> dict[str, Any]:
    model, listed, data = run.model, run.callbacks, run.data
    if run.step == 0:
        model.reset_metrics()
    calls, waited = steps.run(run.begin_epoch(), run.step), data.waited
    each = listed.wants_batches("train")
    limit = config.max_steps_per_epoch()
    stopped = model.stop_training and run.step > 0
    while not stopped and (limit is None or run.step < limit):
        if each and (data.steps is None or run.step < data.steps):
            listed.on_train_batch_begin(run.step)
        done, result = next(calls, (run.step, None))
        if done == run.step:
            break
        run.step, run.read = done, _reader(model, result)
        guard.check(run.read)
        if each:
            listed.on_train_batch_end(done - 1, run.read())
        listed.progress("train", done, run.read)
        check()
        stopped = model.stop_training
    if run.step == 0:
        raise ValueError("The data yields no batch (a generator that has ended?)")
    model._flush()
    listed.params |= {"done": run.step, "input_wait": data.waited - waited}
    return run.read()


def _reader(model: Any, result: Any) -> Callable[[], dict[str, Any]]:
    """Reads the logs: what a step of the user's returned, or the metrics."""
    return lambda: as_numbers(result if isinstance(result, dict) else model.get_metrics_result())


class _FirstBatch:
    """Sees that the very first step of a model does not make its weights NaN."""

    def __init__(self, model: Any, data: Any) -> None:
        self._model = model
        self._data = data
        optimizer = model.optimizer
        fresh = optimizer is not None and int(ops.convert_to_numpy(optimizer.iterations)) == 0
        # Loss scaling leaves out steps that are not finite by itself.
        fresh = fresh and not isinstance(optimizer, LossScaleOptimizer)
        self._kept: list[tuple[Any, np.ndarray]] | None = None
        if fresh:
            variables = [*model.variables, *optimizer.variables]
            self._kept = [(v, v.numpy()) for v in variables]
            self._batch = data.first()

    def check(self, read: Callable[[], dict[str, Any]]) -> None:
        """Raise, with the weights put back, if the loss is NaN after the first step."""
        if self._kept is None:
            return
        kept, self._kept = self._kept, None
        loss = read().get("loss")
        if isinstance(loss, float) and math.isnan(loss):
            for variable, value in kept:
                variable.assign(value)
            parts = self._data.parts if isinstance(self._data, ArrayData) else self._batch
            raise ValueError(f"{nan_message(parts)}. The weights are as they were before.")


def _listed(model: Any, callbacks: Any, verbose: Any, data: Any, **params: Any) -> CallbackList:
    if isinstance(callbacks, CallbackList):
        return callbacks
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose must be 'auto', 0, 1 or 2; got {verbose!r}")
    shown = 1 if verbose == "auto" else int(verbose)
    params["steps"] = data.steps
    if isinstance(data, ArrayData):
        params["samples"] = min(data.count, data.steps * data.batch_size)
    return CallbackList(
        callbacks, add_history=True, add_progbar=shown != 0, model=model, verbose=shown, **params
    )


def _check_labels(model: Any, data: Any) -> None:
    if isinstance(data, ArrayData) and model._compile_loss is not None:
        spec = output_spec(model, data.first()[0])
        classes = spec.shape[-1] if isinstance(spec, KerasTensor) and spec.shape else None
        check_all_labels(model._compile_loss, data.parts[1], classes)


def score(
    model: Any, data: Any, callbacks: CallbackList, chooser: Chooser, steps: int | None = None
) -> dict[str, Any]:
    """Run the evaluation steps over `data` and return the results."""
    model.reset_metrics()
    callbacks.on_test_begin()
    order = data.order() if isinstance(data, ArrayData) else None
    each = callbacks.wants_batches("test")
    result, done = None, 0
    backend = state.backend or ensure()
    with backend.inference():
        if each:
            callbacks.on_test_batch_begin(0)
        for done, result in Steps(model, "test", data, chooser).run(order):
            read = _reader(model, result)
            if each:
                callbacks.on_test_batch_end(done - 1, read())
            callbacks.progress("test", done, read)
            if steps is not None and done >= steps:
                break
            if each and (data.steps is None or done < data.steps):
                callbacks.on_test_batch_begin(done)
        if done == 0:
            raise ValueError("The data yields no batch (a generator that has ended?)")
        logs = _reader(model, result)()
    callbacks.on_test_end(logs)
    return logs


def evaluate(
    model: Any, data: Any, steps: int | None, verbose: Any, callbacks: Any
) -> dict[str, Any]:
    """Score; see `Trainer.evaluate`."""
    listed = _listed(model, callbacks, verbose, data)
    _check_labels(model, data)
    return score(model, data, listed, chooser_for(model, data, listed, "test", 1), steps)


def predict(model: Any, data: Any, steps: int | None, verbose: Any, callbacks: Any) -> Any:
    """Predict; see `Trainer.predict`."""
    backend = state.backend or ensure()
    silent = not callbacks and verbose == 0
    listed = None if silent else _listed(model, callbacks, verbose, data)
    function = model._function("predict", "batch")
    batches = itertools.islice(_host_batches(data), steps)
    with backend.inference():
        if listed is None:
            outputs = [function(batch) for batch in batches]
        else:
            outputs = list(_predicted(function, batches, listed))
    if not outputs:
        raise ValueError("The data yields no batch (a generator that has ended?)")
    hosted = [to_host(o) for o in outputs]
    if len(hosted) == 1:
        return hosted[0]
    return optree.tree_map(lambda *parts: np.concatenate(parts), *hosted)


def _predicted(function: Any, batches: Iterator[Any], listed: CallbackList) -> Iterator[Any]:
    """The outputs for each batch, the callbacks told."""
    each = listed.wants_batches("predict")
    listed.on_predict_begin()
    for i, batch in enumerate(batches):
        if each:
            listed.on_predict_batch_begin(i)
        outputs = function(batch)
        if each:
            listed.on_predict_batch_end(i, {"outputs": to_host(outputs)})
        listed.progress("predict", i + 1, dict)
        yield outputs
    listed.on_predict_end()


def _host_batches(data: Any) -> Iterator[Any]:
    if not isinstance(data, ArrayData):
        yield from data.batches()
        return
    if data.count <= data.batch_size:
        yield data.parts
        return
    for i in range(0, data.steps * data.batch_size, data.batch_size):
        j = min(i + data.batch_size, data.count)
        yield optree.tree_map(lambda a, i=i, j=j: a[i:j], data.parts)


def on_batch(model: Any, kind: str, batch: Any) -> dict[str, Any]:
    """One step on a batch, and the results so far."""
    backend = state.backend or ensure()
    if kind == "test":
        with backend.inference():
            return _reader(model, model._function(kind, "batch")(batch))()
    return _reader(model, model._function(kind, "batch")(batch))()
