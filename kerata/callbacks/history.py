"""`History`: what every epoch gave."""

from __future__ import annotations

from typing import Any

from kerata.callbacks.callback import Callback, Logs


class History(Callback):
    """Keeps every epoch's logs; `fit` returns it.

    Attributes:
        epoch: the epochs' numbers.
        history: for each metric the list of its results, one an epoch.
        compilations: for each program (`"train"`, `"test"`) and backend the shapes of the arguments
            that it was compiled for, in order: how often a short last batch or a changed length
            made another program.
        input_wait: for each epoch the seconds that it waited for batches.
        compile_seconds: how long compiling them took, the first run of each included.
    """

    state_attributes = ("epoch", "history", "input_wait")

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}
        self.input_wait: list[float] = []
        self.compilations: dict[str, dict[str, list[str]]] = {}
        self.compile_seconds = 0.0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []
        self.history = {}
        self.input_wait = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        self.input_wait.append(self.params.get("input_wait", 0.0))
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
            self.compilations = self.model.compilations
            self.compile_seconds = self.model.compile_seconds

    def __repr__(self) -> str:
        counts = [
            f"{n} {program} program{'s' if n > 1 else ''} on {backend}"
            for program, by in self.compilations.items()
            for backend, shapes in by.items()
            if (n := len(shapes))
        ]
        compiled = f", compiled {', '.join(counts)}" if counts else ""
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history)}{compiled}>"
