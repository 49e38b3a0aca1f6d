"""Callbacks that change the learning rate."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.callbacks.early_stopping import direction, warn_unwatched


def rate_of(optimizer: Any) -> float:
    """The learning rate as a number."""
    rate = optimizer.learning_rate
    return float(rate.numpy() if hasattr(rate, "numpy") else rate)


def rates(optimizer: Any) -> dict[str, float]:
    """The learning rates as they stand in logs: one, or one for each of several optimizers."""
    return {
        f"learning_rate_{label}" if label else "learning_rate": rate_of(one)
        for label, one in optimizer.rated().items()
    }


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of every epoch.

    Of several optimizers each is asked about in turn.

    Args:
        schedule: `schedule(epoch, rate)`, or `schedule(epoch)`, returns the epoch's rate; epochs
            count from 0.
        verbose: 1 to say what it is.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        for optimizer in self.model.optimizer.rated().values():
            self._set(epoch, optimizer)

    def _set(self, epoch: int, optimizer: Any) -> None:
        rate = self._call(epoch, rate_of(optimizer))
        if not isinstance(rate, (int, float)) and not getattr(rate, "shape", None) == ():
            raise ValueError(
                f"LearningRateScheduler: the schedule must return a number; got {rate!r} for "
                f"epoch {epoch}"
            )
        optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {float(rate):g}")

    def _call(self, epoch: int, rate: float) -> Any:
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        return self.schedule(epoch, rate)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if isinstance(logs, dict):
            logs |= rates(self.model.optimizer)


class ReduceLROnPlateau(Callback):
    """Lower the learning rate when a metric has stopped getting better; that of each optimizer.

    Args:
        monitor: the metric's name in the logs.
        factor: what the rate is multiplied by, below 1.
        patience: epochs without an improvement before that.
        verbose: 1 to say so.
        mode: "min", "max", or "auto" to go by the metric.
        min_delta: the least change that counts as better.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the least rate.
    """

    state_attributes = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__()
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1; got {factor}")
        direction(monitor, mode)
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_lr = min_lr

    def on_train_begin(self, logs: Logs = None) -> None:
        self._better = direction(self.monitor, self.mode, self.model)
        self.best = -math.inf if self._better(1, 0) else math.inf
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        if isinstance(logs, dict):
            logs |= rates(optimizer)
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn_unwatched(self, logs)
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        shift = self.min_delta if self._better(1, 0) else -self.min_delta
        if self._better(value - shift, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                for one in optimizer.rated().values():
                    self._reduce(epoch, one)

    def _reduce(self, epoch: int, optimizer: Any) -> None:
        old = rate_of(optimizer)
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate falls to {new:g}")
        self.cooldown_counter, self.wait = self.cooldown, 0
