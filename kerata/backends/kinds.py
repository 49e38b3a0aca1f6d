"""Telling libraries' objects apart without importing the libraries."""

from __future__ import annotations

import sys
from typing import Any


def is_a(x: Any, module: str, *classes: str) -> bool:
    """Whether `x` is of one of a library's classes; imports nothing."""
    found = sys.modules.get(module)
    if found is None:
        return False
    return any(isinstance(x, c) for c in (_named(found, n) for n in classes) if c is not None)


def _named(module: Any, name: str) -> type | None:
    for part in name.split("."):
        module = getattr(module, part, None)
    return module if isinstance(module, type) else None
