"""What models and steps return: their specs, their values on the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import optree

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.symbolic import KerasTensor
from kerata.core.symbolic import evaluate as evaluate_spec


def to_host(tree: Any) -> Any:
    """The tensors of a tree as NumPy arrays."""
    backend = state.backend or ensure()
    if isinstance(tree, backend.tensor_types):
        return backend.to_numpy(tree)
    return optree.tree_map(
        lambda x: backend.to_numpy(x) if isinstance(x, backend.tensor_types) else x, tree
    )


def as_numbers(logs: Any) -> dict[str, Any]:
    """Results as Python numbers, arrays where they have several entries."""
    found = {}
    for name, value in to_host(dict(logs)).items():
        array = np.asarray(value)
        found[name] = float(array) if array.size == 1 else array
    return found


def output_spec(model: Any, x: Any) -> Any:
    """What the model returns for a batch like `x`, as symbolic tensors; builds the model."""
    leaves, tree = optree.tree_flatten(x)
    key = (tree, tuple([(tuple(a.shape[1:]), a.dtype) for a in leaves]), model.trainable)
    known = model.__dict__.setdefault("_specs", {})
    if key not in known:
        specs = [KerasTensor(tuple(a.shape), a.dtype) for a in leaves]
        known[key] = _evaluated(model, optree.tree_unflatten(tree, specs), x)
    return known[key]


def _evaluated(model: Any, specs: Any, x: Any) -> Any:
    def call(inputs: Any) -> Any:
        return model(inputs, training=False)

    try:
        return evaluate_spec(call, (specs,), {})
    except Exception as error:
        backend = state.backend or ensure()
        try:
            with backend.inference():
                result = model(x, training=False)
        except Exception:
            raise error from None
        return optree.tree_map(lambda t: KerasTensor(tuple(t.shape), backend.dtype_of(t)), result)
