"""What a model's layers are called on: the shapes of their outputs, their work and its memory.

Nothing is computed: calls are run under `abstract`, which counts floating-point operations, for
two sizes of the batch; the difference between the two gives the figures a sample. A figure is None
where a size besides the batch is open, or where a layer can't be run under `abstract`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import optree

from kerata.backends import dtypes
from kerata.backends.abstract.backend import counting
from kerata.backends.abstract.tensor import STAND_INS
from kerata.backends.registry import load, using
from kerata.backends.scope import Recorder
from kerata.core.graph import Function
from kerata.core.symbolic import KerasTensor, Node, evaluate, open_shape, symbolic_leaves
from kerata.models.graph_config import calls_in, in_depth_order


class Call(NamedTuple):
    """One call of a layer or an operation.

    Attributes:
        operation: what is called.
        shapes: of its outputs.
        flops: floating-point operations a sample, or None.
        memory: bytes of its outputs a sample, or None.
        sources: the outputs that it takes, `name[call][place]`.
    """

    operation: Any
    shapes: list[tuple[int | None, ...]]
    flops: int | None
    memory: int | None
    sources: list[str]


def calls_of(model: Any) -> list[Call]:
    """The calls in a model's graph, those of a layer together, in the order of its layers.

    A subclassed model is run on symbolic tensors first, of the sizes that it was built for; where
    that can't be done the list is empty.
    """
    graphs = graphs_of(model)
    if graphs is None:
        return []
    first, second = graphs
    other = {id(a): b for a, b in zip(first.nodes, second.nodes, strict=True)}
    labels: dict[int, str] = {}
    calls = calls_in(first)
    nodes: list[Node] = []
    for operation in in_depth_order(first):
        for number, node in enumerate(calls[id(operation)]):
            nodes.append(node)
            for place, tensor in enumerate(node.outputs):
                labels[id(tensor)] = f"{operation.name}[{number}][{place}]"
    return [_call(node, other.get(id(node), node), labels) for node in nodes]


def flops_of(model: Any) -> int | None:
    """The floating-point operations of a whole model, a sample; None where they are not known."""
    if model._graph is not None:
        return _flops([_counts(model, (model._graph.inputs_structure,), {})], model._graph.inputs)
    if model._built_on is None:
        return None
    args, kwargs = model._built_on
    return _flops([_counts(model, args, kwargs)], symbolic_leaves((args, kwargs)))


def _call(first: Node, second: Node, labels: dict[int, str]) -> Call:
    shapes = [
        open_shape(a.shape, b.shape) for a, b in zip(first.outputs, second.outputs, strict=True)
    ]
    runs = [first] if second is first else [first, second]
    counts = [_counts(n.operation, n.args, n.kwargs) for n in runs]
    sizes = [_bytes(s, t.dtype) for s, t in zip(shapes, first.outputs, strict=True)]
    memory = None if None in sizes else sum(sizes)  # type: ignore[arg-type]
    sources = [labels[id(t)] for t in first.inputs if id(t) in labels]
    return Call(first.operation, shapes, _flops(counts, first.inputs), memory, sources)


def _bytes(shape: Sequence[int | None], dtype: str) -> int | None:
    sizes = [s for s in shape[1:] if s is not None]
    return math.prod(sizes) * dtypes.size(dtype) if len(sizes) == len(shape[1:]) else None


def _counts(
    operation: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> list[int]:
    """The work of a call, at both stand-ins where a size is open; nothing where it can't run."""
    counts: list[int] = []

    def run(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with counting() as work, using(load("abstract")), Recorder():
            result = function(*args, **kwargs)
        counts.append(work.flops)
        return result

    if not symbolic_leaves((args, kwargs)):
        return [0]
    try:
        evaluate(operation, args, kwargs, run)
    except Exception:  # an engine's own functions, which only that engine can run
        return []
    return counts


def _flops(counts: list[list[int]], inputs: Sequence[KerasTensor]) -> int | None:
    """A sample's share, from one call with open sizes or from the same call at both stand-ins."""
    if [] in counts or any(_is_open(s) for t in inputs for s in t.shape[1:]):
        return None
    found = [c for each in counts for c in each]
    batches = [t.shape[0] for t in inputs if t.shape]
    if any(_is_open(size) for size in batches):
        return (found[1] - found[0]) // (STAND_INS[1] - STAND_INS[0])
    return found[0] // max([b for b in batches if b], default=1)


def _is_open(size: int | None) -> bool:
    return size is None or (size > 0 and size % STAND_INS[0] == 0)


def graphs_of(model: Any) -> tuple[Function, Function] | None:
    """A model's graph at both stand-ins for open sizes; twice the same where it keeps them open.

    None where it has no graph, and `call` can't be run on symbolic tensors.
    """
    return (model._graph, model._graph) if model._graph is not None else _traced(model)


def _traced(model: Any) -> tuple[Function, Function] | None:
    """The graphs that a subclassed model's `call` makes at the two stand-ins, or None.

    The calls that its layers remember from it are forgotten again.
    """
    if model._built_on is None:
        return None
    layers = list(model._flatten_layers())
    before = [len(layer._nodes) for layer in layers]
    try:
        first, second = (_graph_at(model, size) for size in STAND_INS)
    except Exception:  # `call` does something that needs values
        return None
    finally:
        for layer, count in zip(layers, before, strict=True):
            del layer._nodes[count:]
    return (first, second) if len(first.nodes) == len(second.nodes) else None


def _graph_at(model: Any, size: int) -> Function:
    def sized(x: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return x
        return KerasTensor([size if s is None else s for s in x.shape], x.dtype)

    args, kwargs = optree.tree_map(sized, model._built_on, none_is_leaf=True)
    outputs = model.call(*args, **kwargs)
    return Function(symbolic_leaves((args, kwargs)), symbolic_leaves(outputs), model.name)
