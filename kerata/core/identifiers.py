"""What `get()` accepts everywhere: a name, a config, a class, an object, a function."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from kerata.core.names import snake_case
from kerata.core.serialization import deserialize_object, get_registered_object


def table_of(*objects: Any, **aliases: Any) -> dict[str, Any]:
    """Classes and functions by name: `MeanSquaredError` also as `mean_squared_error`.

    A function keeps the name that it shares with a class in snake case.
    """
    table = {snake_case(o.__name__): o for o in objects if isinstance(o, type)}
    return table | {o.__name__: o for o in objects} | aliases


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _by_name(name: str, table: Mapping[str, Any], kind: str) -> Any:
    found = get_registered_object(name, None, table)
    if found is None:
        found = next((o for n, o in table.items() if _plain(n) == _plain(name)), None)
    if found is None:
        close = difflib.get_close_matches(name.lower(), [n for n in table if n.islower()], 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"Unknown {kind} {name!r}.{hint} Custom ones are passed as objects, or by name inside "
            "kerata.saving.CustomObjectScope."
        )
    return found


def lookup(identifier: Any, table: Mapping[str, Any], kind: str) -> Any:
    """The object that `identifier` stands for; classes are instantiated without arguments.

    Args:
        identifier: None, a name (snake case, camel case or an alias), a config, a class, or an
            object or function, which is returned as it is.
        table: names and the classes or functions that they stand for.
        kind: what is looked up, for messages.

    Raises:
        ValueError: the name is unknown (the nearest is suggested), or it is none of these.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        if "class_name" not in identifier:
            raise ValueError(f"A config of the {kind} must have 'class_name'; got {identifier}")
        return deserialize_object(identifier, table=table)
    if isinstance(identifier, str):
        identifier = _by_name(identifier, table, kind)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier) or hasattr(identifier, "get_config"):
        return identifier
    raise ValueError(
        f"The {kind} must be a name, a config, a class, a function or an object; got {identifier!r}"
    )
