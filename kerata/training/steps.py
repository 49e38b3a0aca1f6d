"""How the steps of an epoch are run: several in one call where measuring shows that it pays."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import optree

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.callbacks import CallbackList
from kerata.training.data import ArrayData

_CALL_SECONDS = 0.1  # what several steps in one call should take at most


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
