"""Names: unique ones for objects, scopes that make paths of them."""

from __future__ import annotations

import collections
import re
import threading

from kerata.backends.state import state

_counts: dict[str, int] = collections.defaultdict(int)
_lock = threading.Lock()


def snake_case(name: str) -> str:
    """`"LayerNormalization"` as `"layer_normalization"`, `"Conv2D"` as `"conv2d"`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def get_uid(prefix: str = "") -> int:
    """How often `prefix` has been asked for, this call counted in."""
    with _lock:
        _counts[prefix] += 1
        return _counts[prefix]


def auto_name(prefix: str) -> str:
    """`prefix` in snake case, with a number from the second time on: `dense`, `dense_1`."""
    prefix = snake_case(prefix)
    count = get_uid(prefix)
    return prefix if count == 1 else f"{prefix}_{count - 1}"


def reset_uids() -> None:
    """Start counting names again."""
    with _lock:
        _counts.clear()


class name_scope:
    """Put `name/` before the paths of what is made inside a `with` block."""

    def __init__(self, name: str, **kwargs: object) -> None:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"name_scope: name must be a string without '/'; got {name!r}")
        self.name = name

    def __enter__(self) -> name_scope:
        state.names.append(self.name)
        return self

    def __exit__(self, *exception: object) -> None:
        state.names.pop()


def current_path(name: str) -> str:
    """`name` with the scopes around this point before it."""
    return "/".join((*state.names, name))
