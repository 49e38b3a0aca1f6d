"""Where in a weights file each object of a model keeps its variables: the paths that Keras 3 gives.

An object's path is made of attribute names, `blocks/block_1/items/dense`, and inside of lists,
tuples and dicts of class names with a number from the second of a kind on. Attributes come in
alphabetical order, those with a leading underscore last; an object that stands in several places
keeps the first path. A model holds its layers under `layers`, in the order of `model.layers`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from kerata.core.names import snake_case
from kerata.core.seeds import SeedGenerator
from kerata.layers.layer import Layer
from kerata.metrics.metric import Metric
from kerata.models.model import Model
from kerata.models.sequential import Sequential

_CONTAINERS = (list, tuple, dict, set, frozenset)


def saveables(root: Any) -> dict[str, Any]:
    """Every object of `root`, itself included, that has variables to save, by its path.

    Seed generators are among them (Keras leaves them out, and overlooks them in files), metrics are
    not.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def visit(value: Any, path: str) -> None:
        if isinstance(value, _CONTAINERS):
            for name, item in _named_items(value):
                visit(item, f"{path}/{name}")
        elif is_saveable(value) and id(value) not in seen:
            seen.add(id(value))
            found[path] = value
            if not isinstance(value, SeedGenerator):
                for name, item in _attributes(value):
                    visit(item, f"{path}/{name}" if path else name)

    visit(root, "")
    return found


def is_saveable(value: Any) -> bool:
    """Whether an object keeps variables in files."""
    if isinstance(value, (SeedGenerator, Metric)):
        return isinstance(value, SeedGenerator)
    return hasattr(type(value), "save_own_variables") and hasattr(type(value), "load_own_variables")


def _named_items(container: Any) -> Iterator[tuple[str, Any]]:
    """What a container holds, by names made of the classes."""
    items: Iterable[Any] = container
    if isinstance(container, dict):
        items = container.values()
    elif isinstance(container, (set, frozenset)):
        items = sorted(container, key=lambda x: str(getattr(x, "name", "")))
    counts: dict[str, int] = {}
    for item in items:
        if isinstance(item, _CONTAINERS):
            name = "container"
        elif is_saveable(item):
            name = class_name(item)
        else:
            continue
        count = counts[name] = counts.get(name, 0) + 1
        yield (name if count == 1 else f"{name}_{count - 1}"), item


def name_of(value: Any) -> str:
    """An object's name, or that of its class."""
    return str(getattr(value, "name", class_name(value)))


def class_name(value: Any) -> str:
    """An object's class in snake case; Keras calls a graph's `functional`."""
    is_graph = type(value) is Model and getattr(value, "_graph", None) is not None
    return "functional" if is_graph else snake_case(type(value).__name__)


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    """The attributes and properties that an object has beyond those of the library's base class."""
    skipped = _names_of(_base(type(owner))) | getattr(owner, "untracked", frozenset())
    names = sorted(set(dir(owner)) - skipped, key=lambda n: (n.startswith("_"), n))
    if isinstance(owner, Model):
        names = sorted([*names, "layers"], key=lambda n: (n.startswith("_"), n))
        if owner.compiled and is_saveable(owner.optimizer):
            names.insert(_place(names, "optimizer"), "optimizer")
    for name in names:
        if name.startswith("__"):
            continue
        try:
            value = getattr(owner, name)
        except Exception:  # a property that can't be read now has nothing to save
            continue
        if isinstance(value, _CONTAINERS) or is_saveable(value):
            yield name, value


def _place(names: list[str], name: str) -> int:
    return sum(1 for n in names if not n.startswith("_") and n < name)


def _base(cls: type) -> type:
    return next((b for b in (Sequential, Model, Layer) if issubclass(cls, b)), object)


@functools.cache
def _names_of(base: type) -> frozenset[str]:
    """The names that a bare object of one of the library's base classes has."""
    return frozenset(dir(base(name="bare") if base is not object else object))
