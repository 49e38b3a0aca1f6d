"""Reading ahead: a thread that prepares the next batches while a step runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from kerata.backends.registry import ensure
from kerata.backends.state import state

_PATIENCE = 5.0  # seconds that the thread has to finish the batch in hand when it is to end


class Reader:
    """The items of an iterator, prepared by a thread of its own.

    Args:
        items: what is read; the thread takes from it no more than it is to, and closes it.
        prepare: applied to each item in the thread, under the backend of this one.
        ahead: the most prepared items that wait.
    """

    def __init__(self, items: Iterator[Any], prepare: Callable[[Any], Any], ahead: int) -> None:
        self._items = items
        self._prepare = prepare
        self._ahead = ahead
        self._backend = state.backend or ensure()
        self._ready: deque[tuple[Any, Any]] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="kerata-reader", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        state.backend = self._backend
        error: BaseException | None = None
        try:
            while self._has_room():
                try:
                    item = next(self._items)
                except StopIteration:
                    break
                prepared = self._prepare(item)
                with self._changed:
                    self._ready.append((item, prepared))
                    self._changed.notify()
        except BaseException as caught:
            error = caught
        finally:
            if hasattr(self._items, "close"):
                self._items.close()
            with self._changed:
                self._error, self._ended = error, True
                self._changed.notify()

    def _has_room(self) -> bool:
        """Wait for room for another item; False where no more is wanted."""
        with self._changed:
            while len(self._ready) >= self._ahead and not self._stopped:
                self._changed.wait()
            return not self._stopped

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self._changed:
            while not self._ready and not self._ended:
                self._changed.wait()
            if self._ready:
                _, prepared = self._ready.popleft()
                self._changed.notify()
                return prepared
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise StopIteration

    def close(self) -> list[Any]:
        """End the thread; returns the items that were read and not taken, as they came.

        A thread that hangs in its source is left behind: it ends when the source goes on.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)
        with self._changed:
            unread = [item for item, _ in self._ready]
            self._ready.clear()
            return unread
