"""Arrays of one length, cut into batches: in memory at once, or read by rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import optree

from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.training.data.batch import with_class_weights
from kerata.training.data.host import as_arrays, as_batch, is_arrays, is_rowwise, rows, size
from kerata.training.data.sources import Source

_MOST_AT_ONCE = 2**31  # bytes that are put on a device whole


def _row_order(
    count: int, batch_size: int, shuffle: bool | str, rng: np.random.Generator | None
) -> np.ndarray:
    """The rows of an epoch in the order in which they come, int32 `(count,)`.

    `shuffle` "batch" keeps the rows of a batch together, and a short one last.
    """
    if rng is None or not shuffle:
        return np.arange(count, dtype=np.int32)
    if shuffle != "batch":
        return rng.permutation(count).astype(np.int32)
    full = count // batch_size
    starts = rng.permutation(full) * batch_size
    inside = (starts[:, None] + np.arange(batch_size)).reshape(-1)
    return np.concatenate([inside, np.arange(full * batch_size, count)]).astype(np.int32)


class ArrayData:
    """Arrays in memory, of one length on their first axis.

    Args:
        x: the inputs, an array or a nesting of arrays.
        y: the targets, likewise, or None.
        sample_weight: weights, likewise, or None.
        batch_size: rows a batch.
        shuffle: whether the rows are put in a new order each epoch; "batch" keeps those of a
            batch together.
        class_weight: a weight for each class of integer or one-hot `y`.

    Attributes:
        waited: the seconds that were spent waiting for batches: none.
        drawn: None; each epoch draws its own order.

    Raises:
        ValueError: lengths differ; there are no rows.
    """

    waited = 0.0
    drawn = None

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        x, y, weight = optree.tree_map(as_batch, named_parts(x, y, sample_weight))
        self.parts = (x, y, with_class_weights(y, weight, class_weight))
        self.count = common_length(self.parts)
        self.batch_size = checked_batch_size(batch_size)
        self.shuffle = checked_shuffle(shuffle)
        self._most = math.ceil(self.count / self.batch_size)
        self._placed: dict[str, Any] = {}

    @property
    def steps(self) -> int:
        """Batches an epoch, a short last one counted in."""
        return self._most

    def limit(self, steps: int) -> None:
        """Use no more than so many batches an epoch."""
        self._most = min(self._most, steps)

    at_start = True

    def skip(self, epochs: int, steps: int, begin: Callable[[], None]) -> None:
        """Nothing to do: the order of the rows says where an epoch goes on."""

    @property
    def nbytes(self) -> int:
        """The memory of all the arrays."""
        return sum(size(v) for v in optree.tree_leaves(self.parts))

    def placed(self) -> Any:
        """The arrays as tensors of the active backend, put there once."""
        backend = state.backend or ensure()
        if backend.name not in self._placed:
            self._placed = {
                backend.name: optree.tree_map(
                    lambda v: v if isinstance(v, backend.tensor_types) else backend.convert(v),
                    self.parts,
                )
            }
        return self._placed[backend.name]

    def order(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """The rows of an epoch in the order in which they come, int32; unshuffled without `rng`."""
        order = _row_order(self.count, self.batch_size, self.shuffle, rng)
        return order[: self._most * self.batch_size]

    def first(self) -> Any:
        """The first batch, on the host."""
        last = min(self.batch_size, self.count)
        return optree.tree_map(lambda v: v[:last], self.parts)

    def has_more(self) -> bool:
        """Whether there are batches for another epoch: always."""
        return True

    def close(self) -> None:
        """Nothing is running."""


class Rows(Source):
    """Arrays of one length whose batches are read when they are due.

    Sparse matrices are made dense by batch; arrays on disk (`numpy.memmap`, `h5py.Dataset`) are
    read by batch, and large ones are moved to the device by batch.

    Args:
        parts: `(x, y, sample_weight)`, nestings of arrays or None.
        batch_size: rows a batch.
        shuffle: as in `ArrayData`.
    """

    kind = "arrays"
    indexed = True

    def __init__(self, parts: Any, batch_size: int | None, shuffle: bool | str = False) -> None:
        super().__init__(optree.tree_map(_on_host, parts))
        self.count = common_length(parts)
        self.batch_size = checked_batch_size(batch_size)
        self._shuffle = checked_shuffle(shuffle)
        self._order = np.arange(self.count)

    @property
    def length(self) -> int:
        return math.ceil(self.count / self.batch_size)

    def shuffle(self, rng: np.random.Generator) -> None:
        self._order = _row_order(self.count, self.batch_size, self._shuffle, rng)

    def read(self, places: Iterator[int]) -> Iterator[Any]:
        for i in places:
            index = self._order[i * self.batch_size : (i + 1) * self.batch_size]
            yield optree.tree_map(lambda v, index=index: rows(v, index), self.source)


def _on_host(x: Any) -> Any:
    return x if isinstance(x, np.ndarray) or is_rowwise(x) else to_array(x)


def named_parts(x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """`as_arrays` of the three, each by its name."""
    return as_arrays(x, "x"), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight")


def read_by_rows(parts: Any) -> bool:
    """Whether arrays are too large, or not of the kind, to be taken whole."""
    leaves = optree.tree_leaves(parts)
    on_host = [v for v in leaves if isinstance(v, np.ndarray)]
    return any(map(is_rowwise, leaves)) or sum(map(size, on_host)) > _MOST_AT_ONCE


def checked_batch_size(batch_size: int | None) -> int:
    """`batch_size`, 32 where it is None.

    Raises:
        ValueError: it is no positive int.
    """
    if batch_size is None:
        return 32
    if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
        raise ValueError(f"batch_size must be a positive int; got {batch_size!r}")
    return int(batch_size)


def checked_shuffle(shuffle: Any) -> bool | str:
    """`shuffle`, True, False or "batch".

    Raises:
        ValueError: it is another string.
    """
    if isinstance(shuffle, str) and shuffle != "batch":
        raise ValueError(f"shuffle must be True, False or 'batch'; got {shuffle!r}")
    return shuffle if isinstance(shuffle, str) else bool(shuffle)


def common_length(parts: Any) -> int:
    """The number of samples in `(x, y, sample_weight)`.

    Raises:
        ValueError: it differs among them, or is 0; something has no axis of samples.
    """
    lengths: dict[int, str] = {}
    for name, part in zip(("x", "y", "sample_weight"), parts, strict=True):
        for leaf in optree.tree_leaves(part):
            if not leaf.shape:
                raise ValueError(f"{name} must have a first axis of samples; got a scalar")
            lengths.setdefault(int(leaf.shape[0]), name)
    if len(lengths) > 1:
        listed = ", ".join(f"{name} has {n}" for n, name in sorted(lengths.items()))
        raise ValueError(f"x, y and sample_weight must have one number of samples: {listed}")
    count = next(iter(lengths))
    if count == 0:
        raise ValueError("x holds no samples (its first axis has size 0)")
    return count


def split_off(parts: Any, share: float) -> tuple[Any, Any]:
    """The last `share` of the rows of `(x, y, sample_weight)` apart: `(training, validation)`.

    Raises:
        ValueError: the share leaves one of the two without rows, or is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"validation_split must be between 0 and 1; got {share}")
    if not is_arrays(parts[0]):
        raise ValueError(
            f"validation_split={share} needs arrays; x is a {type(parts[0]).__name__}: give "
            "validation_data instead"
        )
    parts = named_parts(*parts)
    count = common_length(parts)
    at = math.floor(count * (1 - share))
    if at in (0, count):
        raise ValueError(
            f"validation_split={share} of {count} samples leaves none to "
            f"{'train on' if at == 0 else 'validate with'}"
        )
    first = optree.tree_map(lambda v: v[:at], parts)
    return first, optree.tree_map(lambda v: v[at:], parts)
