"""A layer as a `flax.nnx.Module`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kerata.backends.registry import load, using
from kerata.backends.scope import Scope
from kerata.interop.jax import values, variable_trees
from kerata.utils.extras import extra

extra("flax.nnx", "flax", "kerata.interop.flax")
from flax import nnx  # noqa: E402


class State(nnx.Variable):
    """What a layer keeps and training does not change by gradients."""


class _Part(nnx.Module):
    """A layer in a layer: its variables as attributes."""


class _Held:
    """The layer, compared by identity."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.trees = variable_trees(layer)


class LayerModule(nnx.Module):
    """An `nnx.Module` with an `nnx.Param` for each trained variable, and a `State` for each other.

    It starts from the layer's values and keeps its own; `write_back` gives them to the layer.
    `train()` and `eval()` switch `training`.

    Args:
        layer: a built layer or model; an error says so where it is not built.

    Attributes:
        params: its `nnx.Param`s, nested by the variables' paths.
        state: the other variables.
        deterministic: whether it is called with `training=False`.
    """

    def __init__(self, layer: Any) -> None:
        held = _Held(layer)
        self._held = nnx.static(held)
        trained, others = held.trees
        self.params = _part(values(trained), nnx.Param)
        self.state = _part(values(others), State)
        self.deterministic = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer returns."""
        kwargs.setdefault("training", not self.deterministic)
        pairs = list(self._pairs())
        with using(load("jax")), Scope((v, box[...]) for v, box in pairs) as scope:
            result = self._held.layer(*args, **kwargs)
        written = scope.written
        for variable, box in pairs:
            if id(variable) in written:
                box[...] = scope.get(variable)
        return result

    def write_back(self) -> None:
        """Give the layer's variables the module's values."""
        with using(load("jax")):
            for variable, box in self._pairs():
                variable.assign(box[...])

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        """The layer's variables and the module's."""
        trained, others = self._held.trees
        yield from _joined(trained, self.params)
        yield from _joined(others, self.state)


as_module = LayerModule


def _part(tree: dict[str, Any], kind: type) -> Any:
    part = _Part()
    for name, value in tree.items():
        setattr(part, name, _part(value, kind) if isinstance(value, dict) else kind(value))
    return part


def _joined(tree: dict[str, Any], part: Any) -> Iterator[tuple[Any, Any]]:
    for name, value in tree.items():
        inner = getattr(part, name)
        if isinstance(value, dict):
            yield from _joined(value, inner)
        else:
            yield value, inner
