"""The names that a layer's variables have in the engines' objects."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Any

from kerata.core.names import snake_case
from kerata.layers.layer import Layer

Path = tuple[str, ...]


def named_variables(layer: Any) -> dict[Path, Any]:
    """The variables by paths that are the same for every layer made alike; see `named_layers`."""
    return {(*path, name): v for path, _, own in named_layers(layer) for name, v in own.items()}


def named_layers(layer: Any) -> list[tuple[Path, Any, dict[str, Any]]]:
    """The path of a layer and of each one in it, the layer, and its own variables by name.

    A part of a path is the name that the user gave to a layer; of one without, the attribute that
    holds it, or its class with a number from the second of a kind on.

    Raises:
        TypeError: it is no layer.
        ValueError: it is not built.
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"layer must be a layer or model; got {layer!r:.80}")
    if not layer.built:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) has no variables yet: call it on data, "
            "or build(input_shape), first"
        )
    return list(_walk(layer, (), set()))


def _walk(layer: Any, path: Path, seen: set[int]) -> Iterator[tuple[Path, Any, dict[str, Any]]]:
    seen.add(id(layer))
    own: dict[str, Any] = {}
    for variable in (*layer._own(), *layer._beside()):
        if id(variable) not in seen:
            seen.add(id(variable))
            own[_unique("variable" if _is_made_up(variable) else variable.name, own)] = variable
    yield path, layer, own
    taken = set(own)
    for child in layer._layers():
        if id(child) not in seen:
            name = _unique(_label(layer, child) if _is_made_up(child) else child.name, taken)
            taken.add(name)
            yield from _walk(child, (*path, name), seen)


def _is_made_up(named: Any) -> bool:
    """Whether a name is the one that its class gives to what has none."""
    return bool(re.fullmatch(rf"{snake_case(type(named).__name__)}(_\d+)?", named.name))


def _label(owner: Any, child: Any) -> str:
    """The attribute that holds a layer; its class where that says nothing."""
    for name, value in vars(owner).items():
        if value is child:
            return name.strip("_")
        items: Any = value.items() if isinstance(value, dict) else ()
        if isinstance(value, (list, tuple)) and not name.startswith("_"):
            items = enumerate(value)
        for key, item in items:
            if item is child:
                return f"{name.strip('_')}_{key}"
    return snake_case(type(child).__name__)


def _unique(name: str, taken: Container[str]) -> str:
    found, count = name, 0
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found


def nested(tree: dict[Path, Any]) -> dict[str, Any]:
    """Values by paths as dictionaries in dictionaries."""
    found: dict[str, Any] = {}
    for path, value in tree.items():
        inner = found
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return found
