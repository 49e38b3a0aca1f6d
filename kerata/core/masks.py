"""Masks travel beside their tensors, in one weakly keyed table of tensor and mask."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from kerata.backends.registry import ensure
from kerata.backends.state import state

# For a tensor's id: functions that return it and its mask.
_table: dict[int, tuple[Callable[[], Any], Callable[[], Any]]] = {}


def set_mask(x: Any, mask: Any) -> None:
    """Remember `mask` (bool, the leading axes of `x`) for as long as `x` lives; None forgets it."""
    if state.masks is not None:
        state.masks.append((x, mask))
        return
    key = id(x)
    if mask is None:
        _table.pop(key, None)
        return
    # A graph holds its tensors, so that one held here would keep `x` for ever.
    of_graph = isinstance(mask, (state.backend or ensure()).graph_types)
    held = weakref.ref(mask) if of_graph else lambda: mask
    _table[key] = (weakref.ref(x, lambda _: _table.pop(key, None)), held)


def get_mask(x: Any) -> Any:
    """The mask of `x`, or None."""
    if state.masks is not None:
        return next((mask for y, mask in reversed(state.masks) if y is x), None)
    if not _table:
        return None
    entry = _table.get(id(x))
    return entry[1]() if entry is not None and entry[0]() is x else None


def any_masks() -> bool:
    """Whether any tensor has a mask: False lets callers skip the look-ups."""
    return bool(_table if state.masks is None else state.masks)
