"""Initializers without chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.initializers.base import Initializer, Shape


class Zeros(Initializer):
    """Zeros.

    >>> Zeros().draw((2,), "float32").tolist()
    [0.0, 0.0]
    """

    def draw(self, shape: Shape, dtype: str) -> np.ndarray:
        return np.zeros(shape, dtypes.numpy_dtype(dtype))


class Ones(Initializer):
    """Ones."""

    def draw(self, shape: Shape, dtype: str) -> np.ndarray:
        return np.ones(shape, dtypes.numpy_dtype(dtype))


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number, or an array that broadcasts to the shape.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def draw(self, shape: Shape, dtype: str) -> np.ndarray:
        return np.array(np.broadcast_to(np.asarray(self.value), shape), dtypes.numpy_dtype(dtype))


class Identity(Initializer):
    """`gain` on the diagonal of a matrix of zeros.

    Args:
        gain: the value on the diagonal.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: Shape, dtype: str) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices; got the shape {tuple(shape)}")
        return (self.gain * np.eye(shape[0], shape[1])).astype(dtypes.numpy_dtype(dtype))
