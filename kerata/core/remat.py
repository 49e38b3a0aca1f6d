"""Rematerialisation of layers: what they compute inside is not kept for the backward pass."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import optree

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core import masks
from kerata.core.symbolic import KerasTensor, evaluate
from kerata.core.transforms import checkpoint

_MODES = (None, "full", "activations", "larger_than", "list_of_layers")

Call = Callable[..., Any]


class RematScope:
    """Layers made inside its `with` block compute their insides again in the backward pass.

    Training then needs less memory and about a third more time. Models are left alone, and so are
    layers inside of a layer whose call is rematerialised already (Chen et al., 2016).

    Args:
        mode: "full" for all layers; "larger_than" for those whose output has more than
            `output_size_threshold` elements, the batch counted in; "list_of_layers" for those named
            in `layer_names`; "activations" for the activation functions of layers that have one;
            None for none, inside of another scope.
        output_size_threshold: see `mode`.
        layer_names: see `mode`.

    Raises:
        ValueError: `mode` is none of these.
        TypeError: `output_size_threshold` is no number, or `layer_names` no list of strings.

    Example:
        >>> with RematScope("larger_than", output_size_threshold=100_000):
        ...     layer = kerata.layers.Dense(1000, activation="gelu")
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"RematScope: mode must be one of {_MODES}; got {mode!r}")
        if not isinstance(output_size_threshold, (int, float)):
            raise TypeError(
                f"RematScope: output_size_threshold must be a number; got {output_size_threshold!r}"
            )
        names = [layer_names] if isinstance(layer_names, str) else list(layer_names or ())
        if not all(isinstance(n, str) for n in names):
            raise TypeError(f"RematScope: layer_names must be strings; got {layer_names!r}")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = names
        self._outer: list[Any] = []

    def __enter__(self) -> RematScope:
        self._outer.append(state.remat)
        state.remat = self
        return self

    def __exit__(self, *exception: object) -> None:
        state.remat = self._outer.pop()

    def apply(self, layer: Any) -> None:
        """Rematerialise a layer or model that exists, and all layers in it, from the next call on.

        Programs that `fit` compiled before stay as they are: call `compile` again.
        """
        for each in layer._flatten_layers():
            each._remat = self if each.rematerializable else None

    def of_layer(self, layer: Any, call: Call) -> Call:
        """`call`, the layer's, as this scope asks for."""
        if self.mode is None or state.rematerializing or not (state.backend or ensure()).computes:
            return call
        if self.mode == "activations":
            _rematerialize_activation(layer)
            return call
        if self.mode == "list_of_layers" and layer.name not in self.layer_names:
            return call
        again = functools.partial(_call_again, layer, call)
        if self.mode != "larger_than":
            return again

        def if_larger(*args: Any, **kwargs: Any) -> Any:
            size = _output_size(_apart(layer, call), args, kwargs)
            larger = size > self.output_size_threshold
            return (again if larger else call)(*args, **kwargs)

        return if_larger


def remat(f: Call) -> Call:
    """`f`, its intermediate values computed again in the backward pass to save memory.

    >>> double = remat(lambda x: x * 2.0)
    >>> float(double(ops.ones(())))
    2.0
    """
    return checkpoint(f)


def _rematerialize_activation(layer: Any) -> None:
    """Replace the layer's activation function, once."""
    layer._remat = None
    if callable(vars(layer).get("activation")):
        layer.activation = checkpoint(layer.activation)


def _output_size(call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """The elements in the first of what a call returns, sizes that are open counted as one."""
    types = (state.backend or ensure()).tensor_types
    specs = optree.tree_map(
        lambda x: KerasTensor(tuple(x.shape), x.dtype) if isinstance(x, types) else x,
        (args, kwargs),
        none_is_leaf=True,
    )
    outputs = optree.tree_leaves(evaluate(call, *specs)[0])
    return sum(math.prod(s or 1 for s in x.shape) for x in outputs if hasattr(x, "shape"))


def _apart(layer: Any, call: Call) -> Call:
    """`call` as a function of `(outputs, losses)`, where no layer keeps what it added."""
    layers = list(layer._flatten_layers())

    def run(*args: Any, **kwargs: Any) -> Any:
        before = [_count(inner) for inner in layers]
        outer, state.rematerializing = state.rematerializing, True
        try:
            y = call(*args, **kwargs)
        finally:
            state.rematerializing = outer
            losses = [(inner, _taken(inner, n)) for inner, n in zip(layers, before)]
        return y, losses

    return run


def _call_again(layer: Any, call: Call, *args: Any, **kwargs: Any) -> Any:
    """Call under `checkpoint`; masks and losses of the layers inside are handed in and out."""
    apart = _apart(layer, call)
    given = [masks.get_mask(x) for x in optree.tree_leaves((args, kwargs), none_is_leaf=True)]

    def run(args: Any, kwargs: Any, given: Any) -> Any:
        for x, mask in zip(optree.tree_leaves((args, kwargs), none_is_leaf=True), given):
            if mask is not None:
                masks.set_mask(x, mask)
        y, losses = apart(*args, **kwargs)
        return y, [masks.get_mask(x) for x in optree.tree_leaves(y)], losses

    y, found, losses = checkpoint(run)(args, kwargs, given)
    for x, mask in zip(optree.tree_leaves(y), found):
        if mask is not None:
            masks.set_mask(x, mask)
    for inner, values in losses:
        if values:
            inner.add_loss(values)
    return y


def _count(layer: Any) -> int:
    """How many losses the layer added in the outermost call that runs."""
    return len(layer._losses) if layer._losses_of == state.call else 0


def _taken(layer: Any, start: int) -> list[Any]:
    """The losses that the layer added since it had `start`; it has them no more."""
    if layer._losses_of != state.call:
        return []
    taken = layer._losses[start:]
    del layer._losses[start:]
    return taken
