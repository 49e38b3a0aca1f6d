"""`BackupAndRestore`: go on with a run that was interrupted, exactly where it was."""

from __future__ import annotations

import os
import pathlib
import warnings
from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.core.tracking import attributes
from kerata.optimizers.optimizer import Optimizer

_LATEST = "latest.npz"
_PREVIOUS = "previous.npz"


class BackupAndRestore(Callback):
    """Keep the state of the run in a folder, and go on from there when the script is started again.

    A run that was killed and started again ends with the same weights, optimizer state and
    `History`, bit for bit, as one that was not: what is kept are the variables of model, optimizer
    and metrics, all that random numbers are drawn from, the place in the epoch and in the data, and
    what the other callbacks keep (`Callback.get_state`). To that end steps run one by one, or as
    many in one call as `steps_per_execution` says: nothing is measured.

    Arrays go on at the right rows and a `PyDataset` at the right index. An iterator is read up to
    the place again, so it must yield the same as before; of other iterables earlier epochs are only
    begun. A source of data with a state of its own (an order, a generator) may define `get_state()`
    and `set_state(state)`, which are called at the beginning of an epoch.

    A backup appears whole or not at all. When training ends, it is deleted.

    Args:
        backup_dir: the folder, for one run alone.
        save_freq: "epoch", or a number of batches; with batches `fit` stops after each.
        double_checkpoint: also keep the backup before, for the case that the last is damaged.
        delete_checkpoint: whether the backup is deleted when training ends.

    Raises:
        ValueError: `backup_dir` is empty, or `save_freq` is neither.
    """

    writes_files = True
    comes_last = True

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir is empty")
        counts = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not counts:
            raise ValueError(
                "BackupAndRestore: save_freq must be 'epoch' or a number of batches; "
                f"got {save_freq!r}"
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._since = 0
        self._last = 0
        self._interrupted: dict[str, Any] | None = None
        if save_freq != "epoch":
            # A hook for batches makes `fit` stop after each: there is one only where it is needed.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    @property
    def _folder(self) -> pathlib.Path:
        return pathlib.Path(self.backup_dir)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._interrupted = None
        self._since = self._last = 0
        self.model.current_run.exact = True
        found = self._found()
        if found is None:
            return
        run = self.model.current_run
        self._restore(found)
        run.set_state(found["run"])
        self._since, self._last = found["since"], run.step
        if run.step:
            self._interrupted = found

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self._interrupted is not None:
            # What the others did at the beginning of this epoch, they did before the backup too.
            self._restore(self._interrupted)
            self._interrupted = None
        else:
            self._last = 0

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        self._since += batch + 1 - self._last
        self._last = batch + 1
        if self._since >= int(self.save_freq):
            self._since = 0
            self._save(self.model.current_run.get_state())

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(self.model.current_run.next_state())

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.delete_checkpoint:
            return
        for name in (_LATEST, _PREVIOUS):
            (self._folder / name).unlink(missing_ok=True)
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    # State

    def _save(self, run: dict[str, Any]) -> None:
        from kerata.saving.state_file import write_tree

        optimizers = _optimizers(self.model)
        state = {
            "run": run,
            "since": self._since,
            "callbacks": {key: c.get_state() for key, c in self._others()},
            "model": [v.numpy() for v in self.model.variables],
            "metrics": [v.numpy() for v in self.model.metrics_variables],
            "optimizers": [_optimizer_state(o, self.model.variables) for o in optimizers],
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        latest = self._folder / _LATEST
        if self.double_checkpoint and latest.exists():
            os.replace(latest, self._folder / _PREVIOUS)
        write_tree(latest, state)

    def _found(self) -> Any:
        """The last backup that can be read, or None.

        Raises:
            OSError: there are backups, and all of them are damaged.
        """
        from kerata.saving.state_file import read_tree

        failed: OSError | None = None
        for name in (_LATEST, _PREVIOUS):
            path = self._folder / name
            if not path.exists():
                continue
            try:
                found = read_tree(path)
            except OSError as error:
                failed = failed or error
                continue
            if failed is not None:
                warnings.warn(f"{failed}. Training goes on from {path}", stacklevel=2)
            return found
        if failed is not None:
            raise OSError(f"{failed}. Delete {self.backup_dir} to train from the beginning")
        return None

    def _restore(self, found: dict[str, Any]) -> None:
        """Set variables and callbacks to what was kept of them."""
        model = self.model
        self._assign("the model", model.variables, found["model"])
        optimizers = _optimizers(model)
        if len(optimizers) != len(found["optimizers"]):
            raise self._another(f"{len(found['optimizers'])} optimizers", f"{len(optimizers)}")
        for optimizer, kept in zip(optimizers, found["optimizers"], strict=True):
            if not optimizer.built and kept["built_for"]:
                optimizer.build([model.variables[i] for i in kept["built_for"]])
            self._assign(f"the optimizer {optimizer.name!r}", optimizer.variables, kept["values"])
        self._assign("the metrics", model.metrics_variables, found["metrics"])
        for key, callback in self._others():
            if found["callbacks"].get(key):
                callback.set_state(found["callbacks"][key])

    def _assign(self, whose: str, variables: list[Any], values: list[Any]) -> None:
        before, now = [v.shape for v in values], [v.shape for v in variables]
        if before != now:
            at = next((i for i, (a, b) in enumerate(zip(before, now)) if a != b), None)
            if at is None:
                raise self._another(f"{len(before)} variables of {whose}", f"{len(now)}")
            path = variables[at].path
            raise self._another(f"the shape {before[at]} for {path!r}", f"{now[at]}")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _another(self, before: str, now: str) -> ValueError:
        return ValueError(
            f"The backup in {self.backup_dir} is of another model: it has {before}, and this one "
            f"{now}. Delete the folder to train from the beginning"
        )

    def _others(self) -> list[tuple[str, Callback]]:
        """The other callbacks, each by its class and how many of that class came before it."""
        counts: dict[str, int] = {}
        found = []
        for callback in self.model.current_run.callbacks.callbacks:
            name = type(callback).__name__
            counts[name] = counts.get(name, 0) + 1
            if callback is not self:
                found.append((f"{name} {counts[name]}", callback))
        return found


def _optimizers(model: Any) -> list[Any]:
    """The optimizer of `compile`, and those in the model's attributes."""
    held = [model.optimizer, *attributes(model)]
    unique = {id(o): o for o in held if isinstance(o, Optimizer)}
    return list(unique.values())


def _optimizer_state(optimizer: Any, variables: list[Any]) -> dict[str, Any]:
    places = {id(v): i for i, v in enumerate(variables)}
    trained = getattr(optimizer, "_trainable_variables", ())
    return {
        "values": [v.numpy() for v in optimizer.variables],
        "built_for": [places[id(v)] for v in trained if id(v) in places],
    }
