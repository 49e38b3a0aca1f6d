"""Kerata's layers as objects of the engines: `interop.torch`, `.jax`, `.flax`, `.tensorflow`.

Each imports its engine, when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_ENGINES = ("flax", "jax", "tensorflow", "torch")


def __getattr__(name: str) -> Any:
    if name in _ENGINES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_ENGINES]
