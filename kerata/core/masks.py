"""Masks travel beside their tensors, in one weakly keyed table of tensor and mask."""

from __future__ import annotations

import weakref
from typing import Any

_table: dict[int, tuple[Any, Any]] = {}


def set_mask(x: Any, mask: Any) -> None:
    """Remember `mask` (bool, the leading axes of `x`) for as long as `x` lives; None forgets it."""
    key = id(x)
    if mask is None:
        _table.pop(key, None)
        return
    _table[key] = (weakref.ref(x, lambda _: _table.pop(key, None)), mask)


def get_mask(x: Any) -> Any:
    """The mask of `x`, or None."""
    if not _table:
        return None
    entry = _table.get(id(x))
    return entry[1] if entry is not None and entry[0]() is x else None


def any_masks() -> bool:
    """Whether any tensor has a mask: False lets callers skip the look-ups."""
    return bool(_table)
