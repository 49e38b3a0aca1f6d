"""Where batches come from: one small class for each kind of source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kerata.backends.kinds import is_a
from kerata.training.data.py_dataset import PyDataset

if TYPE_CHECKING:
    from kerata.training.data.workers import Processes, Threads

_ENDLESS = 2**40  # grain gives a data set that repeats for ever a length of this order


class Source:
    """Something that gives batches, pass after pass.

    An indexed source gives those that it is asked for by number (`read`); any other all from the
    first on (`passes`).

    Attributes:
        source: what the user gave.
        kind: what it is, for messages.
        indexed: whether batches are asked for by number.
        once: whether there is one pass, which goes on in the next epoch.
        fresh: whether each batch has memory of its own, that the source does not write to again.
    """

    kind = "an iterable"
    indexed = False
    once = False
    fresh = False

    def __init__(self, source: Any) -> None:
        self.source = source

    @property
    def length(self) -> int | None:
        """Batches in a pass; None where that is not known, or there is no end."""
        try:
            return len(self.source)
        except TypeError:
            return None

    @property
    def endless(self) -> bool:
        """Whether a pass is known to have no end."""
        return False

    def passes(self) -> Iterator[Any]:
        """The batches of a new pass."""
        return iter(self.source)

    def read(self, places: Iterator[int]) -> Iterator[Any]:
        """The batches of these numbers, in order."""
        raise TypeError(f"{self.kind} has no batches by number")

    def peek(self) -> Any:
        """The batch of number 0, before any order is drawn."""
        return next(self.read(iter((0,))))

    def shuffle(self, rng: np.random.Generator) -> None:
        """Put the batches of the next pass in a new order, if there is one to choose."""

    def begin(self) -> None:
        """An epoch begins."""

    def end(self) -> None:
        """An epoch has ended."""

    def close(self) -> None:
        """Stop whatever runs in the background."""


class Iterated(Source):
    """A generator or another iterator."""

    kind = "an iterator"
    once = True

    @property
    def length(self) -> int | None:
        return None


class TensorFlowDataset(Source):
    """A `tf.data.Dataset`."""

    kind = "a tf.data.Dataset"
    fresh = True

    @property
    def length(self) -> int | None:
        count = int(self.source.cardinality())
        return count if count >= 0 else None

    @property
    def endless(self) -> bool:
        return int(self.source.cardinality()) == -1


class TorchLoader(Source):
    """A `torch.utils.data.DataLoader`."""

    kind = "a torch DataLoader"
    fresh = True


class GrainDataset(Source):
    """A `grain.MapDataset`, `grain.IterDataset` or `grain.DataLoader`."""

    kind = "a grain dataset"
    fresh = True

    @property
    def length(self) -> int | None:
        return None if self.endless else super().length

    @property
    def endless(self) -> bool:
        found = super().length
        return found is not None and found >= _ENDLESS


class Numbered(Source):
    """A `PyDataset`, or what has the same methods."""

    kind = "a PyDataset"
    indexed = True

    def __init__(self, source: Any) -> None:
        super().__init__(source)
        self._order: np.ndarray | None = None
        self._workers: Threads | Processes | None = None
        self.fresh = bool(getattr(source, "use_multiprocessing", False))

    @property
    def length(self) -> int | None:
        count = self.source.num_batches
        return None if count is None else int(count)

    @property
    def endless(self) -> bool:
        return self.source.num_batches is None

    def shuffle(self, rng: np.random.Generator) -> None:
        count = self.length
        self._order = None if count is None else rng.permutation(count)

    def read(self, places: Iterator[int]) -> Iterator[Any]:
        if self._order is not None:
            order = self._order
            places = (int(order[i]) for i in places)
        if self.source.workers <= 1 and not self.source.use_multiprocessing:
            return (self.source[i] for i in places)
        return self._started().read(places)

    def peek(self) -> Any:
        return self.source[0]  # without the workers, which may have to start

    def _started(self) -> Threads | Processes:
        if self._workers is None:
            from kerata.training.data.workers import Processes, Threads

            data = self.source
            kind = Processes if data.use_multiprocessing else Threads
            self._workers = kind(data, max(data.workers, 1), data.max_queue_size)
        return self._workers

    def begin(self) -> None:
        self.source.on_epoch_begin()
        self._changed("on_epoch_begin")

    def end(self) -> None:
        self.source.on_epoch_end()
        self._changed("on_epoch_end")

    def _changed(self, hook: str) -> None:
        if self._workers is not None and getattr(type(self.source), hook) is not getattr(
            PyDataset, hook
        ):
            self._workers.refresh()

    def close(self) -> None:
        if self._workers is not None:
            self._workers.close()
            self._workers = None


def _is_numbered(x: Any) -> bool:
    return isinstance(x, PyDataset) or all(
        hasattr(x, n) for n in ("num_batches", "workers", "on_epoch_end", "__getitem__")
    )


# What makes a source of a user's object: the first whose predicate holds. They import nothing.
_KINDS: list[tuple[Callable[[Any], bool], Callable[[Any], Source]]] = [
    (_is_numbered, Numbered),
    (lambda x: is_a(x, "tensorflow", "data.Dataset"), TensorFlowDataset),
    (lambda x: is_a(x, "torch.utils.data", "DataLoader"), TorchLoader),
    (lambda x: is_a(x, "grain", "MapDataset", "IterDataset", "DataLoader"), GrainDataset),
    (lambda x: isinstance(x, Iterator), Iterated),
    (lambda x: isinstance(x, Iterable) and not isinstance(x, (str, bytes)), Source),
]
_registered: list[tuple[Callable[[Any], bool], Callable[[Any], Any]]] = []


def register_data_source(
    accepts: Callable[[Any], bool], convert: Callable[[Any], Any]
) -> Callable[[], None]:
    """Let `fit`, `evaluate` and `predict` take objects of a further kind.

    Args:
        accepts: whether an object is of the kind. It is asked about everything that is given as
            `x`, before anything else looks at it.
        convert: makes of it something that is taken already: arrays (with the targets beside them
            in `y`), an iterable of batches, a `PyDataset`.

    Returns:
        What takes the kind out again.

    Example:
        >>> class Shards:
        ...     def load(self):
        ...         return [([[1.0]], [2.0]), ([[3.0]], [4.0])]
        >>> remove = register_data_source(lambda x: isinstance(x, Shards), lambda x: x.load())
        >>> len(converted(Shards()))
        2
        >>> remove()
    """
    entry = (accepts, convert)
    _registered.append(entry)
    return lambda: _registered.remove(entry)


def converted(x: Any) -> Any:
    """What a registered kind makes of `x`, or `x` itself."""
    for accepts, convert in _registered:
        if accepts(x):
            return convert(x)
    return x


def source_of(x: Any) -> Source:
    """The source that `x` is.

    Raises:
        TypeError: it yields no batches.
    """
    for accepts, make in _KINDS:
        if accepts(x):
            return make(x)
    hint = ""
    if callable(x) and not isinstance(x, type):
        hint = "; call the function, and give what it returns"
    elif hasattr(x, "__getitem__") and hasattr(x, "__len__"):
        hint = (
            "; an object with __getitem__ and __len__ gives batches as a kerata.utils.PyDataset, "
            "a torch Dataset as a torch.utils.data.DataLoader"
        )
    raise TypeError(
        "x must be arrays, or yield batches (a generator, an iterable, a PyDataset, a "
        f"tf.data.Dataset, a DataLoader); got {type(x).__name__}{hint}"
    )
