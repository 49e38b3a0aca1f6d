"""Sparse arrays of SciPy and of the engines, at the border to dense tensors."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from kerata.backends.kinds import is_a


class Entries(NamedTuple):
    """What a sparse matrix holds: places `(n, 2)`, values `(n,)`, and its shape."""

    places: np.ndarray
    values: np.ndarray
    shape: tuple[int, ...]


class Sparse:
    """A sparse matrix of any library, as layers get it that compute with one.

    Attributes:
        matrix: the matrix.
    """

    __slots__ = ("__weakref__", "matrix")

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return tuple(int(s) for s in self.matrix.shape)

    @property
    def dtype(self) -> Any:
        """Its dtype, as its library gives it."""
        return self.matrix.dtype


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse array of SciPy, TensorFlow, JAX or torch; imports nothing."""
    scipy = sys.modules.get("scipy.sparse")
    if scipy is not None and scipy.issparse(x):
        return True
    if is_a(x, "tensorflow", "SparseTensor") or is_a(x, "jax.experimental.sparse", "BCOO"):
        return True
    return is_a(x, "torch", "Tensor") and "sparse" in str(x.layout)


def is_ragged(x: Any) -> bool:
    """Whether `x` is a ragged tensor of TensorFlow."""
    return is_a(x, "tensorflow", "RaggedTensor")


def densified(x: Any) -> Any:
    """A sparse array as a dense one of the same library; of TensorFlow also ragged tensors."""
    if is_a(x, "tensorflow", "SparseTensor"):
        return sys.modules["tensorflow"].sparse.to_dense(x)
    if is_ragged(x):
        return x.to_tensor()
    for name in ("toarray", "todense", "to_dense"):
        if hasattr(x, name):
            return getattr(x, name)()
    return x


def entries(x: Any) -> Entries:
    """What a sparse matrix of any library holds."""
    if is_a(x, "tensorflow", "SparseTensor"):
        return Entries(x.indices.numpy(), x.values.numpy(), tuple(x.shape))
    if is_a(x, "jax.experimental.sparse", "BCOO"):
        return Entries(np.asarray(x.indices), np.asarray(x.data), tuple(x.shape))
    if is_a(x, "torch", "Tensor"):
        x = x.to_sparse_coo().coalesce().cpu()
        return Entries(x.indices().numpy().T, x.values().numpy(), tuple(x.shape))
    x = x.tocoo()
    return Entries(np.stack(x.coords, 1), x.data, tuple(x.shape))
