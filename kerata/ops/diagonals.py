"""Operations on diagonals and triangles."""

from __future__ import annotations

import builtins
from typing import Any

from kerata import config
from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple
from kerata.ops.creation import arange, zeros
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.elementwise import cast, equal, less_equal, where
from kerata.ops.reduction import sum
from kerata.ops.shaping import concatenate, expand_dims, ravel, reshape, shape, transpose

__all__ = (
    "tri", "tril", "triu", "diag", "diagflat", "diagonal", "trace",
)  # fmt: skip


def _below(rows: Any, columns: Any, k: int) -> Tensor:
    """Which entries of a `(rows, columns)` matrix lie on or below the `k`-th diagonal."""
    return less_equal(expand_dims(arange(columns), 0), expand_dims(arange(rows), 1) + k)


@composite()
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """An `(N, M)` matrix with ones on and below the `k`-th diagonal, zeros above it."""
    return cast(_below(N, N if M is None else M, k), dtype or config.floatx())


def _sides(name: str, x: Tensor) -> tuple[Any, ...]:
    sizes = shape(x)
    if len(sizes) < 2:
        raise ValueError(f"{name}: x must have two axes or more; got the shape {sizes}")
    return sizes[-2:]


@composite()
def tril(x: Tensor, k: int = 0) -> Tensor:
    """The lower triangles of the matrices in `x`: zeros above the `k`-th diagonal.

    >>> tril([[1, 2], [3, 4]]).tolist()
    [[1, 0], [3, 4]]
    """
    rows, columns = _sides("tril", x)
    return where(_below(rows, columns, k), x, cast(0, x.dtype))


@composite()
def triu(x: Tensor, k: int = 0) -> Tensor:
    """The upper triangles of the matrices in `x`: zeros below the `k`-th diagonal."""
    rows, columns = _sides("triu", x)
    return where(_below(rows, columns, k - 1), cast(0, x.dtype), x)


@composite()
def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices that `axis1` and `axis2` span, along a new last axis.

    Args:
        x: two axes or more.
        offset: how far above (below, where negative) the main diagonal.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    >>> diagonal([[1, 2, 3], [4, 5, 6]], offset=1).tolist()
    [2, 6]
    """
    rank = len(shape(x))
    first, second = axes_tuple((axis1, axis2), rank)
    if first == second:
        raise ValueError(f"diagonal: axis1 and axis2 must differ; got {axis1} and {axis2}")
    kept = [a for a in builtins.range(rank) if a not in (first, second)]
    x = transpose(x, [*kept, first, second])
    x = x[..., builtins.max(-offset, 0) :, builtins.max(offset, 0) :]
    # Cut to a square without asking which side is longer: slices end where the axis does.
    x = x[..., : shape(x)[-1], :]
    x = x[..., : shape(x)[-2]]
    *outer, size, _ = shape(x)
    return reshape(x, [*outer, size * size])[..., :: size + 1]


@composite()
def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of each diagonal that `diagonal` gives, in the dtypes of `sum`."""
    return sum(diagonal(x, offset, axis1, axis2), -1)


@composite()
def diag(x: Tensor, k: int = 0) -> Tensor:
    """The `k`-th diagonal of a matrix, or a matrix of zeros with a vector on that diagonal.

    >>> diag([1, 2], k=1).tolist()
    [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
    """
    rank = len(shape(x))
    if rank not in (1, 2):
        raise ValueError(f"diag: x must have one axis or two; got the shape {shape(x)}")
    if rank == 2:
        return diagonal(x, k)
    gap = zeros((abs(k),), dtypes.standardize_dtype(x.dtype))
    row = concatenate([gap, x] if k > 0 else [x, gap])  # what stands in each column
    places = arange(shape(row)[0])
    on = equal(expand_dims(places, 0), expand_dims(places, 1) + k)
    return where(on, row, cast(0, x.dtype))


@composite()
def diagflat(x: Tensor, k: int = 0) -> Tensor:
    """A matrix of zeros with the elements of `x`, whatever its shape, on the `k`-th diagonal."""
    return diag(ravel(x), k)
