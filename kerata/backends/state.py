"""What the running thread is doing: the active backend, scopes of state, and the call context.

One object with plain attributes, so that the path of every operation reads it in one look-up.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerata.backends.base import Backend


class _Default:
    backend: Any = None


class State(threading.local):
    """The state of one thread.

    Attributes:
        backend: the active backend; None until something needs one.
        scope: the innermost scope that variables are read from and written to, or None.
        autocast: the float dtype that variables are read in, or None for their own.
        training: `training` of the enclosing layer's call, or None outside of one.
        context: the context arguments that the enclosing layers were called with.
        depth: how many layer calls enclose this point.
        call: counts outermost layer calls, to tell the losses of one from those of the last.
        added_losses: whether a layer added a loss in the outermost call that runs or ran last.
        differentiating: how many gradients are being taken around this point.
        masks: tensors and their masks in a function that is traced whole, or None.
        names: the names of the scopes and layers around this point.
        remat: the `RematScope` around this point, or None.
        rematerializing: whether a rematerialised layer's call encloses this point.
    """

    def __init__(self) -> None:
        self.backend: Backend = _Default.backend
        self.scope: Any = None
        self.autocast: str | None = None
        self.training: bool | None = None
        self.context: dict[str, Any] = {}
        self.depth = 0
        self.call = 0
        self.added_losses = False
        self.differentiating = 0
        self.masks: list[tuple[Any, Any]] | None = None
        self.names: list[str] = []
        self.remat: Any = None
        self.rematerializing = False


state = State()


@contextlib.contextmanager
def restored(saved: dict[str, Any]) -> Iterator[None]:
    """The thread's state as it was: what is computed again may run elsewhere and later."""
    previous = dict(vars(state))
    vars(state).update(saved)
    try:
        yield
    finally:
        vars(state).update(previous)


# Every public operation by name, filled by `kerata.ops`: how tensors of ours find their operators.
operations: dict[str, Any] = {}


def body_of(name: str) -> Callable[..., Any]:
    """The body of the composite `name`, for what a backend's kernel of that name leaves out."""
    body: Callable[..., Any] = operations[name].op.body
    return body


def set_default(backend: Backend) -> None:
    """Make `backend` this thread's and that of every thread which has not used one yet."""
    _Default.backend = backend
    state.backend = backend
