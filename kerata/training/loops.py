"""The loops of `fit`, `evaluate` and `predict`: one for all backends."""

from __future__ import annotations

import math
import time
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
from kerata.core.symbolic import evaluate as evaluate_spec
from kerata.training.checks import check_all_labels, nan_message
from kerata.training.data import ArrayData, make_data
from kerata.training.interrupt import between_steps

_CALL_SECONDS = 0.1  # what several steps in one call should take at most


def to_host(tree: Any) -> Any:
    """The tensors of a tree as NumPy arrays."""
    backend = state.backend or ensure()
    return optree.tree_map(
        lambda x: backend.to_numpy(x) if isinstance(x, backend.tensor_types) else x, tree
    )


def as_numbers(logs: Any) -> dict[str, Any]:
    """Results as Python numbers, arrays where they have several entries."""
    found = {}
    for name, value in to_host(dict(logs)).items():
        array = np.asarray(value)
        found[name] = float(array) if array.size == 1 else array
    return found


def output_spec(model: Any, x: Any) -> Any:
    """What the model returns for a batch like `x`, as symbolic tensors; builds the model."""
    specs = optree.tree_map(lambda a: KerasTensor(tuple(a.shape), a.dtype), x, none_is_leaf=False)
    leaves, tree = optree.tree_flatten(specs)
    key = (tree, tuple((s.shape[1:], s.dtype) for s in leaves), model.trainable)
    known = model.__dict__.setdefault("_specs", {})
    if key not in known:
        known[key] = _evaluated(model, specs, x)
    return known[key]


def _evaluated(model: Any, specs: Any, x: Any) -> Any:
    def call(inputs: Any) -> Any:
        return model(inputs, training=False)

    try:
        return evaluate_spec(call, (specs,), {})
    except Exception as error:
        backend = state.backend or ensure()
        try:
            with backend.inference():
                result = model(x, training=False)
        except Exception:
            raise error from None
        return optree.tree_map(lambda t: KerasTensor(tuple(t.shape), backend.dtype_of(t)), result)


class Chooser:
    """How many steps run in one call: as many as measuring shows to pay.

    Args:
        fixed: the number asked for, or None to measure.
        several: whether more than one may run in one call at all.
        total: steps in all epochs together.
    """

    def __init__(self, fixed: int | None, several: bool, total: int) -> None:
        self.k = fixed or 1
        self._left = total
        self._measuring = several and fixed is None
        self._compiling = 0.0
        self._single = 0.0
        self._calls = 0

    def next(self, full: int, left: int) -> int:
        """The steps of the next call, where `left` full batches of `full` remain."""
        return min(self.k, left) if self.k <= left else 1

    def measured(self, k: int, seconds: float, full: int) -> None:
        """Take the time of a finished call in."""
        self._left -= k
        if not self._measuring:
            return
        self._calls += 1
        if self._single == 0.0:
            self._measure_single(seconds, full)
        elif k == self.k and k > 1:
            self._measure_several(seconds)

    def _measure_single(self, seconds: float, full: int) -> None:
        if self._calls == 1:
            self._compiling = seconds
        if self._calls < 6:
            self._best = min(getattr(self, "_best", math.inf), seconds)
            return
        self._single = min(self._best, seconds)
        self._calls = 0
        wanted = int(_CALL_SECONDS / max(self._single, 1e-6))
        if wanted < 2 or full < 2 or 0.2 * self._left * self._single < self._compiling:
            self._measuring = False
            return
        self.k = _nearest_divisor(full, min(wanted, full))

    def _measure_several(self, seconds: float) -> None:
        if self._calls == 1:  # compiles too; some programs are far slower inside of a loop
            if seconds > 2 * self._compiling + 10 * self.k * self._single:
                self._measuring, self.k = False, 1
            return
        self._measuring = False
        if seconds / self.k > 0.97 * self._single:
            self.k = 1

    @property
    def waits(self) -> bool:
        """Whether the next call has to be timed."""
        return self._measuring


def _nearest_divisor(full: int, most: int) -> int:
    """The number up to `most`, and not below half of it, that leaves the fewest of `full` over."""
    return min(range(most, max(most // 2, 1), -1), key=lambda k: full % k, default=most)


class Steps:
    """Runs the batches of an epoch, several in one call where that pays."""

    def __init__(self, model: Any, kind: str, data: Any, chooser: Chooser) -> None:
        self.model = model
        self.kind = kind
        self.data = data
        self.chooser = chooser

    def run(self, order: np.ndarray | None) -> Iterator[tuple[int, Any]]:
        """Yield `(steps done, result of the last)` after each call."""
        if isinstance(self.data, ArrayData):
            assert order is not None
            gathers = (state.backend or ensure()).gathers
            yield from self._gathered(order) if gathers else self._sliced(order)
            return
        function = self.model._function(self.kind, "batch")
        for i, batch in enumerate(self.data.batches()):
            yield i + 1, function(batch)

    def _sliced(self, order: np.ndarray) -> Iterator[tuple[int, Any]]:
        size = self.data.batch_size
        function = self.model._function(self.kind, "batch")
        for i in range(self.data.steps):
            index = order[i * size : (i + 1) * size]
            part = slice(int(index[0]), int(index[-1]) + 1) if not self.data.shuffle else index
            yield i + 1, function(optree.tree_map(lambda a, p=part: a[p], self.data.parts))

    def _gathered(self, order: np.ndarray) -> Iterator[tuple[int, Any]]:
        backend = state.backend or ensure()
        size, chooser = self.data.batch_size, self.chooser
        arrays = self.data.placed()
        one = self.model._function(self.kind, "rows")
        full, done = self.data.count // size, 0
        while done < self.data.steps:
            start, timed = time.perf_counter(), chooser.waits
            k = chooser.next(full, full - done) if done < full else 1
            index = order[done * size : (done + k) * size]
            if k == 1:
                result = one(arrays, backend.convert(index))
            else:
                many = self.model._function(self.kind, "many")
                result = many(arrays, backend.convert(index.reshape(k, size)))
            done += k
            if timed and done <= full:
                backend.wait(_anything(self.model))
                chooser.measured(k, time.perf_counter() - start, full)
            yield done, result


def _anything(model: Any) -> Any:
    variables = model.metrics_variables
    return variables[0].tensor() if variables else None


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


def chooser_for(model: Any, data: Any, callbacks: CallbackList, kind: str, epochs: int) -> Chooser:
    """The `Chooser` for a model's compile settings, its callbacks and the active backend."""
    asked = getattr(model, "steps_per_execution", 1)
    backend = state.backend or ensure()
    several = backend.repeats and not getattr(model, "run_eagerly", False)
    alone = callbacks.wants_batches(kind) and asked in (1, "auto")
    steps = data.steps or 0
    fixed = asked if isinstance(asked, int) and asked > 1 else None
    if not isinstance(data, ArrayData):
        return Chooser(1, False, 0)
    return Chooser(min(fixed, steps) if fixed else None, several and not alone, steps * epochs)


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
