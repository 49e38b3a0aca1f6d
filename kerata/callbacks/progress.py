"""`ProgbarLogger`: progress in a terminal, a notebook, or a log file."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.utils import progbar

_WIDTH = 24
_EVERY = 0.1  # seconds between two looks at the metrics
_LEAST_SHOWN = 0.05  # seconds of compiling that are worth telling


class ProgbarLogger(Callback):
    """Shows how far training is and the metrics, ten times a second at most.

    In a terminal or a notebook a bar that moves; elsewhere (a log file), and with `verbose=2`, a
    line an epoch. Compiling is shown by itself: the time a step and the throughput are without it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._training = False
        self._line = progbar.Line()
        self._title = ""
        self._pace = _Pace(None)
        self._last = 0.0
        self._train_start, self._first_epoch = 0.0, 0

    @property
    def _verbose(self) -> int:
        value = self.params.get("verbose", 1)
        return 1 if value == "auto" else int(value)

    @property
    def _moves(self) -> bool:
        return self._verbose == 1 and progbar.moves()

    def on_train_begin(self, logs: Logs = None) -> None:
        self._training = True
        self._first_epoch = -1

    def on_train_end(self, logs: Logs = None) -> None:
        self._training = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self._first_epoch < 0:
            self._first_epoch, self._train_start = epoch, time.monotonic()
        self._begin(f"Epoch {epoch + 1}/{self.params.get('epochs', 1)}")

    def _begin(self, title: str) -> None:
        self._title, self._last, self._pace = title, 0.0, _Pace(self.model)
        if self._moves:
            print(title)

    def show(self, mode: str, step: int, logs: Callable[[], dict[str, Any]]) -> None:
        """Draw the bar, if it is time; `logs` reads the metrics (and so waits for the device)."""
        validating = mode == "test" and self._training
        if not validating:
            self._pace.took(step)
        now = time.monotonic()
        if not self._moves or now - self._last < _EVERY:
            return
        self._last = now
        if validating:
            self._line.draw([self._place(), f"validating, step {step}"])
            return
        left = (self.params.get("steps") or 0) - step
        took = f"{progbar.duration(self._pace.a_step() * left)} left"
        if left <= 0:
            took = progbar.duration(self._pace.seconds())
        speed = self._throughput() or progbar.a_unit(self._pace.a_step())
        self._line.draw([self._place(), took, speed, *progbar.shown(logs()), *self._compiling()])

    def _place(self) -> str:
        total, done = self.params.get("steps"), self._pace.done
        if not total:
            return f"{done}"
        drawn = progbar.bar(done, total, _WIDTH, progbar.filling())
        return f"{done:>{len(str(total))}}/{total} {drawn}"

    def _throughput(self) -> str:
        total, samples = self.params.get("steps"), self.params.get("samples")
        if not (total and samples):
            return ""
        return progbar.a_second(samples / total / self._pace.a_step(), "samples")

    def _compiling(self) -> list[str]:
        seconds = self._pace.compiling()
        return [f"compiled in {progbar.duration(seconds)}"] if seconds >= _LEAST_SHOWN else []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish(dict(logs or {}), self._ahead(epoch))

    def _ahead(self, epoch: int) -> str:
        """The time that the epochs to come will take, by those that were."""
        left = self.params.get("epochs", 1) - epoch - 1
        each = (time.monotonic() - self._train_start) / (epoch - self._first_epoch + 1)
        return f" ({progbar.duration(each * left)} left)" if left > 0 else ""

    def _finish(self, logs: dict[str, Any], ahead: str = "") -> None:
        if not self._verbose:
            return
        took = progbar.duration(self._pace.seconds())
        texts = [progbar.a_unit(self._pace.a_step()), self._throughput(), *self._compiling()]
        texts = [t for t in texts if t] + progbar.shown(logs)
        if self._moves:
            self._line.end([self._place(), took, *texts])
        else:
            print(progbar.printable("  ".join([self._title, took + ahead, *texts])), flush=True)

    def on_test_begin(self, logs: Logs = None) -> None:
        if self._training:
            self._pace.end()
        else:
            self._begin("Evaluating")

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._training:
            self._title = "Evaluated"
            self._finish(dict(logs or {}))

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._begin("Predicting")

    def on_predict_end(self, logs: Logs = None) -> None:
        self._title = "Predicted"
        self._finish({})


class _Pace:
    """How fast the steps are, compiling left out.

    Args:
        model: says how long compiling took.

    Attributes:
        done: the steps that ran.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._start = time.monotonic()
        self._compiled = self._compile_seconds()
        self._ended: tuple[float, float] | None = None
        self._warm: tuple[int, float, float] | None = None
        self.done = 0

    def _compile_seconds(self) -> float:
        return float(getattr(self._model, "compile_seconds", 0.0))

    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._start

    def compiling(self) -> float:
        """Seconds since the beginning that went into compiling."""
        return self._times()[1]

    def _times(self) -> tuple[float, float]:
        return self._ended or (self.seconds(), max(self._compile_seconds() - self._compiled, 0.0))

    def took(self, done: int) -> None:
        """So many steps are done."""
        self.done = done
        if self._warm is None:
            self._warm = done, *self._times()

    def end(self) -> None:
        """Leave out what comes now."""
        self._ended = self._times()

    def a_step(self) -> float:
        """The seconds of a step; those of a first call that compiled are left out."""
        seconds, compiling = self._times()
        steps, first, compiled = self._warm or (0, 0.0, 0.0)
        if compiled < _LEAST_SHOWN or steps == self.done:
            steps, first, compiled = 0, 0.0, 0.0
        running = seconds - first - (compiling - compiled)
        return max(running, 1e-9) / max(self.done - steps, 1)
