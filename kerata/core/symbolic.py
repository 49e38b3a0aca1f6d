"""Symbolic tensors, and the calls that made them.

`KerasTensor` keeps the public name it has in Keras. Calling an operation or a layer on one runs its
body under `abstract`, once for each of two stand-ins for the sizes that are open, and records a
`Node`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import optree

from kerata.backends import dtypes
from kerata.backends.abstract.tensor import STAND_INS, AbstractTensor
from kerata.backends.operators import Operators
from kerata.backends.registry import load, using
from kerata.backends.scope import Recorder
from kerata.backends.state import operations
from kerata.core.closures import closed_over
from kerata.core.masks import get_mask, set_mask
from kerata.core.names import auto_name


class KerasTensor(Operators):
    """A tensor that is only a shape, a dtype and the call that makes it.

    Args:
        shape: sizes; None where a size is open.
        dtype: its dtype.
        sparse: accepted for compatibility.
        ragged: accepted for compatibility.
        record_history: accepted for compatibility.
        name: its name.

    Attributes:
        node: the call whose result it is, or None.
        index: its place among that call's results.
    """

    __slots__ = ("__weakref__", "dtype", "index", "name", "node", "ragged", "shape", "sparse")
    ragged_rank: int | None = None  # of ragged tensors, which there are none of here
    row_splits_dtype: str | None = None

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.shape = tuple(shape)
        self.dtype = dtypes.standardize_dtype(dtype)
        self.name = name or auto_name(type(self).__name__)
        self.sparse = sparse
        self.ragged = ragged
        self.node: Node | None = None
        self.index = 0

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    def reshape(self, newshape: Any) -> Any:
        """`ops.reshape` of it."""
        return operations["reshape"](self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """`ops.squeeze` of it."""
        return operations["squeeze"](self, axis)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __len__(self) -> int:
        raise TypeError("A symbolic tensor has no length; see its shape")

    def __iter__(self) -> Any:
        raise TypeError("Iterating over a symbolic tensor; use kerata.ops.unstack")

    def __bool__(self) -> bool:
        raise TypeError("The value of a symbolic tensor is not known: use kerata.ops.where or cond")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ValueError(
            "A symbolic tensor has no values: it can't be passed to NumPy. "
            "Use kerata.ops on it, or call the model on data."
        )

    @staticmethod
    def __kerata_record__(op: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return OpCall(op)(*args, **kwargs)


class Node:
    """One recorded call.

    Attributes:
        operation: the layer or `OpCall` that was called.
        args: its positional arguments, symbolic tensors among them.
        kwargs: its keyword arguments.
        outputs: the symbolic tensors that came out, flattened.
        structure: how they are nested.
        where: the user's file and line of the call.
    """

    __slots__ = ("args", "inputs", "kwargs", "operation", "outputs", "structure", "where")

    def __init__(self, operation: Any, args: Any, kwargs: dict[str, Any], result: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.inputs = symbolic_leaves((args, kwargs))
        self.outputs, self.structure = optree.tree_flatten(result, none_is_leaf=True)
        self.where = user_line()
        for i, tensor in enumerate(self.outputs):
            if isinstance(tensor, KerasTensor):
                tensor.node, tensor.index = self, i


def user_line() -> tuple[str, int, str]:
    """File, line and function of the nearest caller outside of the library."""
    frame: Any = sys._getframe(1)
    while frame is not None and in_library(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ("<unknown>", 0, "")
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


_HERE = __file__.rsplit("core", 1)[0]


def in_library(filename: str) -> bool:
    """Whether a source file belongs to Kerata itself."""
    return filename.startswith(_HERE)


def symbolic_leaves(tree: Any) -> list[KerasTensor]:
    """The symbolic tensors in any nesting."""
    return [x for x in optree.tree_leaves(tree) if isinstance(x, KerasTensor)]


def any_symbolic(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether there is a symbolic tensor among arguments."""
    for x in (*args, *kwargs.values()):
        if isinstance(x, KerasTensor):
            return True
        if isinstance(x, (list, tuple, dict)) and symbolic_leaves(x):
            return True
    return False


def _stand_in(x: Any, size: int, made: dict[int, AbstractTensor]) -> Any:
    if not isinstance(x, KerasTensor):
        return x
    if id(x) not in made:
        shape = tuple(size if s is None else s for s in x.shape)
        tensor = made[id(x)] = AbstractTensor(shape, x.dtype)
        mask = get_mask(x)
        if mask is not None:
            set_mask(tensor, _stand_in(mask, size, made))
    return made[id(x)]


def _abstractly(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    with using(load("abstract")), Recorder():
        return function(*args, **kwargs)


def open_shape(first: Sequence[int], second: Sequence[int]) -> tuple[int | None, ...]:
    """The sizes of two runs as one shape, None where they differ."""
    if len(first) != len(second):
        raise ValueError(f"The number of axes depends on an open size: {first} and {second}")
    return tuple(a if a == b else None for a, b in zip(first, second, strict=True))


def public_size(size: Any) -> Any:
    """A size as users see it: None for one that is open (or a stand-in, or a multiple of it)."""
    if not isinstance(size, int):
        return None
    return None if size and size % STAND_INS[0] == 0 else size


def evaluate(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    run: Callable[..., Any] = _abstractly,
) -> Any:
    """What `function` returns for symbolic arguments, as new symbolic tensors.

    `run(function, args, kwargs)` evaluates it for abstract tensors.

    Raises:
        ValueError: the shapes don't fit (open sizes are written as None).
    """
    is_open = any(None in x.shape for x in symbolic_leaves((args, kwargs)))

    def once(size: int) -> Any:
        made: dict[int, AbstractTensor] = {}
        tree = optree.tree_map(lambda x: _stand_in(x, size, made), (tuple(args), kwargs))
        return run(function, *tree)

    try:
        first = once(STAND_INS[0])
        second = once(STAND_INS[1]) if is_open else first
    except Exception as error:
        _show_open_sizes(error)
        raise

    def merged(a: Any, b: Any) -> Any:
        if not isinstance(a, AbstractTensor):
            return a
        return KerasTensor(open_shape(a.shape, b.shape), a.dtype)

    return optree.tree_map(merged, first, second, none_is_leaf=True)


def _show_open_sizes(error: Exception) -> None:
    if error.args and isinstance(error.args[0], str):
        text = error.args[0]
        for size in STAND_INS:
            text = text.replace(str(size), "None")
        error.args = (text, *error.args[1:])


class Operation:
    """Something that can be called on tensors, and on symbolic ones is recorded.

    Args:
        name: its name; one is made of the class's where it is None.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self._nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What it does; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, ...)")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Find the output's specification and record the call."""
        result = self.compute_output_spec(*args, **kwargs)
        self._nodes.append(Node(self, args, kwargs, result))
        return result

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What a call on these symbolic tensors returns, as symbolic tensors."""
        return evaluate(self.call, args, kwargs)

    def _only_node(self, what: str) -> Node:
        if not self._nodes:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} has not been called on a symbolic tensor, "
                f"so it has no {what}"
            )
        if len(self._nodes) > 1:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} was called {len(self._nodes)} times, "
                f"so its {what} is ambiguous"
            )
        return self._nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic input of its only call."""
        inputs = self._only_node("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self) -> Any:
        """The symbolic output of its only call."""
        node = self._only_node("output")
        return optree.tree_unflatten(node.structure, node.outputs)


class OpCall(Operation):
    """The record of a call of one of `kerata.ops`."""

    def __init__(self, op: Any, name: str | None = None) -> None:
        super().__init__(name or auto_name(op.name))
        self.op = op

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.op.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record the call; symbolic tensors that functions close over are arguments of it too."""
        args, kwargs = optree.tree_map(closed_over, (args, kwargs), none_is_leaf=True)
        return super().symbolic_call(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The operation's name."""
        return {"op": self.op.name, "name": self.name}

    def __repr__(self) -> str:
        return f"<operation {self.op.name}>"
