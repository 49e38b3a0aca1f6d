"""Ctrl-C during training: obeyed between two steps, so that the weights are a finished step's."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def between_steps() -> Iterator[Callable[[], None]]:
    """Hold back an interrupt until the function that this yields is called.

    A second interrupt is not held back.

    Raises:
        KeyboardInterrupt: from that function, if the user pressed Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    pressed = False
    previous = signal.getsignal(signal.SIGINT)
    if previous is not signal.default_int_handler:
        yield lambda: None
        return

    def handler(number: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def check() -> None:
        nonlocal pressed
        if pressed:
            pressed = False
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handler)
    try:
        yield check
        check()
    finally:
        signal.signal(signal.SIGINT, previous)
