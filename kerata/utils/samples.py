"""Samples that are read by number, as a data set: grain's, or `tf.data`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import optree

from kerata.core.seeds import next_seed
from kerata.utils.extras import extra

FORMATS = ("tf", "grain")


class Samples(NamedTuple):
    """Samples that are read by number.

    Attributes:
        user: the function that makes the data set, for messages.
        size: how many there are.
        read: makes a batch, arrays of one length, of the numbers of its samples.
        specs: of the arrays of a sample, in order: shape (None where it differs) and dtype.
        ragged: whether the samples of a batch differ in length and stay so; `read` then gives a
            list in place of the first array.
    """

    user: str
    size: int
    read: Callable[[np.ndarray], Any]
    specs: Sequence[tuple[tuple[int | None, ...], str]]
    ragged: bool = False

    def one(self, number: int) -> Any:
        """A single sample."""
        batch = self.read(np.array([number]))
        return tuple(part[0] for part in batch) if isinstance(batch, tuple) else batch[0]


def with_targets(
    read: Callable[[np.ndarray], Any], targets: np.ndarray | None
) -> Callable[[np.ndarray], Any]:
    """`read` with the targets of its samples beside them, where there are any."""
    return read if targets is None else lambda numbers: (read(numbers), targets[numbers])


def target_specs(targets: np.ndarray | None) -> list[tuple[tuple[int | None, ...], str]]:
    """The specs of targets, `(samples, ...)`."""
    return [] if targets is None else [(targets.shape[1:], targets.dtype.name)]


def check_arguments(user: str, format: str, batch_size: int | None) -> None:
    """Raise ValueError where one of these is wrong."""
    if format not in FORMATS:
        raise ValueError(f"{user}: format must be 'tf' or 'grain'; got {format!r}")
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(f"{user}: batch_size must be a positive int or None; got {batch_size!r}")


def seed_or_next(seed: int | None) -> int:
    """`seed`, or one from the process' stream where it is None."""
    return next_seed() if seed is None else seed


def as_dataset(
    samples: Samples, batch_size: int | None, shuffle: bool, seed: int, format: str
) -> Any:
    """The samples as a data set of batches, or of samples where `batch_size` is None.

    Args:
        samples: what it holds.
        batch_size: samples a batch; the last may be smaller.
        shuffle: whether each pass is in an order of its own.
        seed: what the orders follow from.
        format: "grain"; or "tf", which becomes "grain" where TensorFlow is not installed.
    """
    if format == "tf" and importlib.util.find_spec("tensorflow") is not None:
        return _tf_dataset(samples, batch_size, shuffle, seed)
    extra("grain", "data", samples.user)
    from kerata.utils.grain_data import Passes, numbers

    order = numbers(samples.size, seed if shuffle else None)
    if batch_size is None:
        return Passes(order.map(samples.one))
    return Passes(order.batch(batch_size, batch_fn=np.asarray).map(samples.read))


# tf.data


def _tf_dataset(samples: Samples, batch_size: int | None, shuffle: bool, seed: int) -> Any:
    import tensorflow as tf

    tuned = tf.data.AUTOTUNE
    dataset = tf.data.Dataset.range(samples.size)
    if shuffle:
        dataset = dataset.shuffle(8 * batch_size if batch_size else 1024, seed=seed)
    if batch_size is not None and not samples.ragged:
        dataset = dataset.batch(batch_size).map(_tf_read(samples, True), num_parallel_calls=tuned)
    else:
        dataset = dataset.map(_tf_read(samples, False), num_parallel_calls=tuned)
        if batch_size is not None:
            dataset = dataset.ragged_batch(batch_size)
    return dataset.prefetch(tuned)


def _tf_read(samples: Samples, batched: bool) -> Callable[[Any], Any]:
    """`read` or `one` inside a `tf.data` pipeline."""
    import tensorflow as tf

    def on_host(number: np.ndarray) -> list[np.ndarray]:
        found = samples.read(number) if batched else samples.one(int(number))
        return [_for_tf(part, dtype) for part, (_, dtype) in zip(_leaves(found), samples.specs)]

    def read(number: Any) -> Any:
        dtypes = [tf.as_dtype(dtype) for _, dtype in samples.specs]
        parts = tf.numpy_function(on_host, [number], dtypes)
        for part, (shape, _) in zip(parts, samples.specs):
            part.set_shape((None, *shape) if batched else shape)
        return tuple(parts) if len(parts) > 1 else parts[0]

    return read


def _leaves(found: Any) -> list[Any]:
    return optree.tree_leaves(found) if isinstance(found, tuple) else [found]


def _for_tf(part: Any, dtype: str) -> np.ndarray:
    if dtype != "string":
        return np.asarray(part, dtype)
    texts = [text.encode() for text in np.ravel(part)]
    return np.array(texts, object).reshape(np.shape(part))
