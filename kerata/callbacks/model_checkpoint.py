"""`ModelCheckpoint`: save the model, or its weights, in the course of training."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.callbacks.early_stopping import direction, warn_unwatched


class ModelCheckpoint(Callback):
    """Save the model after epochs, or after every so many batches.

    Args:
        filepath: a file name ending in ".keras", with `save_weights_only` in ".weights.h5". It may
            hold `{epoch}` (from 1), `{batch}` and logs by name: "{epoch:02d}-{loss:.2f}.keras".
        monitor: the metric that tells which model is best.
        verbose: 1 to say what is saved.
        save_best_only: save only when the metric is better than at any time before.
        save_weights_only: save the weights alone.
        mode: "min", "max", or "auto" to go by the metric.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: what the metric must be better than at first.

    Raises:
        ValueError: `filepath` has another ending, or `save_freq` is neither.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__()
        self.filepath = os.fspath(filepath)
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ValueError(
                f"ModelCheckpoint: filepath must end in {ending!r} with "
                f"save_weights_only={save_weights_only}; got {self.filepath!r}"
            )
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                "ModelCheckpoint: save_freq must be 'epoch' or a number of batches; "
                f"got {save_freq!r}"
            )
        direction(monitor, mode)
        self.monitor = monitor
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.mode = mode
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._epoch = self._batches = 0
        if save_freq != "epoch":
            # A hook for batches makes `fit` stop after each: there is one only where it is needed.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs = None) -> None:
        self._better = direction(self.monitor, self.mode, self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._save(self._epoch, batch, logs)

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        logs = logs or {}
        if self.save_best_only and not self._is_best(logs):
            return
        path = self._path(epoch, batch, logs)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saving the model to {path}")
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _is_best(self, logs: Any) -> bool:
        if self.monitor not in logs:
            warn_unwatched(self, logs)
            return False
        value = float(logs[self.monitor])
        if math.isnan(value) or (self.best is not None and not self._better(value, self.best)):
            return False
        self.best = value
        return True

    def _path(self, epoch: int, batch: int | None, logs: Any) -> str:
        fields = {"epoch": epoch + 1, **logs}
        if batch is not None:
            fields["batch"] = batch + 1
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, which is not among "
                f"{', '.join(fields)}"
            ) from None
