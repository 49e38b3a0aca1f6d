"""What `fit` is given, as batches: arrays in memory, or anything that yields batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import optree

from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import ensure
from kerata.backends.state import state


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """A batch as `(x, y, sample_weight)`, None for what it lacks."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch must be x, (x, y) or (x, y, sample_weight); got a tuple of {len(data)}"
        )
    return (*data, None, None)[:3]


def is_arrays(x: Any) -> bool:
    """Whether `x` is an array, or a nesting of arrays of one length, to be cut into batches.

    A list of tuples is a list of batches.
    """
    if hasattr(x, "__array__") and hasattr(x, "shape"):
        return True
    if isinstance(x, list) and x and all(isinstance(v, tuple) for v in x):
        return False
    if isinstance(x, (list, tuple)):
        return bool(x) and all(is_arrays(v) or isinstance(v, (int, float, list, tuple)) for v in x)
    return isinstance(x, Mapping) and bool(x) and all(is_arrays(v) for v in x.values())


def _prepared(x: Any) -> Any:
    """Arrays as they are; lists of numbers as arrays; float64 of NumPy as the default float."""
    from kerata import config

    def array(v: Any) -> Any:
        if not hasattr(v, "shape"):
            return to_array(v)
        if isinstance(v, np.ndarray) and v.dtype == np.float64:
            return v.astype(config.floatx())
        return v

    if isinstance(x, (list, tuple)) and not any(
        hasattr(v, "shape") or isinstance(v, Mapping) for v in optree.tree_leaves(x)
    ):
        return array(np.asarray(x))
    return optree.tree_map(array, x)


class ArrayData:
    """Arrays in memory, of one length on their first axis.

    Args:
        x: the inputs, an array or a nesting of arrays.
        y: the targets, likewise, or None.
        sample_weight: weights, likewise, or None.
        batch_size: rows a batch.
        shuffle: whether the rows are put in a new order each epoch.
        class_weight: a weight for each class of integer or one-hot `y`.

    Raises:
        ValueError: lengths differ; there are no rows.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        x, y, weight = _prepared(x), _prepared(y), _prepared(sample_weight)
        if class_weight:
            if weight is not None:
                raise ValueError("Give either class_weight or sample_weight, not both")
            weight = weights_of_classes(y, class_weight)
        self.parts = (x, y, weight)
        self.count = _common_length({"x": x, "y": y, "sample_weight": weight})
        self.batch_size = _checked_batch_size(batch_size)
        self.shuffle = bool(shuffle)
        self._placed: dict[str, Any] = {}

    @property
    def steps(self) -> int:
        """Batches an epoch, a short last one counted in."""
        return math.ceil(self.count / self.batch_size)

    @property
    def nbytes(self) -> int:
        """The memory of all the arrays."""
        return sum(int(getattr(v, "nbytes", 0)) for v in optree.tree_leaves(self.parts))

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

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """The rows of an epoch in the order in which they come, int32 `(count,)`."""
        if not self.shuffle:
            return np.arange(self.count, dtype=np.int32)
        return rng.permutation(self.count).astype(np.int32)

    def first(self) -> Any:
        """The first batch, on the host."""
        size = min(self.batch_size, self.count)
        return optree.tree_map(lambda v: v[:size], self.parts)


class IteratedData:
    """Batches that something yields: a generator, an iterable, a loader.

    Args:
        source: an iterable of batches; an iterator goes on where it stopped in the next epoch.
        steps: batches an epoch; None to run until it ends.
        class_weight: a weight for each class of integer or one-hot targets.
    """

    def __init__(
        self,
        source: Iterable[Any],
        steps: int | None = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        self.source = source
        self.class_weight = class_weight
        self.endless = isinstance(source, Iterator)
        self._iterator: Iterator[Any] | None = None
        self._kept: list[Any] = []
        length = None if self.endless else _length(source)
        self.steps = steps if steps is not None else length

    def first(self) -> Any:
        """The first batch; it comes again when the batches are run through."""
        iterator = self._started()
        if not self._kept:
            try:
                self._kept.append(next(iterator))
            except StopIteration:
                raise ValueError("The data yields no batch") from None
        return self._weighted(self._kept[0])

    def _started(self) -> Iterator[Any]:
        if self._iterator is None:
            self._iterator = iter(self.source)
        return self._iterator

    def batches(self) -> Iterator[Any]:
        """The batches of one epoch, as `(x, y, sample_weight)`."""
        iterator, count = self._started(), 0
        while self.steps is None or count < self.steps:
            if self._kept:
                batch = self._kept.pop()
            else:
                try:
                    batch = next(iterator)
                except StopIteration:
                    break
            yield self._weighted(batch)
            count += 1
        if not self.endless:
            self._iterator = None

    def _weighted(self, batch: Any) -> Any:
        x, y, weight = unpack_x_y_sample_weight(batch)
        if self.class_weight and weight is None:
            weight = weights_of_classes(to_array(y), self.class_weight)
        return _prepared(x), _prepared(y), _prepared(weight)


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except TypeError:
        return None


def make_data(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
) -> ArrayData | IteratedData:
    """The adapter for what a training method was given.

    Raises:
        TypeError: `x` is neither arrays nor something that yields batches.
        ValueError: `y` or `sample_weight` is given beside batches that hold their own.
    """
    if x is None:
        raise ValueError("x is missing: give arrays, or something that yields batches")
    if is_arrays(x):
        return ArrayData(x, y, sample_weight, batch_size, shuffle, class_weight)
    if not hasattr(x, "__iter__") and not hasattr(x, "__next__"):
        raise TypeError(
            f"x must be arrays, or yield batches (a generator, an iterable); got {type(x).__name__}"
        )
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} must not be given where x yields batches ({type(x).__name__}): "
                "the batches hold it"
            )
    return IteratedData(x, steps, class_weight)


def _checked_batch_size(batch_size: int | None) -> int:
    if batch_size is None:
        return 32
    if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
        raise ValueError(f"batch_size must be a positive int; got {batch_size!r}")
    return int(batch_size)


def _common_length(parts: dict[str, Any]) -> int:
    lengths: dict[int, str] = {}
    for name, part in parts.items():
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


def weights_of_classes(y: Any, class_weight: Mapping[int, float]) -> np.ndarray:
    """A weight for each sample from the weight of its class.

    Raises:
        ValueError: a class has no weight.
    """
    labels = np.asarray(to_array(y))
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    labels = labels.astype(np.int64)
    missing = sorted(set(np.unique(labels).tolist()) - {int(k) for k in class_weight})
    if missing:
        raise ValueError(f"class_weight has no weight for the class(es) {missing}")
    table = np.zeros(int(labels.max()) + 1, np.float32)
    for k, v in class_weight.items():
        if int(k) < len(table):
            table[int(k)] = v
    return table[labels]


def split_off(parts: Any, share: float) -> tuple[Any, Any]:
    """The last `share` of the rows set apart: `(training, validation)`.

    Raises:
        ValueError: the share leaves one of the two without rows, or is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"validation_split must be between 0 and 1; got {share}")
    parts = optree.tree_map(_prepared, parts)
    count = int(optree.tree_leaves(parts)[0].shape[0])
    at = math.floor(count * (1 - share))
    if at in (0, count):
        raise ValueError(
            f"validation_split={share} of {count} samples leaves none to "
            f"{'train on' if at == 0 else 'validate with'}"
        )
    first = optree.tree_map(lambda v: v[:at], parts)
    return first, optree.tree_map(lambda v: v[at:], parts)
