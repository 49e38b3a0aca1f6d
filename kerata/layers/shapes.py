"""The shapes that layers are built for."""

from __future__ import annotations

from typing import Any

from kerata.core.symbolic import KerasTensor, public_size


class Shapes(dict[str, Any]):
    """The shapes of several arguments by name, where one argument may be a dictionary too."""


def built_for(shapes: dict[str, Any]) -> Any:
    """The shape of the only argument, or the `Shapes` of several."""
    return Shapes(shapes) if len(shapes) > 1 else next(iter(shapes.values()), None)


def shapes_of(value: Any) -> Any:
    """The shape of a tensor, or the shapes of a nesting of them; None where there is none."""
    if hasattr(value, "shape"):
        return tuple(public_size(s) for s in value.shape)
    if isinstance(value, dict):
        return {k: shapes_of(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        found = [shapes_of(v) for v in value]
        return None if not found or any(f is None for f in found) else found
    return None


def as_tuples(shape: Any) -> Any:
    """Shapes as JSON holds them (lists) as tuples."""
    if isinstance(shape, dict):
        return {k: as_tuples(v) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(isinstance(s, (int, type(None))) for s in shape):
            return tuple(shape)
        return [as_tuples(s) for s in shape]
    return shape


def symbolic_inputs(shape: Any, dtype: str) -> Any:
    """Symbolic inputs of these shapes."""
    shape = as_tuples(shape)
    if isinstance(shape, tuple):
        return KerasTensor(shape, dtype)
    if isinstance(shape, dict):
        return {k: symbolic_inputs(v, dtype) for k, v in shape.items()}
    return [symbolic_inputs(s, dtype) for s in shape]
