"""`clone_model`, and models from JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import optree

from kerata.core.graph import Function
from kerata.core.serialization import deserialize_object
from kerata.core.symbolic import KerasTensor, OpCall
from kerata.layers.core.input_layer import Input, InputLayer
from kerata.layers.layer import Layer
from kerata.layers.serialization import remade
from kerata.models.model import Model
from kerata.models.sequential import Sequential


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_json` described, with new weights.

    Args:
        json_string: the JSON.
        custom_objects: classes and functions that are not registered, by the names in it.

    >>> from kerata.layers import Dense
    >>> model_from_json(Sequential([Input((4,)), Dense(2)]).to_json()).output_shape
    (None, 2)
    """
    known = {"Functional": Model, **(custom_objects or {})}
    return deserialize_object(json.loads(json_string), known)


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A copy of a model with new layers, and so with new weights.

    Args:
        model: a model.
        input_tensors: symbolic tensors to begin at; new inputs where None.
        clone_function: makes a new layer of a layer; None copies it by its config.
        call_function: calls a new layer, `(layer, *args, **kwargs)`; for functional models.
        recursive: copy the layers of nested models by `clone_function` too.

    Raises:
        ValueError: the model is subclassed, and more than the model is given.
        TypeError: `call_function` is given for a `Sequential`.
    """
    if kwargs:
        raise TypeError(f"clone_model: unknown argument(s) {', '.join(map(repr, kwargs))}")

    def clone(layer: Any) -> Any:
        if recursive and isinstance(layer, Model) and _has_parts(layer):
            inner = None if isinstance(layer, Sequential) else call_function
            return clone_model(layer, None, clone_function, inner, True)
        return (clone_function or remade)(layer)

    if isinstance(model, Sequential):
        if call_function is not None:
            raise TypeError("clone_model: call_function is for functional models, not Sequential")
        return _cloned_stack(model, input_tensors, clone)
    if _has_parts(model):
        return _cloned_graph(model, input_tensors, clone, call_function or _called)
    if input_tensors is not None or clone_function is not None or call_function is not None:
        raise ValueError(
            f"clone_model: {model.name!r} is subclassed and copied by its config; "
            "input_tensors, clone_function and call_function are for functional and stacked models"
        )
    return remade(model)


def _has_parts(model: Any) -> bool:
    return isinstance(model, Sequential) or getattr(model, "_graph", None) is not None


def _called(layer: Any, *args: Any, **kwargs: Any) -> Any:
    return layer(*args, **kwargs)


def _cloned_stack(model: Any, inputs: Any, clone: Callable[[Any], Any]) -> Any:
    layers = [clone(layer) for layer in model.layers]
    if inputs is not None:
        (tensor,) = optree.tree_leaves(inputs)
        layers.insert(0, Input(tensor=tensor))
    elif model._input_layer is not None:
        layers.insert(0, remade(model._input_layer))
    return type(model)(layers, name=model.name, trainable=model.trainable)


def _cloned_graph(
    model: Any, inputs: Any, clone: Callable[[Any], Any], call: Callable[..., Any]
) -> Any:
    graph: Function = model._graph
    if inputs is None:
        inputs = optree.tree_map(_new_input, graph.inputs_structure)
    flat = optree.tree_leaves(inputs)
    if len(flat) != len(graph.inputs):
        raise ValueError(
            f"clone_model: {model.name!r} has {len(graph.inputs)} input(s), and input_tensors "
            f"{len(flat)}"
        )
    values = {id(old): new for old, new in zip(graph.inputs, flat, strict=True)}
    copies = {
        id(op): OpCall(op.op, op.name) if isinstance(op, OpCall) else clone(op)
        for op in graph.operations
    }

    def new(x: Any) -> Any:
        return values[id(x)] if isinstance(x, KerasTensor) else x

    for node in graph.nodes:
        args, kwargs = optree.tree_map(new, (tuple(node.args), node.kwargs), none_is_leaf=True)
        copy = copies[id(node.operation)]
        result = (call if isinstance(copy, Layer) else _called)(copy, *args, **kwargs)
        made = optree.tree_leaves(result, none_is_leaf=True)
        values |= {id(old): out for old, out in zip(node.outputs, made, strict=True)}
    outputs = optree.tree_map(new, graph.outputs_structure)
    return type(model)(inputs, outputs, name=model.name, trainable=model.trainable)


def _new_input(tensor: KerasTensor) -> KerasTensor:
    layer = tensor.node.operation if tensor.node is not None else None
    if isinstance(layer, InputLayer):
        return remade(layer).output
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
