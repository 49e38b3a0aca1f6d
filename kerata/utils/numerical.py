"""Small helpers for data on the host: one-hot targets, unit vectors, sequences of one length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kerata import ops
from kerata.backends.registry import ensure
from kerata.backends.state import state


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Integers as one-hot vectors.

    Args:
        x: classes from 0, `(...)` or `(..., 1)`.
        num_classes: the length of a vector; one more than the largest class where it is None.

    Returns:
        float64 `(..., num_classes)`; a tensor where `x` is one of the active backend.

    Raises:
        ValueError: a class is negative or not below `num_classes`.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    backend = state.backend or ensure()
    tensor = isinstance(x, backend.tensor_types) and not isinstance(x, (np.ndarray, np.generic))
    classes = np.asarray(backend.to_numpy(x) if tensor else x).astype(np.int64)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    count = int(classes.max()) + 1 if num_classes is None else num_classes
    wrong = (classes < 0) | (classes >= count)
    if wrong.any():
        raise ValueError(
            f"to_categorical: x holds the class {classes[wrong][0]}; classes must be 0 to "
            f"{count - 1}"
        )
    if tensor:
        return ops.one_hot(ops.convert_to_tensor(classes.astype(np.int32)), count)
    return (classes[..., None] == np.arange(count)).astype(np.float64)


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """`x` divided by its norm of `order` along `axis`; what is 0 stays so.

    Returns:
        A NumPy array where `x` is one, and a tensor of the active backend otherwise.

    >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    if not isinstance(x, np.ndarray):
        return ops.normalize(x, axis, order)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis, keepdims=True))
    return x / np.where(norm == 0, 1, norm)


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences as one array: short ones padded, long ones cut.

    Args:
        sequences: sequences of numbers, or of arrays of one shape.
        maxlen: the length of all; that of the longest where it is None.
        dtype: of the result; `object` for strings.
        padding: where values are added, "pre" or "post".
        truncating: where values are dropped, "pre" or "post".
        value: what is added.

    Returns:
        An array `(sequences, maxlen, ...)`.

    Raises:
        ValueError: something in `sequences` is no sequence; their elements differ in shape;
            `padding`, `truncating` or `value` can't be used.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
    [[0, 1], [2, 3], [5, 6]]
    """
    for name, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post'; got {given!r}")
    if isinstance(value, str) and np.dtype(dtype).kind not in "OUS":
        raise ValueError(
            f"pad_sequences: value={value!r} does not go with dtype {dtype!r}; give dtype=object"
        )
    if not isinstance(sequences, Iterable) or isinstance(sequences, (str, bytes)):
        raise ValueError(f"pad_sequences: sequences must hold sequences; got {sequences!r}")
    rows = [_sequence(row, i) for i, row in enumerate(sequences)]
    length = max((len(row) for row in rows), default=0) if maxlen is None else maxlen
    shape = next((row.shape[1:] for row in rows if len(row)), ())
    result = np.full((len(rows), length, *shape), value, dtype)
    for i, row in enumerate(rows):
        if len(row) and row.shape[1:] != shape:
            raise ValueError(
                f"pad_sequences: the elements of sequence {i} have the shape {row.shape[1:]}, "
                f"those before it {shape}"
            )
        if row.dtype.kind in "SU" and result.dtype.kind not in "OSU":
            raise ValueError(
                f"pad_sequences: sequence {i} holds text ({str(row[0])!r}), which does not go with "
                f"dtype {dtype!r}; give dtype=object"
            )
        kept = row[max(len(row) - length, 0) :] if truncating == "pre" else row[:length]
        if len(kept):
            places = slice(length - len(kept), None) if padding == "pre" else slice(len(kept))
            result[i, places] = kept
    return result


def _sequence(row: Any, place: int) -> np.ndarray:
    if not isinstance(row, Iterable) or isinstance(row, (str, bytes)):
        raise ValueError(
            f"pad_sequences: sequences must hold sequences; found {row!r} at place {place}"
        )
    return np.asarray(row if hasattr(row, "__len__") else list(row))
