"""A backend from outside: boxes that nothing else understands, with kernels of plain Python and NumPy.

What `docs/adding-a-backend.md` describes, written against `kerata.backends.Backend` alone. It has the
kernels that the models of `test_contract` need; a complete backend has one for every primitive.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import optree

from kerata import ops
from kerata.backends import Backend


class Box:
    """The toy engine's tensor: an array in a box. Its operators are Kerata's operations."""

    def __init__(self, data: Any) -> None:
        self.data = np.asarray(data)

    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)

    __neg__ = lambda self: ops.negative(self)  # noqa: E731
    __add__ = __radd__ = lambda self, other: ops.add(self, other)
    __mul__ = __rmul__ = lambda self, other: ops.multiply(self, other)
    __sub__ = lambda self, other: ops.subtract(self, other)  # noqa: E731
    __rsub__ = lambda self, other: ops.subtract(other, self)  # noqa: E731
    __truediv__ = lambda self, other: ops.true_divide(self, other)  # noqa: E731
    __getitem__ = lambda self, key: ops.getitem(self, key)  # noqa: E731


def opened(tree: Any) -> Any:
    """What is in the boxes of any nesting."""
    return optree.tree_map(lambda x: x.data if isinstance(x, Box) else x, tree, none_is_leaf=True)


def boxed(tree: Any) -> Any:
    """Arrays (and NumPy's scalars) of any nesting in boxes."""
    kinds = (np.ndarray, np.generic)
    return optree.tree_map(lambda x: Box(x) if isinstance(x, kinds) else x, tree, none_is_leaf=True)


def kernel(function: Any) -> Any:
    """A function of arrays as a kernel."""
    return lambda *args: boxed(function(*opened(args)))


def reduction(function: Any) -> Any:
    """A reduction of NumPy's as a kernel; it stays in the dtype of its operand."""

    def run(x: Box, axis: Any = None, keepdims: bool = False) -> Box:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return Box(function(x.data, axis=axis, keepdims=keepdims).astype(x.dtype))

    return run


def full(shape: Any, fill_value: Box, dtype: Any = None) -> Box:
    return Box(np.full(shape, fill_value.data, dtype or fill_value.dtype))


def split(x: Box, indices_or_sections: Any, axis: int = 0) -> list[Box]:
    return [Box(part) for part in np.split(x.data, indices_or_sections, axis)]


def conv(
    inputs: Box,
    kernel: Box,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Box:
    """One spatial axis, channels last, neither padded nor dilated: all that the toy knows."""
    x, w, step = inputs.data, kernel.data, strides if isinstance(strides, int) else strides[0]
    count = (x.shape[1] - len(w)) // step + 1
    windows = (x[:, i : i + step * count : step] @ w[i] for i in range(len(w)))
    return Box(sum(windows))


def scan(
    f: Any, init: Any, xs: Any = None, length: Any = None, reverse: bool = False, unroll: Any = 1
) -> Any:
    """A plain loop: the carry and each row stay boxes."""
    rows = optree.tree_leaves(xs)[0].shape[0] if length is None else length
    carry, outputs = init, [None] * rows
    for i in reversed(range(rows)) if reverse else range(rows):
        carry, outputs[i] = f(carry, optree.tree_map(lambda x: Box(x.data[i]), xs))  # noqa: B023
    return carry, optree.tree_map(lambda *ys: Box(np.stack([y.data for y in ys])), *outputs)


class ToyBackend(Backend):
    """Boxes, computed at once."""

    name = "toy"
    tensor_types = (Box,)
    floats = frozenset({np.dtype("float32"), np.dtype("float64")})

    def __init__(self) -> None:
        super().__init__()
        same = "add subtract multiply true_divide maximum minimum equal greater less_equal negative exp log tanh matmul"
        self.kernels = {name: kernel(getattr(np, name)) for name in same.split()}
        self.kernels |= {name: reduction(getattr(np, name)) for name in ("sum", "mean", "max")}
        self.kernels |= {
            "where": kernel(np.where),
            "erf": lambda x: Box(np.vectorize(math.erf)(x.data).astype(x.dtype)),
            "cast": lambda x, dtype: Box(x.data.astype(dtype)),
            "stop_gradient": lambda variable: variable,
            "reshape": lambda x, newshape: Box(x.data.reshape(newshape)),
            "transpose": lambda x, axes=None: Box(x.data.transpose(axes)),
            "expand_dims": lambda x, axis: Box(np.expand_dims(x.data, axis)),
            "stack": lambda x, axis=0: Box(np.stack([t.data for t in x], axis)),
            "getitem": lambda x, key: Box(x.data[opened(key)]),
            "full": full,
            "split": split,
            "conv": conv,
            "scan": scan,
        }

    def convert(self, x: Any, dtype: str | None = None) -> Box:
        array = x.data if isinstance(x, Box) else np.asarray(x)
        if dtype is None and not hasattr(x, "dtype"):
            dtype = {"f": "float32", "i": "int32"}.get(array.dtype.kind)
        return Box(array if dtype is None else array.astype(dtype))

    def to_numpy(self, x: Box) -> np.ndarray:
        return x.data.copy()

    def dtype_of(self, x: Box) -> str:
        return x.dtype.name
