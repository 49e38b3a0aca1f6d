"""Errors of an engine told in our words, the same on every backend.

The checks of shapes, dtypes and arguments are those of the `abstract` kernels. A call that fails on
an engine is repeated there: what it says then names the operation, the argument and the shapes. An
error out of an operation in a composite's body begins with both names. A call that succeeds pays
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optree

from kerata.backends.registry import load, using
from kerata.backends.slices import SizeUnknown

_TOLD = "_kerata_told"


def explain(op: Any, backend: Any, args: Sequence[Any], kwargs: Any, error: Exception) -> None:
    """Raise the clear form of `error`, out of `op` under `backend`, where there is one."""
    leaves, tree = optree.tree_flatten((tuple(args), kwargs), none_is_leaf=True)
    own = any(callable(leaf) for leaf in leaves)  # of a function that must not be called again
    if getattr(error, _TOLD, False) or not backend.computes:
        if not own:
            _sign(op.name, error)
        return
    _mark(error)
    if own:
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
    except SizeUnknown:
        return
    except (ValueError, TypeError, IndexError) as clear:
        _mark(clear)
        raise clear from error


def _sign(name: str, error: Exception) -> None:
    """Put the name of the operation before what an error says, once."""
    if type(error) not in (ValueError, TypeError, IndexError):
        return
    if len(error.args) == 1 and not str(error).startswith(f"{name}:"):
        error.args = (f"{name}: {error}",)


def _mark(error: Exception) -> None:
    if hasattr(error, "__dict__"):
        setattr(error, _TOLD, True)


def _spec(x: Any, backend: Any, abstract: Any) -> Any:
    reader = getattr(type(x), "__kerata_value__", None)
    x = x if reader is None else reader(x)
    if not isinstance(x, backend.tensor_types):
        return x
    return abstract.tensor(tuple(int(n) for n in x.shape), backend.dtype_of(x))
