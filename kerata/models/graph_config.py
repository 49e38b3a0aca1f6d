"""The config of a functional model, in Keras' format: its layers, each with the calls made of it.

A tensor in the arguments of a call stands as `{"class_name": "__keras_tensor__"}` with its
`keras_history`: the name of the layer that it comes out of, the number of that layer's call, and
the place among the call's results. A call of one of `kerata.ops` is an entry of its own, of the
module `kerata.ops`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import optree

from kerata.backends.state import operations
from kerata.core.config_object import given_arguments
from kerata.core.graph import Function
from kerata.core.names import snake_case
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.core.symbolic import KerasTensor, Node, OpCall, public_size
from kerata.layers.core.input_layer import InputLayer

_OPS = "kerata.ops"
# Keras' names of operations, in snake case, that differ from ours.
_RENAMED = {"get_item": "getitem"}
_PARTS = ("layers", "input_layers", "output_layers")
_ENDS = ("inputs", "outputs")

History = tuple[str, int, int]


def is_graph_config(config: Mapping[str, Any]) -> bool:
    """Whether a config is that of a functional model."""
    return all(part in config for part in _PARTS)


def takes_graph(cls: type) -> bool:
    """Whether a class of models is made of inputs and outputs, so that its config is the graph."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    names = [p.name for p in parameters]
    return parameters[:1] != [] and (
        parameters[0].kind is inspect.Parameter.VAR_POSITIONAL or all(n in names for n in _ENDS)
    )


def in_depth_order(graph: Function) -> list[Any]:
    """The layers and operations of a graph, its inputs' included, as Keras orders them.

    Those come first from which the way to an output is longest; of equals, the one that is reached
    first from the outputs.
    """
    known = {id(t) for t in graph.inputs}
    depths: dict[int, int] = {}
    for node in reversed(graph.nodes):
        # A layer that is called several times counts with its deepest call.
        depth = depths.get(id(node.operation), 0)
        depths[id(node.operation)] = depth
        for tensor in node.inputs:
            if tensor.node is not None and (id(tensor) not in known or not tensor.node.inputs):
                key = id(tensor.node.operation)
                depths[key] = max(depths.get(key, 0), depth + 1)
    reached = _reached(graph, known)
    return sorted(reached, key=lambda operation: -depths.get(id(operation), 0))


def _reached(graph: Function, known: set[int]) -> list[Any]:
    """Layers and operations in the order in which a search from the outputs meets them."""
    unused = [t.node.operation for t in graph.inputs if t.node is not None and not t.node.inputs]
    found: dict[int, Any] = {}
    done: set[int] = set()
    stack = list(reversed(graph.outputs))
    while stack:
        tensor = stack.pop()
        node = tensor.node
        if node is None or id(node) in done or (id(tensor) in known and node.inputs):
            continue
        done.add(id(node))
        found.setdefault(id(node.operation), node.operation)
        stack += reversed(node.inputs)
    return [op for op in unused if id(op) not in found] + list(found.values())


# Writing


def graph_config(model: Any, graph: Function) -> dict[str, Any]:
    """The config of a functional model, which `model_from_graph` takes back.

    Raises:
        TypeError: something in the arguments of a call can't be put into a config.
    """
    calls = calls_in(graph)
    histories: dict[int, History] = {}
    layers = []
    for tensor in graph.inputs:
        if tensor.node is None or tensor.node.inputs:
            layers.append(_entry(_input_for(tensor), []))
            histories[id(tensor)] = (tensor.name, 0, 0)
    for operation in in_depth_order(graph):
        for number, node in enumerate(calls.get(id(operation), [])):
            for place, out in enumerate(node.outputs):
                histories.setdefault(id(out), (operation.name, number, place))
    for operation in in_depth_order(graph):
        nodes = [
            {"args": _encoded(list(n.args), histories), "kwargs": _encoded(n.kwargs, histories)}
            for n in calls.get(id(operation), [])
            if n.inputs
        ]
        layers.append(_entry(operation, nodes))
    given = {n: v for n, v in given_arguments(model).items() if n not in _ENDS}
    return {
        **{n: serialize_object(v) for n, v in given.items()},
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _histories(graph.inputs_structure, histories),
        "output_layers": _histories(graph.outputs_structure, histories),
    }


def calls_in(graph: Function) -> dict[int, list[Node]]:
    """The calls in a graph by the id of what is called, in the order in which they were made."""
    found: dict[int, list[Node]] = {}
    given = [t.node for t in graph.inputs if t.node is not None and not t.node.inputs]
    for node in {id(n): n for n in (*given, *graph.nodes)}.values():
        found.setdefault(id(node.operation), []).append(node)
    for nodes in found.values():
        places = {id(n): i for i, n in enumerate(nodes[0].operation._nodes)}
        nodes.sort(key=lambda n: places.get(id(n), 0))
    return found


def _input_for(tensor: KerasTensor) -> InputLayer:
    """An input in the place of a tensor in the middle of another graph."""
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _entry(operation: Any, nodes: list[Any]) -> dict[str, Any]:
    if isinstance(operation, OpCall):
        described = {
            "module": _OPS,
            "class_name": operation.op.name,
            "config": {"name": operation.name},
            "registered_name": None,
        }
    else:
        described = serialize_object(operation)
    return {**described, "name": operation.name, "inbound_nodes": nodes}


def _encoded(value: Any, histories: Mapping[int, History]) -> Any:
    """Arguments of a call as JSON can hold them; tuples are told from lists."""
    if isinstance(value, KerasTensor):
        config = {
            "shape": list(value.shape),
            "dtype": value.dtype,
            "keras_history": list(histories[id(value)]) if histories else None,
        }
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [_encoded(v, histories) for v in value]}
    if isinstance(value, list):
        return [_encoded(v, histories) for v in value]
    if isinstance(value, dict):
        return {k: _encoded(v, histories) for k, v in value.items()}
    return serialize_object(value)


def _histories(tree: Any, histories: Mapping[int, History]) -> Any:
    if isinstance(tree, KerasTensor):
        return list(histories[id(tree)])
    if isinstance(tree, dict):
        return {k: _histories(v, histories) for k, v in tree.items()}
    items = [_histories(v, histories) for v in tree]
    return {"class_name": "__tuple__", "items": items} if isinstance(tree, tuple) else items


def call_specs(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The arguments of a call, symbolic tensors in the places of tensors."""

    def spec(x: Any) -> Any:
        if not hasattr(x, "shape") or not hasattr(x, "dtype"):
            return x
        return KerasTensor([public_size(s) for s in x.shape], x.dtype)

    return optree.tree_map(spec, (list(args), dict(kwargs)), none_is_leaf=True)


def call_config(specs: Any) -> dict[str, Any]:
    """What `call_specs` returned as JSON can hold it: tensors by shape and dtype."""
    return {"args": _encoded(specs[0], {}), "kwargs": _encoded(specs[1], {})}


# Reading


def call_from_config(config: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that `call_config` described, symbolic tensors for the tensors."""
    decoder = _Rebuilt([])
    args, kwargs = config["args"], config["kwargs"]
    return [decoder.decoded(v) for v in args], {k: decoder.decoded(v) for k, v in kwargs.items()}


def model_from_graph(cls: Callable[..., Any], config: Mapping[str, Any]) -> Any:
    """`cls(inputs, outputs)` for the graph that `graph_config` described.

    Raises:
        ValueError: the layers are not connected as the config says.
        TypeError: a class or function in it is not known.
    """
    rebuilt = _Rebuilt(config["layers"])
    named = {n: deserialize_object(v) for n, v in config.items() if n not in _PARTS}
    return cls(
        inputs=rebuilt.tensors(config["input_layers"]),
        outputs=rebuilt.tensors(config["output_layers"]),
        **named,
    )


class _Call(NamedTuple):
    """A call to make: its name and number, what is called, and the arguments as in the config."""

    key: tuple[str, int]
    operation: Any
    args: list[Any]
    kwargs: dict[str, Any]
    needs: frozenset[tuple[str, int]]


class _Rebuilt:
    """The layers of a config, called as it says, each call as soon as its inputs are there."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._results: dict[tuple[str, int], list[Any]] = {}
        waiting: list[_Call] = []
        for entry in entries:
            operation, name = _operation(entry), entry["name"]
            if not entry["inbound_nodes"]:
                self._results[name, 0] = [operation.output]
            for number, node in enumerate(entry["inbound_nodes"]):
                args, kwargs = _arguments(node, entry)
                needs = frozenset(_needs((args, kwargs)))
                waiting.append(_Call((name, number), operation, args, kwargs, needs))
        while waiting:
            later = [call for call in waiting if not self._made(call)]
            if len(later) == len(waiting):
                names = ", ".join(repr(call.key[0]) for call in waiting)
                raise ValueError(f"The config is no graph: the inputs of {names} are never made")
            waiting = later

    def _made(self, call: _Call) -> bool:
        if not call.needs <= self._results.keys():
            return False
        args = [self.decoded(v) for v in call.args]
        kwargs = {k: self.decoded(v) for k, v in call.kwargs.items()}
        result = call.operation(*args, **kwargs)
        self._results[call.key] = optree.tree_leaves(result, none_is_leaf=True)
        return True

    def decoded(self, value: Any) -> Any:
        """A value out of a config, tensors in the places of their histories."""
        if isinstance(value, list):
            return [self.decoded(v) for v in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("class_name")
        if kind == "__keras_tensor__":
            kept = value["config"]
            if kept.get("keras_history") is None:
                return KerasTensor(kept["shape"], kept["dtype"])
            return self._tensor(kept["keras_history"])
        if kind == "__tuple__":
            return tuple(self.decoded(v) for v in value["items"])
        if kind is None:
            return {k: self.decoded(v) for k, v in value.items()}
        return deserialize_object(value)

    def _tensor(self, history: Sequence[Any]) -> Any:
        name, number, place = history
        results = self._results.get((name, number))
        if results is None and (name, 1) not in self._results:
            # Keras counts the calls of a nested model that lie outside of the graph, too.
            results = self._results.get((name, 0))
        if results is None or place >= len(results):
            raise ValueError(f"The config names the tensor {list(history)}, which no layer makes")
        return results[place]

    def tensors(self, tree: Any) -> Any:
        """The tensors for a nesting of histories."""
        if isinstance(tree, dict) and tree.get("class_name") == "__tuple__":
            return tuple(self.tensors(v) for v in tree["items"])
        if isinstance(tree, dict):
            return {k: self.tensors(v) for k, v in tree.items()}
        if len(tree) == 3 and isinstance(tree[0], str):
            return self._tensor(tree)
        return [self.tensors(v) for v in tree]


def _operation(entry: dict[str, Any]) -> Any:
    """The layer, or the record of an operation, that an entry describes."""
    if not _is_operation(entry):
        return deserialize_object(entry)
    name = snake_case(entry["class_name"])
    call = operations.get(_RENAMED.get(name, name))
    if call is None:
        raise TypeError(f"The config names the operation {entry['class_name']}, which is not known")
    return OpCall(call.op, entry["name"])


def _is_operation(entry: dict[str, Any]) -> bool:
    module = str(entry.get("module"))
    return module == _OPS or module.startswith(("keras.ops", "keras.src.ops"))


def _arguments(node: Any, entry: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    if not isinstance(node, dict):
        raise ValueError(
            f"The calls of {entry['name']!r} are in the format of Keras 2, which is not read"
        )
    args, kwargs = list(node["args"]), dict(node["kwargs"])
    if _is_operation(entry):
        # Keras keeps some of an operation's arguments in its config, and tuples as lists.
        kwargs |= {k: v for k, v in entry["config"].items() if k != "name"}
        if snake_case(entry["class_name"]) in _RENAMED and isinstance(args[1], list):
            args[1] = {"class_name": "__tuple__", "items": args[1]}
    return args, kwargs


def _needs(value: Any) -> Iterator[tuple[str, int]]:
    """The calls whose results stand in the arguments of one."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _needs(item)
    elif isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            name, number, _ = value["config"]["keras_history"]
            yield name, number
        else:
            yield from _needs(list(value.values()))
