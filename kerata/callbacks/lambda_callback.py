"""`LambdaCallback`: a callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.callbacks.callback import Callback

Hook = Callable[..., Any] | None


class LambdaCallback(Callback):
    """A callback whose hooks are the functions that it is given.

    Args:
        on_epoch_begin: takes the epoch and the logs.
        on_epoch_end: takes the epoch and the logs.
        on_train_begin: takes the logs.
        on_train_end: takes the logs.
        on_train_batch_begin: takes the batch and the logs.
        on_train_batch_end: takes the batch and the logs.
        **kwargs: any other hook of `Callback`.

    >>> losses = []
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Hook = None,
        on_epoch_end: Hook = None,
        on_train_begin: Hook = None,
        on_train_end: Hook = None,
        on_train_batch_begin: Hook = None,
        on_train_batch_end: Hook = None,
        **kwargs: Hook,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, hook in given.items():
            if not hasattr(Callback, name):
                raise TypeError(f"LambdaCallback: {name!r} is no hook of a callback")
            if hook is not None:
                setattr(self, name, hook)
