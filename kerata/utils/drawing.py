"""What a picture of a model's graph consists of: a node for each layer, a frame for each model."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kerata.core.graph import Function
from kerata.core.symbolic import Node, OpCall, open_shape
from kerata.layers.core.input_layer import InputLayer
from kerata.layers.layer import Layer
from kerata.models.graph_config import calls_in, in_depth_order
from kerata.models.model import Model
from kerata.models.sequential import Sequential
from kerata.utils.extras import extra
from kerata.utils.work import graphs_of

_DIRECTIONS = ("TB", "LR", "BT", "RL")
_DARK, _LIGHT = "#37474f", "#eceff1"


class Options(NamedTuple):
    """What is shown of each layer."""

    shapes: bool
    dtype: bool
    names: bool
    direction: str
    nested: bool
    activations: bool
    trainable: bool


def drawn(
    user: str, model: Any, options: Options, dpi: int, splines: str, subgraph: bool = False
) -> Any:
    """A model's graph as a `graphviz.Digraph`, or as a cluster that goes into another."""
    graphviz = extra("graphviz", "plot", user)
    if options.direction not in _DIRECTIONS:
        raise ValueError(f"{user}: rankdir must be one of {_DIRECTIONS}; got {options.direction!r}")
    if not isinstance(model, Model):
        raise TypeError(f"{user}: model must be a model; got {type(model).__name__}")
    if not model.built:
        raise ValueError(
            f"{user}: {model.name!r} is not built, so it has no graph yet. Call it on data, fit "
            "it, or build(input_shape), first"
        )
    name = f"cluster_{model.name}" if subgraph else "model"
    dot = graphviz.Digraph(name, graph_attr=_frame(model.name) if subgraph else {})
    dot.graph_attr.update(rankdir=options.direction, dpi=str(dpi), splines=splines, bgcolor="white")
    dot.node_attr.update(shape="plaintext", margin="0", fontname="Helvetica", fontsize="11")
    dot.edge_attr.update(color=_DARK, arrowsize="0.7")
    _Drawing(options).model(dot, model, "")
    return dot


def _frame(name: str) -> dict[str, str]:
    return {"label": name, "labeljust": "l", "style": "rounded", "color": _DARK,
            "fontname": "Helvetica", "fontsize": "11"}  # fmt: skip


class _Ends(NamedTuple):
    """Where lines go in and out: the nodes for each input, and the node of each output."""

    entries: list[list[str]]
    exits: list[str]

    def entry(self, place: int) -> list[str]:
        return self.entries[min(place, len(self.entries) - 1)] if self.entries else []

    def exit(self, place: int) -> str | None:
        return self.exits[min(place, len(self.exits) - 1)] if self.exits else None


class _Drawing:
    """The nodes and lines of a model, those of nested ones in frames."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lines: set[tuple[str, str]] = set()

    def model(self, dot: Any, model: Any, prefix: str) -> _Ends:
        """Draw a model; the names of its nodes begin with a prefix."""
        graphs = graphs_of(model)
        if graphs is None:
            key = f"{prefix}0"
            dot.node(key, self._label(model, [], []))
            return _Ends([[key]], [key])
        graph, shapes = graphs[0], _shapes(*graphs)
        calls = calls_in(graph)
        inputs = [id(t) for t in graph.inputs]
        hidden = isinstance(model, Sequential)
        ends: dict[int, _Ends] = {}
        for number, operation in enumerate(in_depth_order(graph)):
            if not (hidden and isinstance(operation, InputLayer)):
                nodes = calls.get(id(operation), [])
                ends[id(operation)] = self._operation(
                    dot, operation, nodes, shapes, f"{prefix}{number}"
                )
        entries: list[list[str]] = [[] for _ in inputs]
        for place, tensor in enumerate(graph.inputs):
            if tensor.node is not None and id(tensor.node.operation) in ends:
                entries[place] = ends[id(tensor.node.operation)].entry(0)
        for node in graph.nodes:
            self._connect(dot, node, ends, inputs, entries)
        exits = [self._source(t, ends) for t in graph.outputs]
        return _Ends(entries, [key for key in exits if key is not None])

    def _operation(
        self, dot: Any, operation: Any, nodes: Sequence[Node], shapes: dict[int, Any], key: str
    ) -> _Ends:
        if self._options.nested and isinstance(operation, Model):
            with dot.subgraph(name=f"cluster_{key}") as frame:
                frame.attr(**_frame(operation.name))
                return self.model(frame, operation, f"{key}_")
        into = [[_described(t, shapes) for t in node.inputs] for node in nodes]
        out = [[_described(t, shapes) for t in node.outputs] for node in nodes]
        dot.node(key, self._label(operation, into, out))
        return _Ends([[key]], [key])

    def _connect(
        self,
        dot: Any,
        node: Node,
        ends: dict[int, _Ends],
        inputs: list[int],
        entries: list[list[str]],
    ) -> None:
        """Draw the lines into a call; note where the inputs go that have no node of their own."""
        for place, tensor in enumerate(node.inputs):
            targets = ends[id(node.operation)].entry(place)
            source = self._source(tensor, ends)
            if source is None:
                if id(tensor) in inputs:
                    entries[inputs.index(id(tensor))] += targets
                continue
            for target in targets:
                if (source, target) not in self._lines:
                    self._lines.add((source, target))
                    dot.edge(source, target)

    @staticmethod
    def _source(tensor: Any, ends: dict[int, _Ends]) -> str | None:
        found = None if tensor.node is None else ends.get(id(tensor.node.operation))
        return None if found is None else found.exit(tensor.index)

    def _label(self, operation: Any, into: list[list[Any]], out: list[list[Any]]) -> str:
        """A table in Graphviz' HTML: what the layer is, and what is to be shown of it."""
        options, kind = self._options, _kind(operation)
        title = f"<b>{_text(kind)}</b>"
        if options.names:
            title = f"{_text(operation.name)} ({title})"
        rows = []
        activation = getattr(operation, "activation", None)
        if options.activations and activation is not None:
            rows.append([f"activation: {_activation(activation)}"])
        if options.trainable and isinstance(operation, Layer) and operation.weights:
            rows.append(["trained" if operation.trainable else "not trained"])
        if options.shapes or options.dtype:
            ends = [("in", into), ("out", out)]
            if isinstance(operation, InputLayer):
                ends = ends[1:]
            rows.append([f"{name}: {self._tensors(found)}" for name, found in ends])
        return _table(title, rows)

    def _tensors(self, calls: list[list[Any]]) -> str:
        """The shapes and dtypes of each call's tensors, one text for calls that have the same."""
        texts = []
        for tensors in calls:
            parts = [
                " ".join([str(shape)] * self._options.shapes + [dtype] * self._options.dtype)
                for shape, dtype in tensors
            ]
            texts.append(", ".join(parts) or "–")
        return " | ".join(dict.fromkeys(texts)) or "?"


def _shapes(first: Function, second: Function) -> dict[int, Any]:
    """The open shapes of a graph's tensors by their ids."""
    pairs: list[tuple[Any, Any]] = [*zip(first.inputs, second.inputs, strict=True)]
    for a, b in zip(first.nodes, second.nodes, strict=True):
        pairs += zip(a.outputs, b.outputs, strict=True)
    return {id(a): open_shape(a.shape, b.shape) for a, b in pairs if hasattr(a, "shape")}


def _described(tensor: Any, shapes: dict[int, Any]) -> tuple[Any, str]:
    return tuple(shapes.get(id(tensor), getattr(tensor, "shape", ()))), str(tensor.dtype)


def _kind(operation: Any) -> str:
    if isinstance(operation, OpCall):
        return f"ops.{operation.op.name}"
    wrapped = getattr(operation, "layer", None)
    kind = type(operation).__name__
    return f"{kind}({type(wrapped).__name__})" if isinstance(wrapped, Layer) else kind


def _activation(activation: Any) -> str:
    return getattr(activation, "__name__", None) or type(activation).__name__


def _text(text: str) -> str:
    return html.escape(text, quote=False)


def _table(title: str, rows: Iterable[list[str]]) -> str:
    lines = [f'<tr><td bgcolor="{_DARK}" colspan="2"><font color="white">{title}</font></td></tr>']
    for cells in rows:
        wide = ' colspan="2"' if len(cells) == 1 else ""
        found = "".join(f'<td bgcolor="{_LIGHT}"{wide}>{_text(cell)}</td>' for cell in cells)
        lines.append(f"<tr>{found}</tr>")
    table = f'<table border="0" cellborder="1" cellspacing="0" cellpadding="5" color="{_DARK}">'
    return f"<{table}{''.join(lines)}</table>>"
