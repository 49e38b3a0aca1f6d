"""What the kernels of linear algebra and `jvp` share: texts of failures, checks of tangents."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import optree

from kerata.backends.state import state

_REASONS = {
    "cholesky": ("x", "is not positive definite"),
    "solve": ("a", "is singular"),
    "inv": ("x", "is singular"),
}


def failure(name: str, x: Any) -> ValueError:
    """What the operation `name` raises where its algorithm fails for the values of `x`."""
    argument, reason = _REASONS.get(name, ("x", "has NaN, infinities, or does not converge"))
    described = f"{tuple(x.shape)} {state.backend.dtype_of(x)}"
    return ValueError(f"{name}: {argument} {reason} ({argument} {described})")


def telling(
    name: str, function: Callable[..., Any], *errors: type[Exception]
) -> Callable[..., Any]:
    """`function`, an engine's `errors` told as a `ValueError` of the operation `name`."""

    @functools.wraps(function)
    def kernel(x: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(x, *args, **kwargs)
        except errors as error:
            raise failure(name, x) from error

    return kernel


def check_mode(mode: str) -> None:
    """Refuse what is no mode of `qr`, though an engine may have it."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'; got {mode!r}")


def check_square(x: Any) -> None:
    """Refuse matrices that are not square, where both sizes are known."""
    rows, columns = x.shape[-2:]
    if rows != columns and None not in (rows, columns):
        raise ValueError(f"the matrices are not square: {tuple(x.shape)}")


def check_tangents(primals: Any, tangents: Any) -> None:
    """Refuse tangents of another structure, number or shape than the primals.

    Raises:
        TypeError: one of them is no list or tuple.
        ValueError: they do not fit.
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"jvp: {name} must be a list or tuple; got {type(value).__name__}")
    ours, theirs = _shapes(primals), _shapes(tangents)
    if str(ours) != str(theirs):  # open sizes can't be compared
        raise ValueError(f"jvp: the tangents' shapes {theirs} differ from the primals' {ours}")


def _shapes(values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [tuple(x.shape) for x in optree.tree_leaves(list(values))]
