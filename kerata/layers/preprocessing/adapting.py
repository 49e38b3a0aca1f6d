"""`AdaptedLayer`: layers of data that learn something of the data before they are used."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kerata.backends.kinds import is_a
from kerata.core.text import is_text
from kerata.layers.preprocessing.data_layer import DataLayer

_SHOWN_AFTER = 2.0  # seconds from which on a bar shows how far adapting is


class AdaptedLayer(DataLayer):
    """A layer with `adapt(data)`, which goes through the data once.

    Subclasses define `reset_state`, `update_state(data)` for a batch, and `finalize_state`.

    Attributes:
        rows_at_once: how many rows of an array are a batch; None for all of them.
        learnt: what it learns, for messages.
    """

    rows_at_once: int | None = None
    learnt: str = "what it would learn"

    @property
    def learns(self) -> bool:
        """Whether there is something to learn, that it was not given."""
        return True

    def reset_state(self) -> None:
        """Forget what was learnt."""

    def update_state(self, data: Any) -> None:
        """Learn from a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state(data)")

    def finalize_state(self) -> None:
        """Take what was learnt into use."""

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn from data, which a bar shows where it takes long.

        Args:
            data: an array, list or series; or what yields batches of them.
            steps: the most batches to take.

        Raises:
            ValueError: there is nothing to learn, as it was given already or the data is empty.
        """
        self._adapt(data, self.rows_at_once, steps)

    def _adapt(self, data: Any, rows: int | None, steps: int | None = None) -> None:
        if not self.learns:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} was given {self.learnt}, so it can't adapt"
            )
        batches, count = batches_of(data, rows, steps)
        self.reset_state()
        with_progress(self.update_state, batches, count)
        self.finalize_state()


def with_progress(step: Any, batches: Iterator[Any], count: int | None) -> None:
    """Call `step` with every batch; where that takes long, a bar shows how far it is."""
    from kerata.utils.progbar import Progbar

    start, done = time.monotonic(), 0
    bar = Progbar(count, unit_name="batch")
    for batch in batches:
        step(batch)
        done += 1
        if time.monotonic() - start > _SHOWN_AFTER and done != count:
            bar.update(done, finalize=False)
    if time.monotonic() - start > _SHOWN_AFTER:
        bar.update(done, finalize=True)


def batches_of(
    data: Any, rows: int | None, steps: int | None = None
) -> tuple[Iterator[Any], int | None]:
    """The batches in what `adapt` was given, and how many there are (None where unknown).

    Args:
        data: an array, list, series or text; or what yields batches: a `tf.data.Dataset`, a
            `DataLoader`, a grain data set, a `PyDataset`, any iterable. Of batches `(x, y)` it is
            `x` that counts.
        rows: how many rows of an array are a batch; None for all of them.
        steps: the most batches to take.

    Raises:
        TypeError: it is neither.
        ValueError: it is empty; or it has no end, and `steps` is None.
    """
    batches, count = _batches(data, rows, steps)
    return begun(batches), count


def begun(batches: Iterator[Any]) -> Iterator[Any]:
    """The batches, of which the first was read: what is wrong with it shows before anything else.

    Raises:
        ValueError: there is none.
    """
    first = next(batches, None)
    if first is None:
        raise ValueError("adapt: data is empty, so there is nothing to learn from")
    return itertools.chain((first,), batches)


def _batches(data: Any, rows: int | None, steps: int | None) -> tuple[Iterator[Any], int | None]:
    from kerata.training.data.sources import converted, source_of

    data = converted(data)
    if is_whole(data):
        data = np.array(data, object) if is_text(data) and isinstance(data, (list, tuple)) else data
        count = len(data) if np.ndim(data) else 1
        if not count:
            return iter(()), 0
        if not np.ndim(data) or not rows or rows >= count:
            return iter((data,)), 1
        count = -(-count // rows) if steps is None else min(-(-count // rows), steps)
        return (data[i * rows : (i + 1) * rows] for i in range(count)), count
    source = source_of(data)
    if source.endless and steps is None:
        raise ValueError(f"adapt: {source.kind} has no end: say with steps how many batches")
    known = [n for n in (source.length, steps) if n is not None]
    total = min(known) if known else None
    places = itertools.count() if total is None else range(total)
    found = source.read(iter(places)) if source.indexed else source.passes()
    taken = itertools.islice(found, total)
    return (b[0] if isinstance(b, tuple) else b for b in taken), total


def is_whole(data: Any) -> bool:
    """Whether `data` is one array, of numbers or text, and not what yields batches."""
    if is_text(data) or isinstance(data, (int, float, np.ndarray, Mapping)):
        return True
    if is_a(data, "tensorflow", "RaggedTensor", "SparseTensor"):
        return True
    if isinstance(data, (list, tuple)):
        return not data or not np.shape(data[0]) or isinstance(data[0], list)
    from kerata.training.data.host import is_array

    return is_array(data) or is_a(data, "pyarrow", "Array", "ChunkedArray")
