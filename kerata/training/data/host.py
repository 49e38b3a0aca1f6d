"""What users hold data in, as arrays on the host or of the active backend."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import optree

from kerata import config
from kerata.backends import sparse
from kerata.backends.kinds import is_a
from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.text import as_strings, is_text
from kerata.training.data import frames

_DATES = "mM"
_ARROW = ("Array", "ChunkedArray")


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse array or matrix of SciPy."""
    found = sys.modules.get("scipy.sparse")
    return found is not None and bool(found.issparse(x))


def is_array(x: Any) -> bool:
    """Whether `x` is one array: of NumPy or an engine, on disk, sparse, or a data frame."""
    if is_sparse(x) or frames.is_frame(x) or is_a(x, "pyarrow", *_ARROW):
        return True
    return hasattr(x, "shape") and (hasattr(x, "__array__") or is_a(x, "h5py", "Dataset"))


def is_arrays(x: Any) -> bool:
    """Whether `x` is an array, or a nesting of arrays of one length, to be cut into batches.

    A list of batches is not (see `is_batches`).
    """
    if is_array(x):
        return True
    if is_batches(x):
        return False
    if isinstance(x, (list, tuple)):
        return bool(x) and all(_is_row(v) or is_arrays(v) for v in x)
    return isinstance(x, Mapping) and bool(x) and all(is_arrays(v) for v in x.values())


def is_batches(x: Any) -> bool:
    """Whether `x` is a list of tuples, and so of batches; tuples of numbers are rows."""
    return (
        isinstance(x, list)
        and bool(x)
        and all(isinstance(v, tuple) and not all(map(_is_number, v)) for v in x)
    )


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, str, bytes, np.generic))


def _is_row(x: Any) -> bool:
    return _is_number(x) or isinstance(x, (list, tuple))


def as_arrays(x: Any, name: str) -> Any:
    """A nesting of arrays from what users hold data in.

    NumPy arrays, tensors of the active backend, sparse matrices and arrays on disk stay as they
    are; lists of numbers, data frames and other engines' tensors become NumPy arrays.

    Args:
        x: the data, or None.
        name: the argument that it was given as, for messages.

    Raises:
        TypeError: something in it is no array.
        ValueError: an array holds no numbers, or rows of different lengths.
    """
    if x is None:
        return None
    if isinstance(x, Mapping):
        return {key: as_arrays(value, f"{name}[{key!r}]") for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        if not any(hasattr(v, "shape") or isinstance(v, Mapping) for v in optree.tree_leaves(x)):
            return _from_list(x, name)
        parts = [as_arrays(value, f"{name}[{i}]") for i, value in enumerate(x)]
        return parts if isinstance(x, list) else tuple(parts)
    return _array(x, name)


def _from_list(x: Any, name: str) -> np.ndarray:
    try:
        return to_array(x)
    except (TypeError, ValueError) as error:
        lengths = [len(row) for row in x if hasattr(row, "__len__")]
        other = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
        if other is None:
            raise
        raise ValueError(
            f"{name} must have rows of one length; row 0 has {lengths[0]} entries, row {other} "
            f"{lengths[other]}. kerata.utils.pad_sequences makes them equal"
        ) from error


def _array(x: Any, name: str) -> Any:
    if is_a(x, "pyarrow", *_ARROW):
        return as_strings(x, name) if is_text(x) else np.asarray(x.to_numpy())
    if frames.is_frame(x):
        return frames.as_array(x, name)
    if is_sparse(x):
        return x.tocsr()
    if isinstance(x, (state.backend or ensure()).tensor_types) and not isinstance(x, np.ndarray):
        return x
    if is_a(x, "h5py", "Dataset"):
        return x
    if sparse.is_sparse(x) or sparse.is_ragged(x):
        x = sparse.densified(x)
    if not isinstance(x, np.ndarray):
        if not hasattr(x, "__array__") and not np.isscalar(x):
            raise TypeError(f"{name} must hold arrays; got {type(x).__name__}")
        x = to_array(x)
    _check_kind(x, name)
    return x


def _check_kind(x: np.ndarray, name: str) -> None:
    kind = x.dtype.kind
    if kind in _DATES:
        raise ValueError(f"{name} holds dates ({x.dtype}); make them numbers first")
    if kind != "O" or not x.size or isinstance(x.flat[0], (str, bytes)):
        return
    first = x.flat[0]
    if hasattr(first, "__len__"):
        raise ValueError(
            f"{name} has dtype object and holds a {type(first).__name__} in each place: rows of "
            "different shapes? Pad them to one shape (kerata.utils.pad_sequences)"
        )
    raise ValueError(
        f"{name} has dtype object (its first value is {first!r}, {type(first).__name__}); "
        "give it a dtype of numbers, such as x.astype('float32')"
    )


def as_batch(x: Any) -> Any:
    """An array in memory: float64 of NumPy as the default float, sparse ones dense."""
    if is_sparse(x):
        x = x.toarray()
    if isinstance(x, np.ndarray) and x.dtype == np.float64:
        return x.astype(config.floatx())
    return x


def is_rowwise(x: Any) -> bool:
    """Whether an array is to be read by rows: it is sparse, or on disk."""
    return is_sparse(x) or isinstance(x, np.memmap) or is_a(x, "h5py", "Dataset")


def rows(x: Any, index: np.ndarray) -> Any:
    """The rows `index` of an array, in memory and dense."""
    if is_a(x, "h5py", "Dataset"):  # takes rising indices only
        places, where = np.unique(index, return_inverse=True)
        return as_batch(x[places][where])
    return as_batch(np.array(x[index]) if isinstance(x, np.memmap) else x[index])


def size(x: Any) -> int:
    """The bytes of an array."""
    if is_sparse(x):
        return int(x.data.nbytes)
    return int(getattr(x, "nbytes", 0))
