"""`split_dataset`: any kind of data set in two."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import optree

from kerata.backends.kinds import is_a
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.seeds import next_seed
from kerata.training.data.host import as_arrays, is_arrays, rows
from kerata.training.data.py_dataset import PyDataset
from kerata.utils.extras import extra

Size = float | int | None


def split_dataset(
    dataset: Any,
    left_size: Size = None,
    right_size: Size = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """A data set in two, such as training and test.

    Args:
        dataset: arrays of one length, in lists, tuples or dicts; a data frame; a `tf.data.Dataset`,
            a torch `Dataset`, a grain data set, a `PyDataset`; or a list of samples, or an iterable
            of them that ends.
        left_size: how many of the first samples come left, or the share; None for the rest.
        right_size: how many of the last samples come right, or the share; None for the rest.
        shuffle: whether samples are put in another order first.
        seed: what the order follows from.
        preferred_backend: "tensorflow" for two of `tf.data.Dataset`, "torch" for two of
            `torch.utils.data.Dataset`, anything else for two of `grain.MapDataset`. None for the
            kind of `dataset`, where it is of one of these; for arrays and all else it is the active
            backend.

    Returns:
        Two data sets of samples. Batch them for `fit`: `left.batch(32)`.

    Raises:
        ValueError: a size is out of range, or one of the two would be empty.
        TypeError: `dataset` can't be split.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8, preferred_backend="numpy")
    >>> [int(x) for x in left], [int(x) for x in right]
    ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9])
    """
    wanted = preferred_backend or _kind_of(dataset) or (state.backend or ensure()).name
    make = next((make for name, make in _MAKERS if name == wanted), _grain)
    samples = _samples_of(dataset, as_tensors=make is _tensorflow)
    count = len(samples)
    left, right = _counts(left_size, right_size, count)
    order = list(range(count))
    if shuffle:
        random.Random(next_seed() if seed is None else seed).shuffle(order)
    return make(dataset, samples, order[:left]), make(dataset, samples, order[count - right :])


def _counts(left: Size, right: Size, total: int) -> tuple[int, int]:
    """How many samples come left and right."""
    if left is None and right is None:
        raise ValueError("split_dataset: give left_size or right_size; both are None")
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, (int, float, np.integer)):
            raise TypeError(f"split_dataset: {name} must be an int, a float or None; got {size!r}")
        if not (0 <= size <= 1 if isinstance(size, float) else 0 < size < total):
            raise ValueError(
                f"split_dataset: {name} must be an int below the {total} samples that there are, "
                f"or a share from 0 to 1; got {size!r}"
            )
    lefts, rights = _number(left, total), _number(right, total)
    if lefts is None or rights is None:
        lefts = total - (rights or 0) if lefts is None else lefts
        rights = total - lefts if rights is None else rights
    elif isinstance(left, float) and isinstance(right, float) and left + right <= 1:
        rights = min(rights, total - lefts)  # both may have been rounded up
    if lefts + rights > total:
        raise ValueError(
            f"split_dataset: left_size={left} and right_size={right} are more than the {total} "
            "samples that there are"
        )
    if not lefts or not rights:
        raise ValueError(
            f"split_dataset: left_size={left} and right_size={right} of {total} samples leave the "
            f"{'right' if lefts else 'left'} side empty"
        )
    return lefts, rights


def _number(size: Size, total: int) -> int | None:
    if size is None:
        return None
    return round(size * total) if isinstance(size, float) else int(size)


# Samples by number


class _Rows:
    """Rows of arrays.

    Args:
        arrays: of one length.
        convert: applied to each row.
    """

    def __init__(self, arrays: Any, convert: Callable[[Any], Any] = np.asarray) -> None:
        self.arrays = _tupled(optree.tree_map(_on_host, as_arrays(arrays, "dataset")))
        self._convert = convert
        lengths = {a.shape[0] for a in optree.tree_leaves(self.arrays)}
        if len(lengths) != 1:
            raise ValueError(
                f"split_dataset: arrays must have one length; there are {sorted(lengths)}"
            )
        self._length = lengths.pop()

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> Any:
        return optree.tree_map(self._convert, self.at([number], 0))

    def at(self, numbers: Sequence[int], place: Any = slice(None)) -> Any:
        """The rows of these numbers, or one of them, on the host."""
        index = np.array(numbers)
        return optree.tree_map(lambda a: _rows(a, index)[place], self.arrays)


def _tupled(arrays: Any) -> Any:
    """A nesting with tuples for its lists, which `tf.data` would stack."""
    if isinstance(arrays, dict):
        return {key: _tupled(value) for key, value in arrays.items()}
    return tuple(map(_tupled, arrays)) if isinstance(arrays, (list, tuple)) else arrays


def _on_host(x: Any) -> Any:
    backend = state.backend or ensure()
    tensor = isinstance(x, backend.tensor_types) and not isinstance(x, np.ndarray)
    return backend.to_numpy(x) if tensor else x


def _rows(x: Any, index: np.ndarray) -> np.ndarray:
    return x[index] if isinstance(x, np.ndarray) else rows(x, index)


class _Batches:
    """The batches of a `PyDataset`."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __len__(self) -> int:
        return int(self._source.num_batches)

    def __getitem__(self, number: int) -> Any:
        return self._source[number]


class _Chosen(Sequence[Any]):
    """Some of the samples of a sequence."""

    def __init__(self, samples: Any, numbers: Sequence[int]) -> None:
        self._samples, self._numbers = samples, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, number: Any) -> Any:
        return self._samples[self._numbers[number]]


def _samples_of(dataset: Any, as_tensors: bool) -> Any:
    """The samples of a data set, with a length, by number."""
    if is_a(dataset, "tensorflow", "data.Dataset"):
        return list(dataset if as_tensors else dataset.as_numpy_iterator())
    if isinstance(dataset, PyDataset):
        return _Batches(dataset)
    numbered = hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    if is_a(dataset, "grain", "MapDataset") or (
        numbered and is_a(dataset, "torch.utils.data", "Dataset")
    ):
        return dataset
    if is_arrays(dataset):
        return _Rows(dataset)
    if isinstance(dataset, Iterable) and not isinstance(dataset, (str, bytes)):
        return list(dataset)
    raise TypeError(
        "split_dataset: dataset must be arrays, a data set, or an iterable of samples; got "
        f"{type(dataset).__name__}"
    )


def _kind_of(dataset: Any) -> str | None:
    """The backend whose users have data sets of this kind; None for arrays and the rest."""
    if is_a(dataset, "tensorflow", "data.Dataset"):
        return "tensorflow"
    if is_a(dataset, "torch.utils.data", "Dataset", "DataLoader"):
        return "torch"
    grain = is_a(dataset, "grain", "MapDataset", "IterDataset", "DataLoader")
    return "grain" if grain or isinstance(dataset, PyDataset) else None


# Kinds of data sets


def _grain(dataset: Any, samples: Any, numbers: Sequence[int]) -> Any:
    extra("grain", "data", "split_dataset")
    import grain

    return grain.MapDataset.source(_Chosen(samples, numbers))


def _tensorflow(dataset: Any, samples: Any, numbers: Sequence[int]) -> Any:
    if importlib.util.find_spec("tensorflow") is None:
        return _grain(dataset, samples, numbers)
    import tensorflow as tf

    if isinstance(samples, _Rows):
        return tf.data.Dataset.from_tensor_slices(samples.at(numbers))
    if is_a(dataset, "tensorflow", "data.Dataset"):
        spec = dataset.element_spec
    else:
        spec = optree.tree_map(tf.type_spec_from_value, samples[0])
    chosen = _Chosen(samples, numbers)
    found = tf.data.Dataset.from_generator(lambda: iter(chosen), output_signature=spec)
    return found.apply(tf.data.experimental.assert_cardinality(len(numbers)))


def _torch(dataset: Any, samples: Any, numbers: Sequence[int]) -> Any:
    import torch

    if isinstance(samples, _Rows):
        samples = _Rows(samples.arrays, torch.as_tensor)
    return torch.utils.data.Subset(samples, list(numbers))


_MAKERS = [("tensorflow", _tensorflow), ("torch", _torch)]
