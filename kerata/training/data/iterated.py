"""Batches that something yields, read ahead where that pays."""

from __future__ import annotations

import itertools
import time
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import optree

from kerata import config
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.training.data.arrays import named_parts
from kerata.training.data.batch import unpack_x_y_sample_weight, with_class_weights
from kerata.training.data.host import as_batch
from kerata.training.data.reader import Reader
from kerata.training.data.sources import Source, source_of

_PAYS = 5e-4  # seconds for a batch from which on a thread of its own is worth its cost
_SLOW = 2  # batches that must have taken longer
_NUMBERS = "biufcV"  # the kinds of dtypes that go to the device; ml_dtypes' are of kind V
_END = object()

# What was read from an iterator and not trained on, for whoever reads from it next.
_unread: weakref.WeakKeyDictionary[Any, deque[Any]] = weakref.WeakKeyDictionary()


class IteratedData:
    """Batches that a source gives, epoch by epoch.

    An epoch of `steps` batches goes on in the source where the last one stopped, and begins a new
    pass where there are none left; without `steps` it is a pass.

    Args:
        source: what yields batches, or a `Source`.
        steps: batches an epoch; None for as many as there are.
        class_weight: a weight for each class of integer or one-hot targets.
        shuffle: whether a source whose batches are numbered gives them in a new order each pass.
        prepare: makes of a batch's inputs, on the host, what the step is given; None for nothing.

    Attributes:
        source: what yields the batches.
        steps: batches an epoch, None where that is not known.
        waited: the seconds that were spent waiting for batches.
        drawn: the state of the generator that the order of this pass was drawn from, or None.

    Raises:
        TypeError: the source yields no batches.
        ValueError: the source has no end, and `steps` is None.
    """

    def __init__(
        self,
        source: Any,
        steps: int | None = None,
        class_weight: Mapping[int, float] | None = None,
        shuffle: bool = False,
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        self._prepare_inputs = prepare
        self._from = source if isinstance(source, Source) else source_of(source)
        self.source = self._from.source
        if steps is None and self._from.endless:
            raise ValueError(
                f"x, {self._from.kind}, has no end: give the number of its batches that make an "
                "epoch (steps_per_epoch in fit, validation_steps, steps in evaluate and predict)"
            )
        if steps is not None and (int(steps) != steps or steps < 1):
            raise ValueError(f"The number of steps must be a positive int; got {steps!r}")
        self.class_weight = class_weight
        self.waited = 0.0
        self.steps = self._from.length if steps is None else int(steps)
        self._asked = steps is not None
        self._most: int | None = None
        self._shuffle = shuffle
        self.drawn: Any = None
        self._ordered = False
        self._at = 0  # the number of the batch that the next epoch begins with
        self._place = 0  # of the epoch in the pass, where batches have numbers
        self._taken = 0  # from the pass, where they have none
        self._pass: Iterator[Any] | None = None
        self._kept = _kept_of(self._from)
        self._reader: Reader | None = None
        self._begun = False
        self._slow = 0
        self._warned = False

    # What training asks for

    def limit(self, steps: int) -> None:
        """Use no more than the first so many batches of each pass."""
        self._most = steps if self._most is None else min(self._most, steps)
        self.steps = self._limited(self.steps)

    def _limited(self, steps: int | None) -> int | None:
        return steps if self._most is None else min(steps or self._most, self._most)

    def order(self, rng: np.random.Generator | None = None) -> None:
        """Draw the order of the next pass, where one begins and there is one to draw.

        In the midst of a pass that another run began, `drawn` says which order it was.
        """
        if rng is None or not self._shuffle or not self._from.indexed:
            return
        if self._place:
            if self._ordered or self.drawn is None:
                return
            rng = np.random.Generator(np.random.Philox())
            rng.bit_generator.state = self.drawn
        self.drawn = rng.bit_generator.state
        self._from.shuffle(rng)
        self._ordered = True
        self._kept.clear()

    def has_more(self) -> bool:
        """Whether there are batches for another epoch; warns where an iterator has ended."""
        if not self._from.once or self._kept:
            return True
        batch = next(self._opened(), _END)
        if batch is _END:
            warnings.warn(
                f"x, {self._from.kind}, has no more batches, so training ends here. It should give "
                "steps_per_epoch * epochs of them; an object that can be run through again (a "
                "list, a PyDataset) serves any number of epochs",
                stacklevel=2,
            )
            return False
        self._kept.append(batch)
        return True

    def first(self) -> Any:
        """The first batch, on the host; it comes again when the batches are run through."""
        if not self._kept:
            self._begin()
            if not self._from.indexed:
                batch = next(self._opened(), _END)
            else:
                batch = _END if self.steps == 0 else self._from.peek()
            if batch is _END:
                raise ValueError(f"x, {self._from.kind}, yields no batch")
            self._kept.append(batch)
        return self._on_host(self._kept[0])

    def batches(self) -> Iterator[Any]:
        """The batches of an epoch as `(x, y, sample_weight)`; after `skip`, what is left of it."""
        self._begin()
        start, self._at = self._at, 0
        epoch = self._epoch(start)
        try:
            yield from self._timed(self._at_once(epoch))
            if self._slow >= _SLOW and config.read_ahead():
                self._reader = Reader(epoch, self._prepared_apart, config.read_ahead())
                yield from self._timed(self._reader)
            self._stop_reading()
        except GeneratorExit:
            self._stop_reading()
            if self._begun:  # not closed
                self._end()
            raise
        self._end()

    @property
    def at_start(self) -> bool:
        """Whether the next epoch begins a pass."""
        return (self._place if self._from.indexed else self._taken) == 0

    def skip(self, epochs: int, steps: int, begin: Callable[[], None]) -> None:
        """Go on at batch `steps` of the epoch that comes after `epochs` others.

        Where batches have numbers none is read, and an iterator is read up to there. Of another
        source each of the earlier passes is begun, as it may draw an order then, and read no
        further.

        Args:
            epochs: how many epochs are left out.
            steps: how many batches of the next one are.
            begin: called where that epoch's pass begins, or batches are read by number from.
        """
        self._at = steps
        if self._from.indexed or self._from.once:
            for _ in range(epochs):
                self._pass_over()
            if self._from.indexed:
                begin()
        elif epochs:
            length = self._from.length
            passes, self._taken = epochs, 0
            if length and self._asked:
                passes, self._taken = divmod(epochs * (self.steps or 0), length)
            for _ in range(passes - (self._pass is not None)):
                next(self._from.passes(), None)
            begin()
            self._kept.clear()
            self._pass = self._from.passes()
            for _ in range(self._taken):
                next(self._pass, None)
        if not self._from.indexed:
            for _ in range(steps):
                self._next()

    def _pass_over(self) -> None:
        self._begin()
        if self._from.indexed:
            self._span()
            self._kept.clear()
        else:
            for _ in self._epoch(0):
                pass
        self._end()

    def close(self) -> None:
        """Stop what runs in the background."""
        self._stop_reading()
        self._pass, self._begun = None, False
        self._from.close()

    def _stop_reading(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            unread = reader.close()
            if self._from.once:
                self._kept.extend(unread)

    # Reading

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._from.begin()
            if not self._asked:
                self.steps = self._limited(self._from.length)

    def _end(self) -> None:
        self._begun = False
        self._from.end()

    def _epoch(self, start: int) -> Iterator[Any]:
        """The batches of an epoch as the source gives them."""
        count = start
        for batch in self._numbered(start) if self._from.indexed else self._streamed(start):
            count += 1
            yield batch
        if self._asked and count < (self.steps or 0) and not self._warned:
            self._warned = True
            warnings.warn(
                f"x, {self._from.kind}, ran out of data after {count} of the {self.steps} batches "
                "of an epoch. It should give steps_per_epoch * epochs batches in all (repeat() "
                "makes a data set that has no end)",
                stacklevel=2,
            )

    def _span(self) -> tuple[int, int | None]:
        """Where the epoch lies in the pass, which moves on behind it."""
        first, length = self._place, self._from.length
        last = length if self.steps is None else first + self.steps
        if length is not None and last is not None:
            last = min(last, length)
        self._place = 0 if last in (None, length) or self._most is not None else last
        return first, last

    def _numbered(self, start: int) -> Iterator[Any]:
        first, last = self._span()
        at = first + start
        if self._kept and at == 0:
            yield self._kept.popleft()
            at += 1
        self._kept.clear()
        places = itertools.count(at) if last is None else iter(range(at, last))
        yield from self._from.read(places)

    def _streamed(self, start: int) -> Iterator[Any]:
        count, again = start, self._pass is not None
        if start and not again and not self._asked:
            return  # the pass was skipped to its end
        steps = self.steps if self._asked else self._most
        while steps is None or count < steps:
            batch = self._next()
            if batch is _END:
                if count or not again:
                    return
                again = False  # the last epoch ended where the pass did
                continue
            count += 1
            yield batch
            if self._pass is None and not self._from.once:
                return
        if self._most is not None and not self._from.once:
            self._pass, self._taken = None, 0

    def _next(self) -> Any:
        """The next batch of the pass, which is over behind its last one."""
        batch = self._kept.popleft() if self._kept else next(self._opened(), _END)
        self._taken += 1
        if batch is _END or self._taken == self._from.length:
            self._taken = 0
            if not self._from.once:
                self._pass = None
        return batch

    def _opened(self) -> Iterator[Any]:
        if self._pass is None:
            self._pass = self._from.passes()
        return self._pass

    # Preparing

    def _at_once(self, epoch: Iterator[Any]) -> Iterator[Any]:
        """Batches read in this thread, as long as that is fast."""
        while self._slow < _SLOW or not config.read_ahead():
            start = time.perf_counter()
            batch = next(epoch, _END)
            if batch is _END:
                return
            prepared = self._prepared(batch)
            self._slow += time.perf_counter() - start > _PAYS
            yield prepared

    def _timed(self, batches: Iterator[Any]) -> Iterator[Any]:
        while True:
            start = time.perf_counter()
            batch = next(batches, _END)
            self.waited += time.perf_counter() - start
            if batch is _END:
                return
            yield batch

    def _on_host(self, batch: Any) -> Any:
        x, y, weight = optree.tree_map(as_batch, named_parts(*unpack_x_y_sample_weight(batch)))
        x = x if self._prepare_inputs is None else self._prepare_inputs(x)
        return x, y, with_class_weights(y, weight, self.class_weight)

    def _prepared(self, batch: Any) -> Any:
        return on_device(self._on_host(batch))

    def _prepared_apart(self, batch: Any) -> Any:
        """`_prepared`, in memory that the source does not write its next batch to."""
        hosted = self._on_host(batch)
        if not self._from.fresh:
            hosted = optree.tree_map(_copied, hosted)
        return on_device(hosted)


def _copied(x: Any) -> Any:
    return np.array(x) if isinstance(x, np.ndarray) else x


def on_device(batch: Any) -> Any:
    """A batch as tensors of the active backend; text stays on the host."""
    backend = state.backend or ensure()

    def moved(x: Any) -> Any:
        text = not isinstance(x, np.ndarray) or x.dtype.kind not in _NUMBERS
        return x if text else backend.convert(x)

    return optree.tree_map(moved, batch)


def _kept_of(source: Source) -> deque[Any]:
    """The batches that were read from an iterator before and not used; empty for all others."""
    if not source.once:
        return deque()
    try:
        return _unread.setdefault(source.source, deque())
    except TypeError:  # it can't be referred to weakly
        return deque()
