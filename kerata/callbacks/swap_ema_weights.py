"""`SwapEMAWeights`: evaluate and save the optimizer's averages of the weights."""

from __future__ import annotations

from typing import Any

from kerata.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Exchange the weights and their averages for evaluation and prediction, and back afterwards.

    Args:
        swap_on_epoch: also exchange them at the end of each epoch, for callbacks that come after
            this one (a checkpoint), and back at the beginning of the next.

    Raises:
        ValueError: the optimizer has no averages (`use_ema=True`).
    """

    state_attributes = ("_swapped",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _swap(self, wanted: bool) -> None:
        if self._swapped == wanted:
            return
        self._optimizer().exchange_averages()
        self._swapped = wanted

    def _optimizer(self) -> Any:
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights: the model's optimizer must be made with use_ema=True; "
                f"got {optimizer!r}"
            )
        return optimizer

    def on_train_begin(self, logs: Logs = None) -> None:
        self._optimizer()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._swap(True)

    def on_train_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._swap(False)
