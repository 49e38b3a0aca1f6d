"""TensorFlow's ragged and sparse tensors, where layers take them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from kerata import ops
from kerata.backends.kinds import is_a
from kerata.backends.registry import ensure
from kerata.backends.sparse import Sparse, densified, is_ragged


def is_irregular(x: Any) -> bool:
    """Whether `x` is a ragged or a sparse tensor of TensorFlow."""
    return is_a(x, "tensorflow", "RaggedTensor", "SparseTensor")


def on_values(
    function: Callable[[Any], Any], x: Any, then: Callable[[Any], Any], keep: bool
) -> Any:
    """`then(function(x))`, `function` working on single elements.

    A ragged or sparse `x` of the active backend's own stays so where `keep` says that `then`
    changes no shape. Otherwise it becomes dense: missing elements are 0, or where vectors
    are made of them -1, which counts nothing.
    """
    if isinstance(x, Sparse):
        x = x.matrix if is_irregular(x.matrix) else ops.convert_to_tensor(densified(x.matrix))
    if not is_irregular(x):
        return then(function(x))
    tf = sys.modules["tensorflow"]
    ragged, there = is_ragged(x), isinstance(x, ensure().irregular_types)
    values = function(x.flat_values if ragged else x.values)
    values = values if there else ops.convert_to_numpy(values)
    found = x.with_flat_values(values) if ragged else x.with_values(values)
    if keep and there:
        return found
    missing = 0 if keep else -1
    dense = found.to_tensor(missing) if ragged else tf.sparse.to_dense(found, missing)
    return then(dense if there else ops.convert_to_tensor(dense.numpy()))
