"""Text on the host: arrays of strings from whatever users hold them in."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from kerata.backends.kinds import is_a

_KINDS = "USOT"
_LOOKS = 100  # how many values are looked at for one that is no missing one
_SERIES = (("pandas", "Series", "Index"), ("polars", "Series"), ("pyarrow", "Array"))


class OnHost:
    """An array that is no tensor: it stays on the host.

    Attributes:
        values: the array.
    """

    __slots__ = ("__weakref__", "values")

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return self.values.ndim

    def with_axis(self) -> Self:
        """The same with a last axis of size 1."""
        return type(self)(self.values[..., None])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.values!r})"


class Text(OnHost):
    """Strings, `str` or `bytes`, in an array of objects."""

    __slots__ = ()
    dtype = "string"


def is_text(x: Any) -> bool:
    """Whether `x` is text: a string, an array, series or (nested) list of strings."""
    if isinstance(x, (str, bytes, Text)):
        return True
    if isinstance(x, (list, tuple)):
        return bool(x) and is_text(x[0])
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "UST" or (
            x.dtype.kind == "O" and any(isinstance(v, (str, bytes)) for v in x.flat[:_LOOKS])
        )
    if is_a(x, "tensorflow", "Tensor", "RaggedTensor", "SparseTensor"):
        return bool(x.dtype.name == "string")
    if _is_series(x):
        return is_text(_values(x))
    return False


def _is_series(x: Any) -> bool:
    return any(is_a(x, module, *names) for module, *names in _SERIES) or is_a(
        x, "pyarrow", "ChunkedArray"
    )


def _values(series: Any) -> np.ndarray:
    if is_a(series, "pyarrow", "Array"):
        return np.asarray(series.to_numpy(zero_copy_only=False))
    return np.asarray(series.to_numpy())


def as_strings(x: Any, owner: str) -> np.ndarray:
    """Strings as an array of objects, `str` or `bytes`; missing values (None, NaN) as "".

    Args:
        x: a string, or a list, array, series or eager TensorFlow tensor of strings.
        owner: who asks, for messages.

    Raises:
        TypeError: it holds something else.
        ValueError: lists of different lengths.
    """
    if isinstance(x, Text):
        return x.values
    if is_a(x, "tensorflow", "Tensor") and x.dtype.name == "string":
        x = x.numpy()
    elif _is_series(x):
        x = _values(x)
    if isinstance(x, (str, bytes)):
        found = np.empty((), object)
        found[()] = x
        return found
    if isinstance(x, (list, tuple)):
        x = [as_strings(v, owner).tolist() if hasattr(v, "shape") else v for v in x]
        x = _from_list(x, owner)
    if not isinstance(x, np.ndarray) or (x.dtype.kind not in _KINDS and x.size):
        kind = x.dtype if hasattr(x, "dtype") else type(x).__name__
        raise TypeError(f"{owner} takes strings; got {kind}")
    array = x.astype(object)
    return array if x.dtype.kind in "US" else _checked(array, owner)


def _from_list(x: Any, owner: str) -> np.ndarray:
    try:
        return np.array(x, object)
    except ValueError:
        raise ValueError(
            f"{owner}: the rows of a list of strings must have one length; got "
            f"{[len(row) for row in x[:8]]}. Pad them, or give a tf.RaggedTensor"
        ) from None


def _checked(array: np.ndarray, owner: str) -> np.ndarray:
    flat = array.reshape(-1)
    kinds = set(map(type, flat.tolist()))
    if kinds <= {str, bytes}:
        return array
    for i, value in enumerate(flat):
        if value is None or type(value).__name__ == "NAType" or value != value:
            flat[i] = ""
        elif isinstance(value, (str, bytes)):
            flat[i] = bytes(value) if isinstance(value, bytes) else str(value)
        elif isinstance(value, (list, tuple)):
            raise ValueError(f"{owner}: the rows of a list of strings must have one length")
        else:
            raise TypeError(f"{owner} takes strings; got {value!r} ({type(value).__name__})")
    return flat.reshape(array.shape)


def as_bytes(strings: np.ndarray, encoding: str = "utf-8") -> np.ndarray:
    """An array of objects, `bytes` each."""
    flat = [s.encode(encoding) if isinstance(s, str) else s for s in strings.reshape(-1).tolist()]
    found = np.empty(len(flat), object)
    found[:] = flat
    return found.reshape(strings.shape)


def as_str(strings: np.ndarray, encoding: str = "utf-8") -> np.ndarray:
    """An array of objects, `str` each; bytes that are no text become U+FFFD."""
    flat = [
        s.decode(encoding, "replace") if isinstance(s, bytes) else s
        for s in strings.reshape(-1).tolist()
    ]
    found = np.empty(len(flat), object)
    found[:] = flat
    return found.reshape(strings.shape)
