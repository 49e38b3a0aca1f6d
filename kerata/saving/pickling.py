"""Models in `pickle` and `copy.deepcopy`: by way of the `.keras` archive."""

from __future__ import annotations

import pathlib
import tempfile
import types
from collections.abc import Iterator
from typing import Any

from kerata.core.config_object import Configurable, given_arguments
from kerata.core.serialization import get_registered_name
from kerata.saving.archive import load_model, save_model

_NAME = "model.keras"


def reduced(model: Any) -> tuple[Any, ...]:
    """What `__reduce__` returns for a model: how to make it again, and from what.

    Classes and functions that are not the library's travel by their names, as `pickle` does it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / _NAME
        save_model(model, path)
        archive = path.read_bytes()
    return _made_again, (archive, dict(_custom_objects(model)))


def _made_again(archive: bytes, custom_objects: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / _NAME
        path.write_bytes(archive)
        # `pickle` runs code anyway: who unpickles trusts the source.
        return load_model(path, custom_objects, safe_mode=False)


def _custom_objects(model: Any) -> Iterator[tuple[str, Any]]:
    """The names and objects of others that the config of a model refers to."""
    for each in model._flatten_layers():
        yield from _others(each, set())
        yield from _others(getattr(each, "optimizer", None), set())
        yield from _others(getattr(each, "_compile_arguments", None), set())


def _others(x: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(x) in seen:
        return
    seen.add(id(x))
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)):
        for item in x:
            yield from _others(item, seen)
    elif isinstance(x, type) or (isinstance(x, types.FunctionType) and x.__name__ != "<lambda>"):
        if not _is_own(x):
            yield get_registered_name(x), x
    elif isinstance(x, Configurable):
        yield from _others(type(x), seen)
        yield from _others(given_arguments(x), seen)


def _is_own(x: Any) -> bool:
    return x.__module__.split(".")[0] == __name__.split(".")[0]
