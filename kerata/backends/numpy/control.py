"""NumPy's kernels of loops and branches: Python's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from kerata.backends import loops
from kerata.backends.loops import cond, scan_with


def call_with_gradient(f: Callable[..., Any], args: Any) -> Any:
    return f(*args)[0]


def _like(old: np.ndarray, new: Any) -> Any:
    """A float as wide as it was: NumPy's operators widen where integers meet it."""
    kinds = [getattr(getattr(x, "dtype", None), "kind", "") for x in (old, new)]
    return new.astype(old.dtype) if kinds == ["f", "f"] else new


def _steady(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` of a loop, its results as wide as its arguments."""

    def run(*values: Any) -> Any:
        result = step(*values)
        single = not isinstance(result, (list, tuple))
        found = optree.tree_map(_like, values, (result,) if single else tuple(result))
        return found[0] if single else found

    return run


_scan = scan_with(list, np.stack)


def scan(f: Callable[..., Any], init: Any, xs: Any = None, *args: Any, **kwargs: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        new, y = f(carry, x)
        return optree.tree_map(_like, carry, new), y

    return _scan(step, init, xs, *args, **kwargs)


def while_loop(cond: Any, body: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return loops.while_loop(cond, _steady(body), *args, **kwargs)


KERNELS: dict[str, Callable[..., Any]] = {
    "scan": scan, "while_loop": while_loop, "cond": cond,
    "call_with_gradient": call_with_gradient,
}  # fmt: skip
