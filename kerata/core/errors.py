"""What an exception inside a layer tells: the layer's path, its inputs, the user's line."""

from __future__ import annotations

import types
from typing import Any

import optree

from kerata import config
from kerata.backends.state import state
from kerata.core.symbolic import KerasTensor, in_library, public_size, user_line

_NOTED = "_kerata_noted"


def describe(x: Any) -> str:
    """A tensor as `(None, 784) float32`, anything else by its type or value."""
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if shape is None or dtype is None:
        return repr(x) if isinstance(x, (int, float, str, bool, type(None))) else type(x).__name__
    sizes = ", ".join(str(public_size(s)) for s in tuple(shape))
    sizes += "," if len(tuple(shape)) == 1 else ""
    name = str(dtype).removeprefix("torch.").removeprefix("<dtype: '").removesuffix("'>")
    symbolic = ", symbolic" if isinstance(x, KerasTensor) else ""
    return f"({sizes}) {name}{symbolic}"


def annotate(error: BaseException, layer: Any, args: Any, kwargs: Any) -> None:
    """Add a note to `error`, once, about the innermost layer that it came out of."""
    if getattr(error, _NOTED, False):
        return
    try:
        setattr(error, _NOTED, True)
    except AttributeError:
        return
    path = "/".join(state.names) or layer.name
    inputs = [describe(x) for x in optree.tree_leaves((args, kwargs), none_is_leaf=True)]
    file, line, _ = user_line()
    error.add_note(
        f"In layer {path!r} ({type(layer).__name__}), called on {', '.join(inputs) or 'nothing'}"
    )
    if line:
        error.add_note(f"  at {file}:{line}")


def add_call_site(error: BaseException, where: tuple[str, int, str]) -> None:
    """Add where a functional model's layer was called, once."""
    if getattr(error, "_kerata_site", False) or not where[1]:
        return
    error._kerata_site = True  # type: ignore[attr-defined]
    error.add_note(f"  which the model's graph got at {where[0]}:{where[1]}")


def fold(error: BaseException) -> None:
    """Take the library's own frames out of a traceback, all but the last.

    `kerata.config.disable_traceback_filtering()` keeps them.
    """
    if not config.is_traceback_filtering_enabled():
        return
    frames: list[types.TracebackType] = []
    current = error.__traceback__
    while current is not None:
        frames.append(current)
        current = current.tb_next
    kept = [f for f in frames[:-1] if not in_library(f.tb_frame.f_code.co_filename)] + frames[-1:]
    chain: types.TracebackType | None = None
    for frame in reversed(kept):
        chain = types.TracebackType(chain, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    error.__traceback__ = chain
