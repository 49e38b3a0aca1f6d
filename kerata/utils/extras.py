"""Packages that only one feature needs, imported when it is used."""

from __future__ import annotations

import importlib
from typing import Any


def extra(module: str, name: str, user: str) -> Any:
    """A module of the extra `name`.

    Raises:
        ImportError: it is not installed; the message says what to install for `user`.

    >>> extra("json", "data", "an example").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"{user} needs {package}, which can't be imported ({error}). "
            f"Install it with: pip install 'kerata[{name}]'"
        ) from error
