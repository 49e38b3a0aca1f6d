"""`EarlyStopping`: end training when a metric no longer gets better."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from kerata import losses
from kerata.callbacks.callback import Callback, Logs

_MODES = ("auto", "min", "max")


def direction(monitor: str, mode: str, model: Any = None) -> Callable[[float, float], bool]:
    """`better(a, b)`: whether `a` is better than `b` for this metric.

    With `mode="auto"` the metric of that name in `model` knows; losses get better downwards.
    Where nothing is known, `better` raises a ValueError when it is called.

    Raises:
        ValueError: `mode` is unknown.
    """
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}; got {mode!r}")
    found = _known(monitor, model) if mode == "auto" else mode

    def better(a: float, b: float) -> bool:
        if found is None:
            raise ValueError(
                f"Whether {monitor!r} is better when it is larger or smaller is not known: give "
                "mode='max' or mode='min'"
            )
        return a > b if found == "max" else a < b

    return better


def _known(monitor: str, model: Any) -> str | None:
    name = monitor.removeprefix("val_")
    if name == "loss" or name.endswith("_loss"):
        return "min"
    # With several outputs, a metric's name stands after the output's.
    fitting = (m for m in getattr(model, "metrics", ()) if f"_{name}".endswith(f"_{m.name}"))
    nearest = max(fitting, key=lambda m: len(m.name), default=None)
    function = getattr(nearest, "_fn", None)
    if function is not None and function is getattr(losses, function.__name__, None):
        return "min"
    return {"up": "max", "down": "min"}.get(getattr(nearest, "_direction", None) or "")


def warn_unwatched(callback: Any, logs: Logs) -> None:
    """Say that the metric which `callback` monitors is missing."""
    warnings.warn(
        f"{type(callback).__name__} watches {callback.monitor!r}, which is not among the logs "
        f"({', '.join(logs or ())})",
        stacklevel=3,
    )


class EarlyStopping(Callback):
    """End training when a metric has stopped getting better.

    Args:
        monitor: the metric's name in the logs.
        min_delta: the least change that counts as better.
        patience: epochs without an improvement before training ends.
        verbose: 1 to say when it ends.
        mode: "min", "max", or "auto" to go by the metric.
        baseline: a value that must be beaten.
        restore_best_weights: put the weights of the best epoch back at the end.
        start_from_epoch: epochs at the start that are not looked at.
    """

    state_attributes = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__()
        direction(monitor, mode)
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()
        self._better = direction(self.monitor, self.mode, self.model)

    def _improves(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return not math.isnan(value)
        shift = self.min_delta if self._better(1, 0) else -self.min_delta
        return self._better(value - shift, reference)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn_unwatched(self, logs)
            return
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Early stopping at epoch {self.stopped_epoch + 1}")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Weights of the best epoch ({self.best_epoch + 1}) put back")
            self.model.set_weights(self.best_weights)
