"""Numbers in whatever users hold them in, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends.kinds import is_a
from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import ensure
from kerata.core.text import OnHost, is_text
from kerata.layers.preprocessing.irregular import is_irregular


class Integers(OnHost):
    """Integers that are too large for 32 bits."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """That of the array."""
        return self.values.dtype


def as_numbers(x: Any) -> Any:
    """Lists, numbers and series as arrays; everything else as it is."""
    if isinstance(x, (bool, int, float, list, tuple, np.generic)):
        return x if hasattr(x, "__kerata_value__") or _holds_tensors(x) else to_array(x)
    if hasattr(x, "to_numpy") and not hasattr(x, "__array_namespace__"):
        return host_numbers(x)
    return x


def _holds_tensors(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(hasattr(v, "shape") and v.shape for v in x)


def held_integers(inputs: Any, owner: str) -> Any:
    """Lists and series as arrays, and arrays that 32 bits can't hold as `Integers`.

    Raises:
        TypeError: it holds text; the message names `owner`.
    """
    if isinstance(inputs, (int, list, tuple, np.generic)) or (
        hasattr(inputs, "to_numpy") and not is_irregular(inputs)
    ):
        inputs = np.asarray(inputs)
    if not isinstance(inputs, np.ndarray):
        return inputs
    if inputs.dtype.kind in "USO":
        raise TypeError(f"{owner} takes integers; got {inputs.dtype}")
    wide = inputs.dtype.itemsize == 8 and inputs.dtype.kind in "iu" and inputs.size
    if wide and (inputs.min() < -(2**31) or inputs.max() >= 2**31):
        return inputs if isinstance(inputs, ensure().tensor_types) else Integers(inputs)
    return inputs


def host_numbers(x: Any) -> np.ndarray:
    """Numbers as a NumPy array.

    Args:
        x: an array, list, series, data frame, or tensor of any engine.

    Raises:
        TypeError: it holds text.
    """
    found = np.asarray(_on_host(x))
    if is_text(found):
        raise TypeError(f"data must be numbers; got text: {str(found.flat[0])!r}")
    return found


def _on_host(x: Any) -> Any:
    from kerata.training.data.host import as_arrays, is_sparse

    backend = ensure()
    if isinstance(x, backend.tensor_types):
        return backend.to_numpy(x)
    if is_a(x, "pyarrow", "Array", "ChunkedArray"):
        return x.to_numpy()
    found = as_arrays(x, "data")
    if isinstance(found, backend.tensor_types):
        return backend.to_numpy(found)
    return found.toarray() if is_sparse(found) else found
