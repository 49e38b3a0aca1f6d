"""Workers that prepare the batches of a `PyDataset`: threads, or processes started afresh.

Both give the batches in the order in which they were asked for, prepare at most so many in advance,
and hand on what went wrong with the traceback of where it did.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import signal
import tempfile
import traceback
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from multiprocessing.connection import Connection, wait
from typing import Any

from kerata.backends.registry import ensure
from kerata.backends.state import state

_IN_HAND = 2  # numbers that a process has at once, so that it need not wait for the next
_PATIENCE = 1.0  # seconds that a process has to end by itself


class Threads:
    """Threads that share the data set."""

    def __init__(self, dataset: Any, workers: int, ahead: int) -> None:
        backend = state.backend or ensure()
        self._dataset = dataset
        self._ahead = max(ahead, workers)
        self._pool = ThreadPoolExecutor(workers, "kerata-data", lambda: _use(backend))

    def refresh(self) -> None:
        """The data set has changed: threads see it."""

    def read(self, places: Iterator[int]) -> Iterator[Any]:
        """The batches of these numbers, in order."""
        waiting: deque[Future[Any]] = deque()
        try:
            for i in places:
                waiting.append(self._pool.submit(self._dataset.__getitem__, i))
                if len(waiting) >= self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Let the threads end after the batch in hand."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _use(backend: Any) -> None:
    state.backend = backend


class WorkerTraceback(Exception):
    """The cause of an exception that happened in a worker process: its traceback there."""

    def __str__(self) -> str:
        return f"in a worker process:\n{self.args[0]}"


class Processes:
    """Processes that hold a copy of the data set each; they start when the first batch is due."""

    def __init__(self, dataset: Any, workers: int, ahead: int) -> None:
        self._dataset = dataset
        self._workers = workers
        self._ahead = max(ahead, workers)
        self._folder = tempfile.mkdtemp(prefix="kerata-data-")
        self._version = 0
        self._processes: dict[Connection, Any] = {}
        self._remove = weakref.finalize(self, _remove, self._processes, self._folder)
        self.refresh()

    def refresh(self) -> None:
        """The data set has changed: the next batches are those of a new copy."""
        self._version += 1
        try:
            with open(self._path, "wb") as file:
                pickle.dump(self._dataset, file, pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            error.add_note(
                f"{type(self._dataset).__name__} goes to its worker processes by pickle, so all "
                "that it holds must be picklable; or use threads (use_multiprocessing=False)"
            )
            raise

    @property
    def _path(self) -> str:
        return os.path.join(self._folder, f"{self._version}.pickle")

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for _ in range(self._workers):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there,), daemon=True)
            self._processes[here] = process
            process.start()
            there.close()

    def read(self, places: Iterator[int]) -> Iterator[Any]:
        """The batches of these numbers, in order."""
        asked = given = 0
        ready: dict[int, bytes] = {}
        finished = False
        try:
            if not self._processes:
                self._start()
            hands: dict[Connection, deque[tuple[int, int]]] = {p: deque() for p in self._processes}
            while True:
                for pipe, place in self._ask(hands, places, self._ahead - (asked - given)):
                    hands[pipe].append((asked, place))
                    asked += 1
                if given == asked:
                    finished = True
                    return
                busy = [p for p in hands if hands[p]]
                answered = set(wait(busy, 0 if given in ready else None))
                for pipe in (p for p in busy if p in answered):
                    number, place = hands[pipe].popleft()
                    ready[number] = self._received(pipe, place)
                if given in ready:
                    yield _opened(ready.pop(given))
                    given += 1
        finally:
            if not finished:  # answers that nobody takes are on their way
                _stop(self._processes)

    def _ask(
        self, hands: Any, places: Iterator[int], most: int
    ) -> Iterator[tuple[Connection, int]]:
        """Hand up to `most` numbers to the processes that have the least to do."""
        for _ in range(most):
            pipe = min(hands, key=lambda p: len(hands[p]))
            if len(hands[pipe]) >= _IN_HAND:
                return
            place = next(places, None)
            if place is None:
                return
            try:
                pipe.send((self._path, place))
            except OSError:
                raise self._dead(pipe, hands[pipe][0][1] if hands[pipe] else place) from None
            yield pipe, place

    def _received(self, pipe: Connection, place: int) -> bytes:
        try:
            return pipe.recv_bytes()
        except (EOFError, OSError):
            raise self._dead(pipe, place) from None

    def _dead(self, pipe: Connection, place: int) -> RuntimeError:
        process = self._processes[pipe]
        process.join(_PATIENCE)
        return RuntimeError(
            f"A worker process of {type(self._dataset).__name__} ended (exit code "
            f"{process.exitcode}) while it prepared batch {place}. It was killed (out of memory?), "
            "or could not start: the class must be importable (not defined in a notebook or at a "
            'prompt), and a script must train under `if __name__ == "__main__":`. workers=0 shows '
            "what happens without processes"
        )

    def close(self) -> None:
        """End the processes and remove the copies."""
        self._remove()


def _stop(processes: dict[Connection, Any]) -> None:
    for pipe in processes:
        pipe.close()
    for process in processes.values():
        if process.pid is not None:
            process.terminate()
    for process in processes.values():
        if process.pid is not None:
            process.join(_PATIENCE)
            if process.exitcode is None:
                process.kill()
                process.join(_PATIENCE)
    processes.clear()


def _remove(processes: dict[Connection, Any], folder: str) -> None:
    _stop(processes)
    shutil.rmtree(folder, ignore_errors=True)


def _opened(answer: bytes) -> Any:
    """The batch in an answer; what went wrong is raised."""
    error, trace, batch = pickle.loads(answer)
    if error is not None:
        raise error from WorkerTraceback(trace)
    return batch


# In the worker process


def _serve(pipe: Connection) -> None:
    """Answer numbers with batches until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    with pipe:
        while True:
            try:
                path, place = pipe.recv()
                pipe.send_bytes(_answer(path, place))
            except (EOFError, OSError):
                return


def _answer(path: str, place: int) -> bytes:
    try:
        return pickle.dumps((None, "", _loaded(path)[place]), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        trace = traceback.format_exc()
        try:
            found = pickle.dumps((error, trace, None))
            pickle.loads(found)
        except Exception:
            plain = RuntimeError(f"{type(error).__name__}: {error}")
            found = pickle.dumps((plain, trace, None))
        return found


@lru_cache(maxsize=1)
def _loaded(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)
