"""`CallbackList`: several callbacks called as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from kerata.callbacks.callback import Callback, Logs, wants_batches
from kerata.callbacks.history import History
from kerata.callbacks.progress import ProgbarLogger


class CallbackList(Callback):
    """Several callbacks called as one.

    Args:
        callbacks: the callbacks, or one.
        add_history: add a `History` if there is none.
        add_progbar: add a `ProgbarLogger` if there is none.
        model: the model.
        params: `verbose`, `epochs`, `steps`.

    Attributes:
        clock: what makes a context around each hook that is called; None for none.
    """

    def __init__(
        self,
        callbacks: Iterable[Callback] | Callback | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for one in given:
            if not isinstance(one, Callback):
                raise TypeError(
                    f"callbacks must be kerata.callbacks.Callback objects; got {type(one).__name__}"
                    + (" (a class: call it)" if isinstance(one, type) else "")
                )
        self.callbacks: list[Callback] = given
        self.clock: Callable[[Callback], AbstractContextManager[Any]] | None = None
        self.history = next((c for c in given if isinstance(c, History)), None)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in given):
            self.callbacks.append(ProgbarLogger())
        if add_history and self.history is None:
            self.history = History()
            self.callbacks.append(self.history)
        self.callbacks.sort(key=lambda c: c.comes_last)
        self._batch = {
            mode: [c for c in self.callbacks if wants_batches(c, mode)]
            for mode in ("train", "test", "predict")
        }
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add a callback."""
        for mode, listed in self._batch.items():
            if wants_batches(callback, mode):
                listed.append(callback)
                listed.sort(key=lambda c: c.comes_last)
        self.callbacks.append(callback)
        self.callbacks.sort(key=lambda c: c.comes_last)

    def wants_batches(self, mode: str) -> bool:
        """Whether one has a hook for batches of "train", "test" or "predict"."""
        return bool(self._batch[mode])

    def progress(self, mode: str, step: int, logs: Any) -> None:
        """Tell those that show progress how far it is; `logs` is a function that gives the logs."""
        for callback in self.callbacks:
            shown = getattr(callback, "show", None)
            if shown is not None:
                shown(mode, step, logs)

    def _call(self, callbacks: list[Callback], hook: str, *args: Any) -> None:
        for callback in callbacks:
            if self.clock is None:
                getattr(callback, hook)(*args)
            else:
                with self.clock(callback):
                    getattr(callback, hook)(*args)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call(self._batch["train"], "on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call(self._batch["train"], "on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call(self._batch["test"], "on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call(self._batch["test"], "on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call(self._batch["predict"], "on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call(self._batch["predict"], "on_predict_batch_end", batch, logs)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_train_begin", logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_train_end", logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_test_begin", logs)

    def on_test_end(self, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_test_end", logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_predict_begin", logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._call(self.callbacks, "on_predict_end", logs)
