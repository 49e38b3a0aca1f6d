"""An optimizer for each part of a model, as `compile` takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import optree

from kerata.core.variable import Variable
from kerata.optimizers.multi_optimizer import MultiOptimizer
from kerata.optimizers.optimizer import Optimizer

REST = "*"


def by_part(optimizer: Any) -> bool:
    """Whether `compile` was given a dictionary of optimizers, and not the config of one."""
    return isinstance(optimizer, Mapping) and "class_name" not in optimizer


class PartOptimizer(MultiOptimizer):
    """Hands each variable of a model to the optimizer of the part that it belongs to.

    Args:
        parts: optimizers by part. A part is the name of an attribute of the model that holds
            layers, the name of one of its layers, the beginning of variables' paths
            ("encoder/dense"), or a regular expression that matches the beginning of their paths;
            "*" is what no other part has.
        model: the model.
        name: its name.

    Raises:
        ValueError: when it is built: a part is nothing in the model, two parts have one variable,
            or a variable is in no part.

    Example:
        >>> model.compile(optimizer={"generator": Adam(1e-4), "discriminator": SGD(0.1)})
        >>> model.optimizer["generator"].learning_rate = 1e-5
    """

    def __init__(self, parts: Mapping[str, Optimizer], model: Any, name: str | None = None) -> None:
        super().__init__(self._of, name=name)
        self.parts = dict(parts)
        self._model = model
        self._part_of: dict[int, str] = {}

    def __getitem__(self, part: str) -> Optimizer:
        """The optimizer of a part."""
        if part not in self.parts:
            raise KeyError(f"There is no optimizer of {part!r}; there are {', '.join(self.parts)}")
        return self.parts[part]

    def _of(self, variable: Variable) -> Optimizer:
        return self.parts[self._part_of[id(variable)]]

    def rated(self) -> dict[str, Optimizer]:
        """Its optimizers by their parts."""
        return dict(self.parts)

    def build(self, variables: Sequence[Variable]) -> None:
        """Find each variable's part, and build the optimizers."""
        if self.built:
            return
        listed = list(variables)
        self._part_of = _parts_of(list(self.parts), self._model, listed)
        super().build(listed)

    def get_config(self) -> dict[str, Any]:
        """It has none: the config of the model's `compile` holds its optimizers.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"{self.name!r} belongs to a model; the optimizers of its parts have configs"
        )


def _parts_of(parts: list[str], model: Any, variables: list[Variable]) -> dict[int, str]:
    """The part of each variable, by the variable's identity."""
    found: dict[int, str] = {}
    for part in parts:
        for variable in () if part == REST else _members(part, model, variables):
            other = found.setdefault(id(variable), part)
            if other != part:
                raise ValueError(
                    f"compile: optimizer has both {other!r} and {part!r} for {variable.path!r}; "
                    "each variable takes one"
                )
    left = [v for v in variables if id(v) not in found]
    if REST in parts:
        return found | {id(v): REST for v in left}
    if left:
        paths = ", ".join(repr(v.path) for v in left[:5]) + (", …" if len(left) > 5 else "")
        raise ValueError(
            f"compile: optimizer has none for {paths}; its keys are {', '.join(map(repr, parts))}. "
            f"The key {REST!r} stands for all variables that no other key has"
        )
    return found


def _members(part: str, model: Any, variables: list[Variable]) -> list[Variable]:
    layers = _layers_at(part, model)
    if layers:
        own = {id(v) for layer in layers for v in layer.trainable_variables}
        return [v for v in variables if id(v) in own]
    below = [v for v in variables if v.path == part or v.path.startswith(f"{part}/")]
    try:
        members = below or [v for v in variables if re.match(part, v.path)]
    except re.error as error:
        raise ValueError(
            f"compile: the key {part!r} of optimizer is no expression: {error}"
        ) from error
    if not members:
        names = ", ".join(repr(layer.name) for layer in model.layers)
        raise ValueError(
            f"compile: the key {part!r} of optimizer is no attribute or layer of model "
            f"{model.name!r}, and no variable's path begins with it; the layers are {names}"
        )
    return members


def _layers_at(part: str, model: Any) -> list[Any]:
    """The layers in the attribute `part` of the model, or its layer of that name."""
    held = optree.tree_leaves(getattr(model, part, None)) if part.isidentifier() else []
    layers = [x for x in held if hasattr(x, "trainable_variables")]
    return layers or [x for x in model.layers if x.name == part]
