"""The loops of `fit`, `evaluate` and `predict`: one for all backends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import optree

from kerata import config, ops
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.callbacks import CallbackList
from kerata.core.seeds import next_seed
from kerata.core.symbolic import KerasTensor
from kerata.training.checks import check_all_labels, nan_message
from kerata.training.data import ArrayData, make_data
from kerata.training.interrupt import between_steps
from kerata.training.results import as_numbers, output_spec, to_host
from kerata.training.steps import Chooser, Steps, chooser_for


class Validation:
    """Data to validate with, and when.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, something that yields batches, or None.
        batch_size: rows a batch.
        steps: batches, where `data` yields them.
        frequency: every so many epochs, or a list of epochs (from 1).
    """

    def __init__(
        self, data: Any, batch_size: int | None, steps: int | None, frequency: Any
    ) -> None:
        self.data = None
        self.steps = steps
        self.frequency = frequency
        if data is not None:
            if isinstance(data, (tuple, list)):
                if not 1 <= len(data) <= 3:
                    raise ValueError(
                        "validation_data must be (x, y), (x, y, sample_weight) or yield batches; "
                        f"got {len(data)} parts"
                    )
                x, y, weight = (*data, None, None)[:3]
                self.data = make_data(x, y, weight, batch_size, steps=steps)
            else:
                self.data = make_data(data, batch_size=batch_size, steps=steps)
        self._chooser: Chooser | None = None

    def due(self, epoch: int) -> bool:
        """Whether to validate after epoch `epoch` (counted from 0)."""
        if self.data is None:
            return False
        if isinstance(self.frequency, int):
            return (epoch + 1) % self.frequency == 0
        return epoch + 1 in self.frequency

    def run(self, model: Any, callbacks: CallbackList, epochs: int) -> dict[str, Any]:
        """The results, their names with `val_` before them."""
        if self._chooser is None:
            self._chooser = chooser_for(model, self.data, callbacks, "test", epochs)
        logs = score(model, self.data, callbacks, self._chooser)
        return {f"val_{name}": value for name, value in logs.items()}


def fit(
    model: Any,
    data: Any,
    epochs: int,
    verbose: Any,
    callbacks: Any,
    initial_epoch: int,
    steps_per_epoch: int | None,
    validation: Validation,
) -> Any:
    """Train; see `Trainer.fit`."""
    limit = config.max_epochs()
    epochs = epochs if limit is None else min(epochs, initial_epoch + limit)
    listed = _listed(model, callbacks, verbose, epochs=epochs, steps=data.steps)
    if isinstance(data, ArrayData):
        spec = output_spec(model, data.first()[0])
        classes = spec.shape[-1] if isinstance(spec, KerasTensor) and spec.shape else None
        check_all_labels(model._compile_loss, data.parts[1], classes)
    rng = np.random.Generator(np.random.Philox(next_seed()))
    chooser = chooser_for(model, data, listed, "train", epochs - initial_epoch)
    steps = Steps(model, "train", data, chooser)
    model.stop_training = False
    guard = _FirstBatch(model, data)
    logs: dict[str, Any] = {}
    with between_steps() as check:
        listed.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            listed.on_epoch_begin(epoch)
            logs = _train_epoch(model, steps, rng, listed, check, guard)
            if validation.due(epoch):
                logs |= validation.run(model, listed, epochs - initial_epoch)
            listed.on_epoch_end(epoch, logs)
            model._warn_of_programs()
            if model.stop_training:
                break
        listed.on_train_end(logs)
    if hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return listed.history


def _train_epoch(
    model: Any, steps: Steps, rng: Any, listed: CallbackList, check: Callable[[], None], guard: Any
) -> dict[str, Any]:
    model.reset_metrics()
    data = steps.data
    order = data.order(rng) if isinstance(data, ArrayData) else None
    each = listed.wants_batches("train")
    done, limit = 0, config.max_steps_per_epoch()
    if each:
        listed.on_train_batch_begin(0)
    result = None
    for done, result in steps.run(order):
        guard.check(result)
        read = _reader(model, result)
        if each:
            listed.on_train_batch_end(done - 1, read())
        listed.progress("train", done, read)
        check()
        if model.stop_training or (limit is not None and done >= limit):
            break
        if each and (data.steps is None or done < data.steps):
            listed.on_train_batch_begin(done)
    if done == 0:
        raise ValueError("The data yields no batch (a generator that has ended?)")
    listed.params["done"] = done
    return _reader(model, result)()


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
        self._kept: list[tuple[Any, np.ndarray]] | None = None
        if fresh:
            variables = [*model.variables, *optimizer.variables]
            self._kept = [(v, v.numpy()) for v in variables]
            self._batch = data.first()

    def check(self, result: Any) -> None:
        """Raise, with the weights put back, if the loss is NaN after the first step."""
        if self._kept is None:
            return
        kept, self._kept = self._kept, None
        loss = _reader(self._model, result)().get("loss")
        if isinstance(loss, float) and math.isnan(loss):
            for variable, value in kept:
                variable.assign(value)
            parts = self._data.parts if isinstance(self._data, ArrayData) else self._batch
            raise ValueError(f"{nan_message(parts)}. The weights are as they were before.")


def _listed(model: Any, callbacks: Any, verbose: Any, **params: Any) -> CallbackList:
    if isinstance(callbacks, CallbackList):
        return callbacks
    shown = 1 if verbose == "auto" else int(verbose)
    return CallbackList(
        callbacks, add_history=True, add_progbar=shown != 0, model=model, verbose=shown, **params
    )


def score(
    model: Any, data: Any, callbacks: CallbackList, chooser: Chooser, steps: int | None = None
) -> dict[str, Any]:
    """Run the evaluation steps over `data` and return the results."""
    model.reset_metrics()
    callbacks.on_test_begin()
    order = np.arange(data.count, dtype=np.int32) if isinstance(data, ArrayData) else None
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
    listed = _listed(model, callbacks, verbose, steps=data.steps)
    if isinstance(data, ArrayData):
        spec = output_spec(model, data.first()[0])
        classes = spec.shape[-1] if isinstance(spec, KerasTensor) and spec.shape else None
        check_all_labels(model._compile_loss, data.parts[1], classes)
    return score(model, data, listed, chooser_for(model, data, listed, "test", 1), steps)


def predict(model: Any, data: Any, steps: int | None, verbose: Any, callbacks: Any) -> Any:
    """Predict; see `Trainer.predict`."""
    backend = state.backend or ensure()
    listed = _listed(model, callbacks, verbose, steps=data.steps)
    function = model._function("predict", "batch")
    outputs: list[Any] = []
    each = listed.wants_batches("predict")
    with backend.inference():
        listed.on_predict_begin()
        for i, batch in enumerate(_host_batches(data)):
            if steps is not None and i >= steps:
                break
            if each:
                listed.on_predict_batch_begin(i)
            outputs.append(function(batch))
            if each:
                listed.on_predict_batch_end(i, {"outputs": to_host(outputs[-1])})
            listed.progress("predict", i + 1, dict)
        listed.on_predict_end()
    if not outputs:
        raise ValueError("The data yields no batch (a generator that has ended?)")
    hosted = [to_host(o) for o in outputs]
    if len(hosted) == 1:
        return hosted[0]
    return optree.tree_map(lambda *parts: np.concatenate(parts), *hosted)


def _host_batches(data: Any) -> Iterator[Any]:
    if not isinstance(data, ArrayData):
        yield from data.batches()
        return
    for i in range(0, data.count, data.batch_size):
        j = min(i + data.batch_size, data.count)
        yield optree.tree_map(lambda a, i=i, j=j: a[i:j], data.parts)


def on_batch(model: Any, kind: str, batch: Any) -> dict[str, Any]:
    """One step on a batch, and the results so far."""
    backend = state.backend or ensure()
    if kind == "test":
        with backend.inference():
            return _reader(model, model._function(kind, "batch")(batch))()
    return _reader(model, model._function(kind, "batch")(batch))()
