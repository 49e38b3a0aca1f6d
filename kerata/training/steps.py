"""How the steps of an epoch are run: several in one call where measuring shows that it pays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import optree

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.callbacks import CallbackList
from kerata.training.data import ArrayData

_CALL_SECONDS = 0.1  # what several steps in one call should take at most
_LOOKS = 6  # steps that are timed one by one
_MOST_SAVED = 0.5  # the share of a step that running several in one call may save


@dataclass
class Pace:
    """What was measured of a program's steps; a model keeps it from one `fit` to the next.

    Attributes:
        compiling: seconds of the first call.
        single: seconds of a step that runs alone, 0 until that is known.
        k: the steps that one call takes, 0 until that is settled.
        done: steps that were run so far.
    """

    compiling: float = 0.0
    single: float = 0.0
    k: int = 0
    done: int = 0


class Chooser:
    """How many steps run in one call: as many as measuring shows to pay.

    Several need a second program, which is compiled only where the steps that are left (or, if
    those were more, the steps that were done) would save more time than compiling took before.

    Args:
        k: the number to begin with.
        measures: whether to look for a better one.
        total: steps in all epochs together.
        overhead: seconds that a call takes beside the work of its step.
        pace: what is known from before.
    """

    def __init__(
        self, k: int, measures: bool, total: int, overhead: float = 0.0, pace: Pace | None = None
    ) -> None:
        self.pace = pace or Pace()
        self.k = self.pace.k or k if measures else k
        self._left = total
        self._overhead = overhead
        self._measuring = measures and not self.pace.k
        self._times: list[float] = []

    def next(self, left: int) -> int:
        """The steps of the next call, where `left` full batches remain."""
        return self.k if self.k <= left else 1

    def measured(self, k: int, seconds: float, full: int) -> None:
        """Take in that a call of `k` steps took so long, in an epoch of `full` full batches."""
        self._left -= k
        self.pace.done += k
        if self._measuring and k == self.k:
            self._times.append(seconds)
            if k == 1:
                self._look_at_single(full)
            else:
                self._look_at_several()

    def _look_at_single(self, full: int) -> None:
        pace, times = self.pace, self._times
        if not pace.single:
            if len(times) < _LOOKS:
                return
            pace.compiling, pace.single = times[0], min(times[1:])
        each = min(_MOST_SAVED * pace.single, self._overhead)
        self._saving = each * max(self._left, pace.done)  # seconds, in all
        most = min(int(_CALL_SECONDS / max(pace.single - each, 1e-6)), full)
        if most < 2:
            self._settle(1)
        elif self._saving < pace.compiling:
            self._measuring = False
        else:
            self.k, self._times = _nearest_divisor(full, most), []

    def _look_at_several(self) -> None:
        pace, times = self.pace, self._times
        if len(times) > 1:
            self._settle(self.k if times[-1] < 0.97 * self.k * pace.single else 1)
        # The first call compiles too; some programs are far slower inside of a loop.
        elif max(3 * pace.compiling + 10 * self.k * pace.single, self._saving) < times[0]:
            pace.compiling = times[0]
            self.k, self._measuring = 1, False

    def _settle(self, k: int) -> None:
        self.k = self.pace.k = k
        self._measuring = False

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

    def run(self, order: np.ndarray | None, start: int = 0) -> Iterator[tuple[int, Any]]:
        """Yield `(steps done, result of the last)` after each call.

        Args:
            order: the rows of the epoch, where the data is arrays.
            start: the steps that were done before.
        """
        if isinstance(self.data, ArrayData):
            assert order is not None
            gathers = (state.backend or ensure()).gathers
            yield from self._gathered(order, start) if gathers else self._sliced(order, start)
            return
        function = self.model._function(self.kind, "batch")
        for i, batch in enumerate(self.data.batches(), start):
            yield i + 1, function(batch)

    def _sliced(self, order: np.ndarray, start: int) -> Iterator[tuple[int, Any]]:
        size = self.data.batch_size
        function = self.model._function(self.kind, "batch")
        for i in range(start, self.data.steps):
            index = order[i * size : (i + 1) * size]
            part = slice(int(index[0]), int(index[-1]) + 1) if not self.data.shuffle else index
            yield i + 1, function(optree.tree_map(lambda a, p=part: a[p], self.data.parts))

    def _gathered(self, order: np.ndarray, done: int) -> Iterator[tuple[int, Any]]:
        backend = state.backend or ensure()
        size, chooser = self.data.batch_size, self.chooser
        arrays = self.data.placed()
        one = self.model._function(self.kind, "rows")
        full = len(order) // size
        while done < self.data.steps:
            start, timed = time.perf_counter(), chooser.waits
            k = chooser.next(full - done) if done < full else 1
            index = order[done * size : (done + k) * size]
            if k == 1:
                result = one(arrays, index)
            else:
                many = self.model._function(self.kind, "many")
                result = many(arrays, backend.convert(index.reshape(k, size)))
            done += k
            if done <= full:
                if timed:
                    backend.wait(_anything(self.model))
                chooser.measured(k, time.perf_counter() - start, full)
            yield done, result


def _anything(model: Any) -> Any:
    variables = model.metrics_variables
    return variables[0].tensor() if variables else None


def chooser_for(
    model: Any, data: Any, callbacks: CallbackList, kind: str, epochs: int, exact: bool = False
) -> Chooser:
    """The `Chooser` for a model's compile settings, its callbacks and the active backend.

    With `exact` nothing is measured, so that every run makes the same calls.
    """
    asked = getattr(model, "steps_per_execution", 1)
    backend = state.backend or ensure()
    if not isinstance(data, ArrayData):
        return Chooser(1, False, 0)
    if isinstance(asked, int) and asked > 1:
        return Chooser(min(asked, data.steps), False, 0)
    alone = callbacks.wants_batches(kind) or getattr(model, "run_eagerly", False)
    pace = model._paces.setdefault((backend.name, kind, data.batch_size), Pace())
    measures = backend.repeats and not alone and not exact
    return Chooser(1, measures, data.steps * epochs, backend.call_overhead, pace)
