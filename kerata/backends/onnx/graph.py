"""The ONNX graph while it is written: values, open sizes and nodes, and at the end the model."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
import onnx
from onnx import helper

from kerata._version import __version__
from kerata.backends.dtypes import standardize_dtype
from kerata.backends.operators import Operators
from kerata.backends.state import operations

OPSET = 20
IR_VERSION = 9  # the first that opset 20 goes with
_TYPES = {
    "float32": "FLOAT", "float64": "DOUBLE", "float8_e4m3fn": "FLOAT8E4M3FN",
    "float8_e5m2": "FLOAT8E5M2",
}  # fmt: skip


class Unsupported(NotImplementedError):
    """ONNX has no means for what a function does; the message begins with the operation's name."""


class OpenSizeError(TypeError):
    """A branch on a size that the graph keeps open."""


class OnnxValue(Operators):
    """A value in the graph being written.

    Attributes:
        name: what nodes call it.
        shape: ints where sizes are known, `Size`s where they are open.
        dtype: the name of its dtype.
        graph: the graph that holds it.
        array: its value, where it is a constant.
        node: what computes it; None for inputs and constants.
    """

    __slots__ = ("__weakref__", "array", "dtype", "graph", "name", "node", "shape")

    def __init__(self, graph: Graph, name: str, shape: Sequence[Any], dtype: str) -> None:
        self.graph = graph
        self.name = name
        self.shape = tuple(Size(self, i) if s is None else s for i, s in enumerate(shape))
        self.dtype = dtype
        self.array: np.ndarray | None = None
        self.node: Node | None = None

    def __repr__(self) -> str:
        return f"<onnx {self.name!r} {self.dtype} {self.shape}>"

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without axes")
        return self.shape[0].__index__()

    def __iter__(self) -> Iterator[Any]:
        return iter(operations["unstack"](self))

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise Unsupported(
            f"The value of {self.name!r} was asked for, and a graph being written has none. "
            "Use kerata.ops.where or kerata.ops.cond instead of a branch."
        )

    __bool__ = __int__ = __float__ = __index__ = __array__ = _refuse


def _calculation(op: str, name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    def run(self: Size, other: Any) -> Any:
        pair = (other, self) if reflected else (self, other)
        if op and isinstance(other, (int, np.integer, Size)):
            return _calculated(op, *pair)
        return operations[name](*pair)

    return run


class Size:
    """An open size: a number that the graph computes. Calculate with it, don't branch on it.

    With ints and other sizes it gives sizes; with floats, with tensors and in `/`, tensors.
    """

    __slots__ = ("axis", "label", "value")

    def __init__(self, value: OnnxValue, axis: int | None = None, label: str = "") -> None:
        self.value = value  # the tensor that has it on `axis`, or itself as a vector of one number
        self.axis = axis
        self.label = label

    def __repr__(self) -> str:
        return self.label or "?"

    def vector(self) -> OnnxValue:
        """The size as an int64 vector of one number."""
        if self.axis is None:
            return self.value
        return emit("Shape", [self.value], (1,), "int64", start=self.axis, end=self.axis + 1)

    def scalar(self) -> OnnxValue:
        """The size as an int64 tensor without axes."""
        return emit("Squeeze", [self.vector(), constant([0], "int64")], (), "int64")

    def is_same(self, other: Any) -> bool:
        """Whether `other` is this size too, as far as the graph tells."""
        return self is other or (
            isinstance(other, Size) and self.value is other.value and self.axis == other.axis
        )

    def __neg__(self) -> Any:
        return 0 - self

    def _refuse(self, *_: Any) -> NoReturn:
        raise OpenSizeError(
            "A branch on an open size (one that is None in the shape of an input): the program "
            "would hold only for the sizes it was built with. Calculate with the size and pass it "
            "on as a shape, or give the input a fixed one."
        )

    __add__, __radd__ = _calculation("Add", "add"), _calculation("Add", "add", True)
    __sub__, __rsub__ = _calculation("Sub", "subtract"), _calculation("Sub", "subtract", True)
    __mul__, __rmul__ = _calculation("Mul", "multiply"), _calculation("Mul", "multiply", True)
    __floordiv__ = _calculation("Div", "floor_divide")
    __rfloordiv__ = _calculation("Div", "floor_divide", True)
    __mod__, __rmod__ = _calculation("Mod", "mod"), _calculation("Mod", "mod", True)
    __truediv__ = _calculation("", "true_divide")
    __rtruediv__ = _calculation("", "true_divide", True)
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __int__ = __index__ = __float__ = __hash__ = _refuse


def _calculated(op: str, a: Any, b: Any) -> Any:
    """`a op b` of ints and sizes, without a node where the result is one of them or a constant."""
    if op in ("Sub", "Div", "Mod") and same_size(a, b):
        return 1 if op == "Div" else 0
    pairs = [(a, b), (b, a)] if op in ("Add", "Mul") else [(a, b)]
    for one, other in pairs:
        if same_size(other, 0 if op in ("Add", "Sub") else 1):
            return 0 if op == "Mod" else one
        if op == "Mul" and same_size(other, 0):
            return 0
    left, right = vector((a,)), vector((b,))
    if op == "Mod":
        return a - a // b * b
    found = emit(op, [left, right], (1,), "int64")
    if op == "Div":  # some runtimes round down, others towards 0
        rest = Size(left) - Size(found) * b
        below = emit("Less", [rest.vector(), constant([0], "int64")], (1,), "bool")
        one = emit("Cast", [below], (1,), "int64", to=element_type("int64"))
        found = emit("Sub", [found, one], (1,), "int64")
    return Size(found)


def vector(sizes: Sequence[Any]) -> OnnxValue:
    """Ints and open sizes as one int64 vector."""
    if not any(isinstance(s, Size) for s in sizes):
        return constant([int(s) for s in sizes], "int64")
    parts = [s.vector() if isinstance(s, Size) else constant([s], "int64") for s in sizes]
    return emit("Concat", parts, (len(sizes),), "int64", axis=0) if len(parts) > 1 else parts[0]


def same_size(a: Any, b: Any) -> bool:
    """Whether two sizes, known or open, are equal as far as can be told."""
    return a.is_same(b) if isinstance(a, Size) else not isinstance(b, Size) and a == b


class Node(NamedTuple):
    """An operator of the graph."""

    op: str
    inputs: tuple[Any, ...]  # OnnxValues, None where an optional one is left out
    outputs: list[OnnxValue]
    attributes: dict[str, Any]

    def graphs(self) -> list[Graph]:
        """The bodies it holds."""
        return [a for a in self.attributes.values() if isinstance(a, Graph)]


class Graph:
    """Nodes in the order in which they run; bodies of loops and branches see what encloses them."""

    def __init__(self, parent: Graph | None = None, branch: bool = False) -> None:
        self.parent = parent
        self.branch = branch
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.root: Graph = self if parent is None else parent.root
        self.nodes: list[Node] = []
        self.inputs: list[OnnxValue] = []
        self.outputs: list[OnnxValue] = []
        self.known: dict[Any, list[OnnxValue]] = {}
        self.constants: dict[Any, OnnxValue] = {}
        self.names: set[str] = set()

    def name(self, wanted: str) -> str:
        """A name that nothing else in the model has."""
        names, found, count = self.root.names, wanted, 0
        while found in names:
            count += 1
            found = f"{wanted}_{count}"
        names.add(found)
        return found

    def input(self, name: str, shape: Sequence[Any], dtype: str) -> OnnxValue:
        """A new input; sizes are ints, `Size`s, None, or names that inputs share."""
        value = OnnxValue(self, self.name(name), (), dtype)
        sizes = (s for i in self.inputs for s in i.shape if isinstance(s, Size))
        labels = {s.label: s for s in sizes if s.label}
        found = []
        for i, size in enumerate(shape):
            if size is None or isinstance(size, str):
                size = labels[size] if size in labels else Size(value, i, size or "")
            found.append(size)
        value.shape = tuple(found)
        self.inputs.append(value)
        return value

    def output(self, value: OnnxValue, name: str = "") -> None:
        """Make `value` the next output."""
        mine = value.graph is self and value.node is not None
        if not mine or any(value is o for o in self.outputs):
            value = emit("Identity", [value], value.shape, value.dtype, graph=self)
        if name:
            value.name = self.name(name)
        self.outputs.append(value)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Graph]:
        """New nodes go into this graph inside a `with` block."""
        previous, _tracing.graph = _tracing.graph, self
        try:
            yield self
        finally:
            _tracing.graph = previous


class _Tracing(threading.local):
    graph: Graph | None = None


_tracing = _Tracing()


def current() -> Graph:
    """The graph being written in this thread."""
    if _tracing.graph is None:
        raise RuntimeError(
            "The onnx backend computes nothing: it writes graphs, inside of "
            "kerata.backends.onnx.backend.write."
        )
    return _tracing.graph


def body(branch: bool = False) -> Graph:
    """A new graph inside the current one; that of a branch keeps all its nodes to itself."""
    return Graph(current(), branch)


def constant(array: Any, dtype: str | None = None) -> OnnxValue:
    """The constant of that value; equal ones are one."""
    array = np.asarray(array, dtype)
    root = current().root
    key = (array.dtype, array.shape, array.tobytes())
    value = root.constants.get(key)
    if value is None:
        name = root.name("constant")
        value = OnnxValue(root, name, array.shape, standardize_dtype(array.dtype))
        value.array = array
        root.constants[key] = value
    return value


def _place(inputs: Sequence[OnnxValue | None]) -> Graph:
    """The outermost graph that sees all inputs: what no turn of a loop changes stands before it."""
    deepest = max((i.graph for i in inputs if i is not None), key=lambda g: g.depth)
    graph = current()
    while graph.depth > deepest.depth and not graph.branch and graph.parent is not None:
        graph = graph.parent
    if graph.depth <= deepest.depth and graph is not deepest:
        raise Unsupported("A value made inside of a loop or branch is used outside of it")
    return graph


def _known(graph: Graph | None, key: Any) -> list[OnnxValue] | None:
    while graph is not None:
        if key in graph.known:
            return graph.known[key]
        graph = graph.parent
    return None


def emit_many(
    op: str,
    inputs: Sequence[OnnxValue | None],
    results: Sequence[tuple[Sequence[Any], str]],
    graph: Graph | None = None,
    **attributes: Any,
) -> list[OnnxValue]:
    """Write a node; returns its outputs, whose shapes and dtypes are `results`.

    A size None is open. An equal node that was written before is used again. `graph` is where to
    write, by default the outermost graph that sees all inputs.
    """
    node = Node(op, tuple(inputs), [], attributes)
    key = (op, tuple(map(id, inputs)), tuple(attributes.items()))
    plain = graph is None and not node.graphs()
    here = _place(inputs) if plain else graph or current()
    found = _known(here, key) if plain else None
    if found is not None:
        return list(found)
    for shape, dtype in results:
        value = OnnxValue(here, here.name(op), shape, dtype)
        value.node = node
        node.outputs.append(value)
    here.nodes.append(node)
    if plain:
        here.known[key] = node.outputs
    return list(node.outputs)


def emit(
    op: str,
    inputs: Sequence[OnnxValue | None],
    shape: Sequence[Any],
    dtype: str,
    graph: Graph | None = None,
    **attributes: Any,
) -> OnnxValue:
    """`emit_many` for a node of one output."""
    return emit_many(op, inputs, [(shape, dtype)], graph, **attributes)[0]


# The model


@functools.cache
def element_type(dtype: str) -> int:
    """ONNX's number for a dtype."""
    if dtype == "string" or dtype.startswith("complex"):
        raise Unsupported(f"{dtype}: tensors of it can't be written to ONNX here")
    return getattr(onnx.TensorProto, _TYPES.get(dtype, dtype.upper()))


def _fold_transposes(graph: Graph) -> None:
    """Constants that are only turned around (a convolution's kernel) become constants."""
    kept = []
    for node in graph.nodes:
        source = node.inputs[0] if node.inputs else None
        if node.op == "Transpose" and source is not None and source.array is not None:
            turned = node.outputs[0]
            turned.array = np.transpose(source.array, node.attributes["perm"])
            turned.name = graph.name(f"{source.name}/transposed")
        else:
            kept.append(node)
    graph.nodes = kept


def _prune(graph: Graph) -> dict[int, OnnxValue]:
    """Drop the nodes that no output needs; returns the values that the others need."""
    needed = {id(v): v for v in graph.outputs}
    kept = []
    for node in reversed(graph.nodes):
        if any(id(o) in needed for o in node.outputs):
            kept.append(node)
            needed.update((id(v), v) for v in node.inputs if v is not None)
            for inner in node.graphs():
                needed.update(_prune(inner))
    graph.nodes = kept[::-1]
    return needed


def _info(value: OnnxValue) -> onnx.ValueInfoProto:
    sizes = [s.label or None if isinstance(s, Size) else s for s in value.shape]
    return helper.make_tensor_value_info(value.name, element_type(value.dtype), sizes)


def _graph_proto(graph: Graph, name: str, constants: Sequence[OnnxValue]) -> onnx.GraphProto:
    nodes = []
    for node in graph.nodes:
        attributes = {
            k: _graph_proto(a, node.outputs[0].name + "/" + k, ()) if isinstance(a, Graph) else a
            for k, a in node.attributes.items()
        }
        inputs = [i.name if i is not None else "" for i in node.inputs]
        outputs = [o.name for o in node.outputs]
        nodes.append(helper.make_node(node.op, inputs, outputs, outputs[0], **attributes))
    tensors = [
        helper.make_tensor(v.name, element_type(v.dtype), v.shape, v.array.tobytes(), raw=True)
        for v in constants
        if v.array is not None
    ]
    ends = [[_info(v) for v in values] for values in (graph.inputs, graph.outputs)]
    return helper.make_graph(nodes, name, *ends, initializer=tensors)


def to_model(graph: Graph, name: str) -> onnx.ModelProto:
    """The finished graph as a model that ONNX's checker accepts; unneeded nodes are left out."""
    _fold_transposes(graph)
    needed = _prune(graph).values()
    proto = _graph_proto(graph, name, [v for v in needed if v.array is not None])
    return helper.make_model(
        proto,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="kerata",
        producer_version=__version__,
    )
