"""`Trace`: the engine's own profiler, over some of the steps of training."""

from __future__ import annotations

from typing import Any

from kerata.backends.registry import ensure
from kerata.backends.state import state


class Trace:
    """Profiles the steps from `first` to `last` (counted from 1), once.

    Args:
        directory: where the engine's profiler writes to; TensorBoard reads it.
        first: the first step.
        last: the last one.
    """

    def __init__(self, directory: str, first: int, last: int) -> None:
        self.directory = directory
        self.first = first
        self.last = last
        self._running: Any = None
        self._ended = False

    def before(self, step: int) -> None:
        """Begin, if `step` is the first one or later."""
        if self._ended or self._running is not None or step < self.first:
            return
        self._running = (state.backend or ensure()).profile(self.directory)
        self._running.__enter__()

    def after(self, step: int, model: Any) -> None:
        """End, if `step` was the last one."""
        if step >= self.last:
            self.end(model)

    def end(self, model: Any) -> None:
        """End, once the device has done what it was given."""
        if self._running is None:
            return
        (state.backend or ensure()).wait([v.tensor() for v in model.variables])
        self._running.__exit__(None, None, None)
        self._running, self._ended = None, True
