"""Numbers in whatever users hold them in, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends.kinds import is_a
from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import ensure
from kerata.backends.state import state


def as_numbers(x: Any) -> Any:
    """Lists, numbers and series as arrays; everything else as it is."""
    if isinstance(x, (bool, int, float, list, tuple, np.generic)):
        return x if hasattr(x, "__kerata_value__") or _holds_tensors(x) else to_array(x)
    if hasattr(x, "to_numpy") and not hasattr(x, "__array_namespace__"):
        return host_numbers(x)
    return x


def _holds_tensors(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(hasattr(v, "shape") and v.shape for v in x)


def host_numbers(x: Any) -> np.ndarray:
    """Numbers as a NumPy array.

    Args:
        x: an array, list, series, data frame, or tensor of any engine.
    """
    from kerata.training.data.host import as_arrays, is_sparse

    backend = state.backend or ensure()
    if isinstance(x, backend.tensor_types):
        return backend.to_numpy(x)
    if is_a(x, "pyarrow", "Array", "ChunkedArray"):
        return np.asarray(x.to_numpy())
    found = as_arrays(x, "data")
    if isinstance(found, backend.tensor_types):
        return backend.to_numpy(found)
    return np.asarray(found.toarray() if is_sparse(found) else found)
