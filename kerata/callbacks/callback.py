"""`Callback`: hooks into training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Logs = Mapping[str, Any] | None


class Callback:
    """The base of callbacks: override the hooks that you need.

    A callback with a hook for batches makes `fit` stop after every batch; one without lets it run
    several steps in one call.

    Attributes:
        model: the model that is trained.
        params: `verbose`, `epochs`, `steps`.
        state_attributes: the names of the attributes that a run which goes on after an interruption
            needs; `get_state` and `set_state` hand them over.
        writes_files: whether it writes files; it is left out of a `fast_dev_run` then.
        comes_last: whether its hooks are called after those of all others.
    """

    state_attributes: tuple[str, ...] = ()
    writes_files: bool = False
    comes_last: bool = False

    def __init__(self) -> None:
        self._model: Any = None
        self.params: dict[str, Any] = {}

    @property
    def model(self) -> Any:
        """The model that is trained, evaluated or predicts."""
        return getattr(self, "_model", None)

    def set_model(self, model: Any) -> None:
        """Tell it the model."""
        self._model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell it `verbose`, `epochs` and `steps`."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What `BackupAndRestore` keeps of it: numbers, strings, arrays, lists and dictionaries."""
        return {name: getattr(self, name) for name in self.state_attributes}

    def set_state(self, value: dict[str, Any]) -> None:
        """Go on with what `get_state` gave; called after `on_train_begin`."""
        for name, held in value.items():
            setattr(self, name, held)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """As `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """As `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch; `logs` has the metrics' results, validation's with `val_`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training step; `logs` has the metrics' results so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `evaluate` or of validation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `evaluate` or of validation."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `predict`; `logs["outputs"]` has what it gave."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before training."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After training; `logs` are those of the last epoch."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before `evaluate` or validation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After `evaluate` or validation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After `predict`."""


_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


def wants_batches(callback: Callback, mode: str) -> bool:
    """Whether `callback` has a hook of its own for batches of "train", "test" or "predict"."""
    cls = type(callback)
    return any(
        getattr(cls, n, None) is not getattr(Callback, n) or n in vars(callback)
        for n in _BATCH_HOOKS[mode]
    )
