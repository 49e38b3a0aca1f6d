"""`ProgbarLogger`: progress in a terminal, a notebook, or a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from kerata import config
from kerata.callbacks.callback import Callback, Logs

_WIDTH = 24
_EVERY = 0.1  # seconds between two looks at the metrics


def _number(value: Any) -> str:
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.4f}" if 1e-3 < abs(value) < 1e5 or value == 0 else f"{value:.4e}"


def _seconds(value: float) -> str:
    if value >= 3600:
        return f"{int(value // 3600)}h{int(value % 3600 // 60):02d}m"
    if value >= 60:
        return f"{int(value // 60)}m{int(value % 60):02d}s"
    return f"{value:.0f}s" if value >= 10 else f"{value:.1f}s"


def _a_step(value: float) -> str:
    if value >= 1:
        return f"{value:.2f} s/step"
    return f"{value * 1e3:.1f} ms/step" if value >= 1e-3 else f"{value * 1e6:.0f} µs/step"


class ProgbarLogger(Callback):
    """Shows how far training is, and the metrics, ten times a second at most.

    In a terminal or a notebook a bar that moves; elsewhere (a log file) a line an epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last = 0.0
        self._start = 0.0
        self._open = False

    @property
    def _verbose(self) -> int:
        value = self.params.get("verbose", 1)
        return 1 if value == "auto" else int(value)

    @property
    def _moves(self) -> bool:
        live = sys.stdout.isatty() or "ipykernel" in sys.modules
        return self._verbose == 1 and live and config.is_interactive_logging_enabled()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._begin(f"Epoch {epoch + 1}/{self.params.get('epochs', 1)}")

    def _begin(self, title: str) -> None:
        self._start, self._last, self._title = time.monotonic(), 0.0, title
        if self._moves:
            print(title)

    def show(self, mode: str, step: int, logs: Callable[[], dict[str, Any]]) -> None:
        """Draw the bar, if it is time; `logs` reads the metrics (and so waits for the device)."""
        now = time.monotonic()
        if not self._moves or now - self._last < _EVERY or (mode == "test" and self._training):
            return
        self._last = now
        self._draw(step, logs(), now)

    _training = False

    def on_train_begin(self, logs: Logs = None) -> None:
        self._training = True

    def on_train_end(self, logs: Logs = None) -> None:
        self._training = False

    def _draw(self, step: int, logs: dict[str, Any], now: float, end: str = "") -> None:
        total, spent = self.params.get("steps"), now - self._start
        each = spent / max(step, 1)
        if total:
            filled = round(_WIDTH * min(step / total, 1))
            bar = "━" * filled + " " * (_WIDTH - filled)
            place = f"{step:>{len(str(total))}}/{total} {bar}"
            left = f"{_seconds(each * (total - step))} left" if step < total else _seconds(spent)
        else:
            place, left = f"{step}", _seconds(spent)
        texts = [place, left, _a_step(each), *(f"{k}: {_number(v)}" for k, v in logs.items())]
        print("\r\x1b[2K" + "  ".join(texts), end=end, flush=True)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish(f"Epoch {epoch + 1}/{self.params.get('epochs', 1)}", dict(logs or {}))

    def _finish(self, title: str, logs: dict[str, Any]) -> None:
        if not self._verbose:
            return
        now = time.monotonic()
        steps = self.params.get("done") or self.params.get("steps") or 0
        if self._moves:
            self._draw(steps, logs, now, end="\n")
            return
        spent = now - self._start
        texts = [title, _seconds(spent), _a_step(spent / max(steps, 1))]
        print("  ".join([*texts, *(f"{k}: {_number(v)}" for k, v in logs.items())]), flush=True)

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._training:
            self._begin("Evaluating")

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._training:
            self._finish("Evaluated", dict(logs or {}))

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._begin("Predicting")

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finish("Predicted", {})
