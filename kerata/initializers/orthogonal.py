"""The orthogonal initializer."""

from __future__ import annotations

import math

import numpy as np

from kerata.backends import dtypes
from kerata.core.seeds import SeedGenerator
from kerata.initializers import sampling
from kerata.initializers.base import Shape
from kerata.initializers.random import RandomInitializer


class Orthogonal(RandomInitializer):
    """A random matrix whose rows or columns, the fewer of them, are orthonormal, times `gain`.

    The leading axes of a shape of more than two count as one (Saxe et al., 2014).

    Args:
        gain: multiplies the matrix.
        seed: see `RandomInitializer`.
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def sample(self, shape: Shape, dtype: str, seed: int) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs two axes or more; got the shape {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        kind = "float64" if dtype == "float64" else "float32"
        matrix = sampling.draw(tall, kind, seed, sampling.normal(0.0, 1.0))
        q, r = np.linalg.qr(matrix)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # makes the draw uniform over such matrices
        values = self.gain * (q.T if rows < columns else q)
        return values.reshape(shape).astype(dtypes.numpy_dtype(dtype))
