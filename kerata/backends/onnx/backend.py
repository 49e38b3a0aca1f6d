"""`onnx`: writes what a function does as an ONNX graph.

    model, outputs, variables = write(layer, [((None, 784), "float32")], ["image"])

Sizes that are None stay open: the function meets them as `Size`s, which it may calculate with and
not branch on. Variables become constants, named by their paths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
import optree

from kerata.backends import dtypes
from kerata.backends.base import Backend
from kerata.backends.onnx import arrays, control, fourier, indexing, kernels, nn
from kerata.backends.onnx.graph import Graph, OnnxValue, Size, Unsupported, to_model
from kerata.backends.registry import load, using
from kerata.backends.scope import Scope
from kerata.backends.state import operations


class _Kernels(dict[str, Callable[..., Any]]):
    """A table that answers for a primitive it lacks with a kernel that says so."""

    def get(self, name: str, default: Any = None) -> Any:
        if name in self or operations[name].op.body is not None:
            return super().get(name, default)

        def kernel(*_: Any, **__: Any) -> Any:
            raise Unsupported(f"{name}: there is no kernel that writes it to ONNX")

        return kernel


class OnnxBackend(Backend):
    """Tensors are values of the graph that the thread is writing."""

    name = "onnx"
    tensor_types = (OnnxValue,)
    floats = frozenset(dtypes.FLOATS)
    computes = False

    def __init__(self) -> None:
        super().__init__()
        self.kernels = _Kernels(kernels.KERNELS | arrays.KERNELS | nn.KERNELS | control.KERNELS)
        self.kernels |= indexing.KERNELS
        self.kernels |= fourier.KERNELS

    def convert(self, x: Any, dtype: str | None = None) -> OnnxValue:
        return kernels.tensor(x, dtype)

    def to_numpy(self, x: OnnxValue) -> np.ndarray:
        return np.array(x if x.array is None else x.array)

    def dtype_of(self, x: OnnxValue) -> str:
        return x.dtype

    def shape_of(self, x: OnnxValue) -> tuple[Any, ...]:
        return x.shape


class Tracing(Scope):
    """Answers reads of variables with values of the graph, and keeps what they held."""

    def __init__(self, graph: Graph, value_of: Callable[[Any], np.ndarray]) -> None:
        super().__init__()
        self.graph = graph
        self.value_of = value_of
        self.reads: list[tuple[Any, OnnxValue, np.ndarray]] = []

    def missing(self, variable: Any) -> OnnxValue:
        array = self.value_of(variable)
        value = OnnxValue(self.graph, self.graph.name(variable.path), *variable.spec())
        self.reads.append((variable, value, array))
        self._values[id(variable)] = value
        return value


class Trace(NamedTuple):
    """A function as a graph.

    Attributes:
        graph: its outputs are those of the function, then the values of the written variables.
        outputs: what the function returns, with `OnnxValue`s for the tensors.
        constants: the variables whose values the graph holds.
        fed: the variables that are inputs of the graph, after those of the function.
        written: the variables that are outputs of the graph, in their order.
    """

    graph: Graph
    outputs: Any
    constants: list[Any]
    fed: list[Any]
    written: list[Any]


def host_value(variable: Any) -> np.ndarray:
    """A variable's value, read without moving it."""
    with using(load("numpy")):
        return variable.numpy()


def _is_spec(x: Any) -> bool:
    if isinstance(x, tuple):
        return len(x) == 2 and isinstance(x[1], (str, type, np.dtype))
    return hasattr(x, "shape") and hasattr(x, "dtype")


def _spec(x: Any) -> tuple[tuple[Any, ...], str]:
    shape, dtype = x if isinstance(x, tuple) else (x.shape, x.dtype)
    return tuple(shape), dtypes.standardize_dtype(dtype)


def trace(
    function: Callable[..., Any],
    specs: Sequence[Any],
    names: Sequence[str] = (),
    value_of: Callable[[Any], np.ndarray] = host_value,
    feeds: Callable[[Any], bool] = lambda variable: False,
) -> Trace:
    """Run `function` on new inputs; `specs` and `names` as in `write`.

    The variables that are written, and those that `feeds` chooses, become inputs of the graph, the
    others constants; `value_of` reads them.
    """
    leaves, tree = optree.tree_flatten(tuple(specs), is_leaf=_is_spec)
    graph = Graph()
    scope = Tracing(graph, value_of)
    with using(load("onnx")), scope, graph.writing():
        names = [*names, *(f"input_{i}" for i in range(len(names), len(leaves)))]
        values = [graph.input(n, *_spec(s)) for n, s in zip(names, leaves, strict=True)]
        result = function(*optree.tree_unflatten(tree, values))
        found, structure = optree.tree_flatten(result)
        outputs = optree.tree_unflatten(structure, [_finished(graph, leaf) for leaf in found])
        for variable, value in scope.writes():
            graph.output(value, variable.path + "/new")
    constants, fed = [], []
    for variable, value, array in scope.reads:
        if id(variable) in scope.written or feeds(variable):
            graph.inputs.append(value)
            fed.append(variable)
        else:
            value.array = array
            constants.append(variable)
    return Trace(graph, outputs, constants, fed, list(scope.written.values()))


def _finished(graph: Graph, leaf: Any) -> Any:
    """A tensor that a function returns, as an output of the graph."""
    if isinstance(leaf, Size) or hasattr(type(leaf), "__kerata_value__"):
        leaf = kernels.tensor(leaf)
    if not isinstance(leaf, OnnxValue):
        return leaf
    graph.output(leaf, f"output_{len(graph.outputs)}")
    return graph.outputs[-1]


def write(
    function: Callable[..., Any], specs: Sequence[Any], names: Sequence[str] = ()
) -> tuple[onnx.ModelProto, Any, list[Any]]:
    """`function` as an ONNX model.

    Args:
        function: takes and returns trees of tensors; it may read variables, not write them.
        specs: for each argument a tree of `(shape, dtype)`. A size None is open; one that is a
            string is open and the same wherever it stands.
        names: of the inputs, in the order of the tree's leaves.

    Returns:
        The model; what the function returns, with `OnnxValue`s (their names are the outputs'); and
        the variables whose values the model holds.

    Raises:
        Unsupported: ONNX has no means for an operation.
        OpenSizeError: the function branches on a size that is open.
        ValueError: it writes variables.
    """
    found = trace(function, specs, names)
    if found.written:
        paths = ", ".join(v.path for v in found.written)
        raise ValueError(f"A function that is written as a model may not assign variables: {paths}")
    return to_model(found.graph, "kerata"), found.outputs, found.constants


def create() -> OnnxBackend:
    """The backend; called once, by the registry."""
    return OnnxBackend()
