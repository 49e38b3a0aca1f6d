"""A backend from outside: rows of a toy tensor, whose kernels are Python over NumPy's functions.

What `docs/adding-a-backend.md` shows. It is written against `kerata.backends.Backend` alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.backends import Backend


class Box:
    """The toy engine's tensor: an array in a box that nothing else understands."""

    def __init__(self, data: Any) -> None:
        self.data = np.asarray(data)
        self.shape = self.data.shape
        self.dtype = self.data.dtype

    def __repr__(self) -> str:
        return f"Box({self.data.tolist()})"

    def __neg__(self) -> Box:
        return Box(-self.data)

    def __add__(self, other: Any) -> Box:
        return Box(self.data + open_box(other))

    def __sub__(self, other: Any) -> Box:
        return Box(self.data - open_box(other))

    def __mul__(self, other: Any) -> Box:
        return Box(self.data * open_box(other))

    def __truediv__(self, other: Any) -> Box:
        return Box(self.data / open_box(other))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Box:
        return Box(open_box(other) - self.data)

    def __getitem__(self, key: Any) -> Box:
        return Box(self.data[key])


def open_box(x: Any) -> Any:
    """What is in a box; numbers as they are."""
    return x.data if isinstance(x, Box) else x


def boxed(function: Any) -> Any:
    """A function of arrays as a kernel."""
    return lambda *args: Box(function(*map(open_box, args)))


def reduced(function: Any) -> Any:
    """A reduction of NumPy's as a kernel."""

    def kernel(x: Box, axis: Any = None, keepdims: bool = False) -> Box:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return Box(function(x.data, axis=axis, keepdims=keepdims).astype(x.dtype))

    return kernel


def cast(x: Box, dtype: Any) -> Box:
    return Box(x.data.astype(str(dtype)))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Box:
    return Box(np.full(shape, open_box(fill_value), dtype or open_box(fill_value).dtype))


def erf(x: Box) -> Box:
    return Box(np.vectorize(math.erf)(x.data).astype(x.dtype))


class ToyBackend(Backend):
    """The kernels that the tests need; a complete backend has one for every primitive."""

    name = "toy"
    tensor_types = (Box,)
    floats = frozenset({np.dtype("float32"), np.dtype("float64")})

    def __init__(self) -> None:
        super().__init__()
        plain = (
            "add subtract multiply true_divide maximum minimum equal greater exp log tanh matmul"
        )
        self.kernels = {name: boxed(getattr(np, name)) for name in plain.split()}
        self.kernels |= {name: reduced(getattr(np, name)) for name in ("sum", "mean", "max")}
        self.kernels |= {
            "cast": cast,
            "full": full,
            "erf": erf,
            "where": boxed(np.where),
            "stop_gradient": lambda variable: variable,
            "reshape": lambda x, newshape: Box(x.data.reshape(newshape)),
            "transpose": lambda x, axes=None: Box(x.data.transpose(axes)),
            "expand_dims": lambda x, axis: Box(np.expand_dims(x.data, axis)),
            "stack": lambda x, axis=0: Box(np.stack([t.data for t in x], axis)),
        }

    def convert(self, x: Any, dtype: str | None = None) -> Box:
        array = np.asarray(open_box(x))
        if dtype is None and not hasattr(x, "dtype"):
            dtype = {"f": "float32", "i": "int32"}.get(array.dtype.kind)
        return Box(array if dtype is None else array.astype(dtype))

    def to_numpy(self, x: Box) -> np.ndarray:
        return x.data.copy()

    def dtype_of(self, x: Box) -> str:
        return x.dtype.name
