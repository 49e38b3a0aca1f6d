"""`OrbaxCheckpoint`: save the model with Orbax in the course of training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from kerata.callbacks.callback import Logs
from kerata.callbacks.saver import Saver


class OrbaxCheckpoint(Saver):
    """Save the model, the weights and the optimizer's state in a folder of Orbax checkpoints.

    `kerata.saving.load_model(directory)` makes the model anew from the latest one, and
    `model.load_weights(directory)` reads weights and optimizer state into a model; both also take
    the folder of one step, `directory/7`, under any backend. A checkpoint appears whole or not at
    all.

    Args:
        directory: the folder, made if need be. In it is one for each checkpoint, named by the epoch
            (from 0), or with `save_freq` by the number of batches since training began.
        monitor: the metric that tells which model is best.
        verbose: 1 to say what is saved.
        save_best_only: save only when the metric is better than at any time before.
        mode: "min", "max", or "auto" to go by the metric.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: what the metric must be better than at first.
        max_to_keep: how many of the latest stay; None for all.
        save_on_background: write while training goes on.
        save_weights_only: leave out the optimizer's state and the model's config.

    Raises:
        ImportError: orbax-checkpoint is not installed.
        ValueError: `save_freq` or `max_to_keep` is neither.
    """

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        super().__init__(monitor, save_best_only, mode, save_freq, initial_value_threshold)
        if max_to_keep is not None and not (isinstance(max_to_keep, int) and max_to_keep > 0):
            raise ValueError(
                f"OrbaxCheckpoint: max_to_keep must be a positive int or None; got {max_to_keep!r}"
            )
        _orbax().library()
        self.directory = os.path.abspath(os.fspath(directory))
        self.verbose = verbose
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self._checkpointer: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        training, most = _orbax().library().training, self.max_to_keep
        policies = training.preservation_policies
        self._close()
        self._checkpointer = training.Checkpointer(
            self.directory,
            preservation_policy=policies.LatestN(most) if most else policies.PreserveAll(),
        )

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def wait_until_finished(self) -> None:
        """Return once all that was saved is on the disk."""
        if self._checkpointer is not None:
            self._checkpointer.wait()

    def _close(self) -> None:
        if self._checkpointer is not None:
            self._checkpointer.close()
        self._checkpointer = None

    def save(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> None:
        step = epoch if batch is None else self._batches
        if self.verbose:
            print(f"Saving the model to {os.path.join(self.directory, str(step))}")
        found, metadata = _orbax().contents(self.model, self.save_weights_only)
        self.wait_until_finished()
        save = self._checkpointer.save_checkpointables
        if self.save_on_background:
            save = self._checkpointer.save_checkpointables_async
        save(step, found, force=True, overwrite=True, custom_metadata=metadata)


def _orbax() -> Any:
    from kerata.saving import orbax  # models know callbacks, and saving knows models

    return orbax
