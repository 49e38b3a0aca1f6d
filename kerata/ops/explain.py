"""Errors of an engine told in our words, the same on every backend.

The checks of shapes, dtypes and arguments are those of the `abstract` kernels. A call that fails on
an engine is repeated there: what it says then names the operation, the argument and the shapes. A
call that succeeds pays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optree

from kerata.backends.registry import load, using

_TOLD = "_kerata_told"


def explain(op: Any, backend: Any, args: Sequence[Any], kwargs: Any, error: Exception) -> None:
    """Raise the clear form of `error`, out of `op` under `backend`, where there is one."""
    if getattr(error, _TOLD, False) or not backend.computes:
        return
    _mark(error)
    leaves, tree = optree.tree_flatten((tuple(args), kwargs), none_is_leaf=True)
    if any(callable(leaf) for leaf in leaves):  # would be called again
        return
    abstract = load("abstract")
    try:
        specs = [_spec(x, backend, abstract) for x in leaves]
    except Exception:  # sizes that are open, dtypes of the engine's own: its error has to do
        return
    again_args, again_kwargs = optree.tree_unflatten(tree, specs)
    try:
        with using(abstract):
            op.call(*again_args, **again_kwargs)
    except (ValueError, TypeError, IndexError) as clear:
        _mark(clear)
        raise clear from error


def _mark(error: Exception) -> None:
    if hasattr(error, "__dict__"):
        setattr(error, _TOLD, True)


def _spec(x: Any, backend: Any, abstract: Any) -> Any:
    reader = getattr(type(x), "__kerata_value__", None)
    x = x if reader is None else reader(x)
    if not isinstance(x, backend.tensor_types):
        return x
    return abstract.tensor(tuple(int(n) for n in x.shape), backend.dtype_of(x))
