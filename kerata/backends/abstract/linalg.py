"""What factorizations, solvers and `jvp` give, and how much work they are.

Work is that of Golub & Van Loan, Matrix Computations (4th edition, 2013).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import optree

from kerata.backends import dtypes
from kerata.backends.abstract.kernels import counted, describe, leading
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.matrices import check_mode, check_tangents


def _sizes(name: str, argument: str, x: T, square: bool = False) -> tuple[Any, Any]:
    """The last two sizes of `x`."""
    if len(x.shape) < 2:
        raise ValueError(
            f"{name}: {argument} must have two axes or more ({argument} {describe(x)})"
        )
    rows, columns = x.shape[-2:]
    if square and rows != columns:
        raise ValueError(
            f"{name}: the last two axes of {argument} must be equal, and have {rows} and {columns} "
            f"entries ({argument} {describe(x)})"
        )
    return rows, columns


def _cholesky(x: T, upper: bool = False) -> T:
    _sizes("cholesky", "x", x, True)
    return x


def _eigh(x: T) -> tuple[T, T]:
    _sizes("eigh", "x", x, True)
    return T(x.shape[:-1], x.dtype), x


def _eig(x: T) -> tuple[T, T]:
    _sizes("eig", "x", x, True)
    kind = dtypes.promote(dtypes.promote(x.dtype, "complex"), "complex64")
    return T(x.shape[:-1], kind), T(x.shape, kind)


def _qr(x: T, mode: str = "reduced") -> tuple[T, T]:
    rows, columns = _sizes("qr", "x", x)
    check_mode(mode)
    inner = rows if mode == "complete" else min(rows, columns)
    batch = x.shape[:-2]
    return T((*batch, rows, inner), x.dtype), T((*batch, inner, columns), x.dtype)


def _svd(x: T, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    rows, columns = _sizes("svd", "x", x)
    batch, inner = x.shape[:-2], min(rows, columns)
    values = T((*batch, inner), x.dtype)
    if not compute_uv:
        return values
    left, right = (rows, columns) if full_matrices else (inner, inner)
    return T((*batch, rows, left), x.dtype), values, T((*batch, right, columns), x.dtype)


def _solution(name: str, a: T, b: T, vectors: bool) -> T:
    size, _ = _sizes(name, "a", a, True)
    if not b.shape:
        raise ValueError(f"{name}: b needs an axis (a {describe(a)}, b {describe(b)})")
    both = f"(a {describe(a)}, b {describe(b)})"
    shape = (*b.shape, 1) if vectors else b.shape
    if shape[-2] != size:
        which = "last" if vectors else "second last"
        raise ValueError(
            f"{name}: the last axis of a has {size} entries, the {which} of b has {shape[-2]} "
            f"{both}"
        )
    shape = (*leading(name, a.shape, shape, both), *shape[-2:])
    return T(shape[:-1] if vectors else shape, b.dtype)


def _solve(a: T, b: T) -> T:
    return _solution("solve", a, b, len(b.shape) == 1)


def _solve_triangular(a: T, b: T, lower: bool = False) -> T:
    return _solution("solve_triangular", a, b, len(b.shape) < len(a.shape))


def _lu_factor(x: T) -> tuple[T, T]:
    rows, columns = _sizes("lu_factor", "x", x)
    return x, T((*x.shape[:-2], min(rows, columns)), "int32")


def _jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    check_tangents(primals, tangents)
    result = fun(*primals)
    value, aux = result if has_aux else (result, None)
    tangent = optree.tree_map(lambda y: T(y.shape, y.dtype), value)
    return (value, tangent, aux) if has_aux else (value, tangent)


def _cubic(factor: float) -> Callable[..., int]:
    """The work of `factor · (longer side) · (shorter side)²` for each matrix `(..., m, n)`."""

    def work(out: Any, x: T, *_: Any, **__: Any) -> int:
        *batch, rows, columns = x.shape
        return round(factor * math.prod(batch) * rows * columns * min(rows, columns))

    return work


def _work_solve(out: T, a: T, b: T) -> int:
    size = a.shape[-1]
    return round(2 / 3 * math.prod(a.shape) * size) + 2 * math.prod(out.shape) * size


def _work_triangular(out: T, a: T, b: T, lower: bool = False) -> int:
    return math.prod(out.shape) * a.shape[-1]


_PLAIN: dict[str, Callable[..., Any]] = {
    "cholesky": _cholesky, "eigh": _eigh, "eig": _eig, "qr": _qr, "svd": _svd, "solve": _solve,
    "solve_triangular": _solve_triangular, "lu_factor": _lu_factor,
}  # fmt: skip
_WORK: dict[str, Callable[..., int]] = {
    "cholesky": _cubic(1 / 3), "eigh": _cubic(9), "eig": _cubic(25), "qr": _cubic(4),
    "svd": _cubic(22), "solve": _work_solve, "solve_triangular": _work_triangular,
    "lu_factor": _cubic(2 / 3),
}  # fmt: skip
KERNELS = {n: counted(n, k, _WORK[n]) for n, k in _PLAIN.items()} | {"jvp": _jvp}
