"""`Profiler`: where the time of training goes."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.callbacks.tracing import Trace

_PHASES = ("data", "steps", "compiling", "validation", "callbacks", "total")
_MOST_CALLBACKS = 5


class Profiler(Callback):
    """Measure where the time of training goes, and show it as a table when training ends.

    For each epoch: waiting for data, training steps, compiling them, validation, and the callbacks.
    Much waiting for data calls for more workers, or for data that is prepared beforehand. Nothing
    waits for the device to be measured: steps that it still works on count when their results are
    read.

    With `trace`, the engine's own profiler records some steps of the first epoch: operation by
    operation, as TensorBoard, Perfetto or chrome://tracing show them.

    Args:
        verbose: 1 to print the table.
        trace: a folder for the engine's profile; None for none.
        wait: steps to leave out before it begins (the first ones compile).
        active: steps that it takes in.

    Attributes:
        epochs: for each epoch the seconds of "data", "steps", "compiling", "validation",
            "callbacks" and "total".
        callbacks: seconds of each callback, by the class's name.

    Raises:
        ValueError: `wait` or `active` is too small.

    Example:
        >>> profiler = Profiler()
        >>> model.fit(x, y, epochs=3, callbacks=[profiler])
        >>> profiler.epochs[0]["data"]
    """

    def __init__(self, verbose: int = 1, trace: Any = None, wait: int = 1, active: int = 3) -> None:
        super().__init__()
        if wait < 0 or active < 1:
            raise ValueError(
                f"Profiler: wait must be at least 0 and active at least 1; got {wait} and {active}"
            )
        self.verbose = verbose
        self.epochs: list[dict[str, float]] = []
        self.callbacks: dict[str, float] = {}
        self._trace = None if trace is None else Trace(str(trace), wait + 1, wait + active)
        if self._trace is not None:
            # Hooks for batches make `fit` stop after each: there are some only where needed.
            self.on_train_batch_begin = self._before_batch  # type: ignore[method-assign]
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]
        self._first: dict[str, float] = {}
        self._trained: dict[str, float] | None = None
        self._validation = 0.0

    # Measuring

    @contextlib.contextmanager
    def _measured(self, callback: Callback) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.callbacks[type(callback).__name__] += time.perf_counter() - start

    def _now(self) -> dict[str, float]:
        """What has been counted so far."""
        return {
            "total": time.perf_counter(),
            "data": self.model.current_run.data.waited,
            "compiling": self.model.compile_seconds,
            "callbacks": sum(self.callbacks.values()),
        }

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epochs, self.callbacks, self._first = [], defaultdict(float), {}
        self.model.current_run.callbacks.clock = self._measured

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._end_epoch()
        self._first, self._trained, self._validation = self._now(), None, 0.0

    def on_test_begin(self, logs: Logs = None) -> None:
        if self._first and self._trained is None:
            self._trained = self._now()

    def on_test_end(self, logs: Logs = None) -> None:
        if self._first and self._trained is not None:
            self._validation = time.perf_counter() - self._trained["total"]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._trained is None:
            self._trained = self._now()

    def _end_epoch(self) -> None:
        """Only now, as callbacks that come later have an end of the epoch too."""
        if not self._first or self._trained is None:
            return
        first, trained, last = self._first, self._trained, self._now()
        spent = {n: trained[n] - first[n] for n in first}
        apart = spent["data"] + spent["compiling"] + spent["callbacks"]
        self.epochs.append(
            {
                "data": spent["data"],
                "steps": max(spent["total"] - apart, 0.0),
                "compiling": spent["compiling"],
                "validation": self._validation,
                "callbacks": last["callbacks"] - first["callbacks"],
                "total": last["total"] - first["total"],
            }
        )

    def _before_batch(self, batch: int, logs: Logs = None) -> None:
        if self._trace is not None:
            self._trace.before(batch + 1)

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        if self._trace is not None:
            self._trace.after(batch + 1, self.model)

    def on_train_end(self, logs: Logs = None) -> None:
        if self._trace is not None:
            self._trace.end(self.model)
        self._end_epoch()
        self.callbacks, self._first = dict(self.callbacks), {}
        if self.verbose:
            self.summary()

    # Showing

    def summary(self) -> None:
        """Print the table."""
        from rich.console import Console
        from rich.table import Table

        table = Table(title="Seconds of training")
        table.add_column("epoch", justify="right")
        for phase in _PHASES:
            table.add_column(phase, justify="right")
        for i, epoch in enumerate(self.epochs, 1):
            table.add_row(str(i), *(f"{epoch[p]:.3f}" for p in _PHASES))
        sums = {p: sum(e[p] for e in self.epochs) for p in _PHASES}
        total = sums["total"] or 1.0
        table.add_section()
        table.add_row("all", *(f"{sums[p]:.3f}" for p in _PHASES))
        table.add_row("%", *(f"{100 * sums[p] / total:.1f}" for p in _PHASES))
        console = Console()
        console.print(table)
        most = sorted(self.callbacks.items(), key=lambda item: -item[1])[:_MOST_CALLBACKS]
        console.print("Callbacks: " + ", ".join(f"{n} {s:.3f}" for n, s in most))
