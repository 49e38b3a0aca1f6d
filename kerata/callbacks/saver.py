"""`Saver`: when callbacks save the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.callbacks.early_stopping import direction, warn_unwatched


class Saver(Callback):
    """The base of callbacks that save the model; a subclass defines `save`.

    Args:
        monitor: the metric that tells which model is best.
        save_best_only: save only when the metric is better than at any time before.
        mode: "min", "max", or "auto" to go by the metric.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: what the metric must be better than at first.

    Raises:
        ValueError: `mode` or `save_freq` is none of these.
    """

    state_attributes = ("best", "_batches")
    writes_files = True

    def __init__(
        self,
        monitor: str,
        save_best_only: bool,
        mode: str,
        save_freq: str | int,
        initial_value_threshold: float | None,
    ) -> None:
        super().__init__()
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                f"{type(self).__name__}: save_freq must be 'epoch' or a number of batches; "
                f"got {save_freq!r}"
            )
        direction(monitor, mode)
        self.monitor = monitor
        self.save_best_only = save_best_only
        self.mode = mode
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._epoch = self._batches = self._last = 0
        if save_freq != "epoch":
            # A hook for batches makes `fit` stop after each: there is one only where it is needed.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def save(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> None:
        """Save the model, after `batch` of `epoch` (from 0), or after the epoch if it is None."""
        raise NotImplementedError(f"{type(self).__name__} must define save(epoch, batch, logs)")

    def on_train_begin(self, logs: Logs = None) -> None:
        self._better = direction(self.monitor, self.mode, self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        # A run that goes on after an interruption does so within an epoch.
        self._last = getattr(getattr(self.model, "current_run", None), "step", 0)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch" and self._wanted(logs or {}):
            self.save(epoch, None, logs or {})

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        before, frequency = self._batches, int(self.save_freq)
        self._batches += batch + 1 - self._last  # several, where one call runs several
        self._last = batch + 1
        if self._batches // frequency > before // frequency and self._wanted(logs or {}):
            self.save(self._epoch, batch, logs or {})

    def _wanted(self, logs: Mapping[str, Any]) -> bool:
        """Whether to save with these logs."""
        if not self.save_best_only:
            return True
        if self.monitor not in logs:
            warn_unwatched(self, logs)
            return False
        value = float(logs[self.monitor])
        if math.isnan(value) or (self.best is not None and not self._better(value, self.best)):
            return False
        self.best = value
        return True
