"""`ModelCheckpoint`: save the model, or its weights, in the course of training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerata.callbacks.saver import Saver


class ModelCheckpoint(Saver):
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
        super().__init__(monitor, save_best_only, mode, save_freq, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ValueError(
                f"ModelCheckpoint: filepath must end in {ending!r} with "
                f"save_weights_only={save_weights_only}; got {self.filepath!r}"
            )
        self.verbose = verbose
        self.save_weights_only = save_weights_only

    def save(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saving the model to {path}")
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

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
