"""NumPy's kernels of linear algebra; LAPACK does the work where NumPy reaches it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from kerata.backends.matrices import check_mode, check_square, telling
from kerata.backends.state import state


def _hermitian(x: np.ndarray) -> np.ndarray:
    check_square(x)
    return (x + np.swapaxes(x, -1, -2).conj()) / x.dtype.type(2)


def cholesky(x: np.ndarray, upper: bool = False) -> np.ndarray:
    factor = np.linalg.cholesky(_hermitian(x))
    return np.swapaxes(factor, -1, -2).conj() if upper else factor


def eigh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(_hermitian(x))
    return values, vectors


def eig(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kind = np.result_type(x.dtype, np.complex64)
    values, vectors = np.linalg.eig(x)
    return values.astype(kind), vectors.astype(kind)


def qr(x: np.ndarray, mode: str = "reduced") -> tuple[np.ndarray, np.ndarray]:
    check_mode(mode)
    q, r = np.linalg.qr(x, mode)  # type: ignore[call-overload]
    return q, r


def svd(x: np.ndarray, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    found = np.linalg.svd(x, full_matrices, compute_uv)  # type: ignore[call-overload]
    return tuple(found) if compute_uv else found


def solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.solve(a, b[:, None])[..., 0] if b.ndim == 1 else np.linalg.solve(a, b)


def solve_triangular(a: np.ndarray, b: np.ndarray, lower: bool = False) -> np.ndarray:
    """By substitution, one row of the result at a time."""
    vectors = b.ndim < a.ndim
    b = b[..., None] if vectors else b
    count = a.shape[-1]
    check_square(a)
    if b.shape[-2] != count:
        raise ValueError(f"{count} unknowns and {b.shape[-2]} equations")
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.array(np.broadcast_to(b, (*batch, *b.shape[-2:])))
    for i in range(count) if lower else reversed(range(count)):
        known = slice(0, i) if lower else slice(i + 1, count)
        x[..., i, :] -= (a[..., i, None, known] @ x[..., known, :])[..., 0, :]
        x[..., i, :] /= a[..., i, i, None]
    return x[..., 0] if vectors else x


def lu_factor(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By elimination with partial pivoting, all matrices of the batch at once."""
    lu = np.array(x)
    rows, columns = lu.shape[-2:]
    count = min(rows, columns)
    pivots = np.zeros((*lu.shape[:-2], count), np.int32)
    for k in range(count):
        best = k + np.argmax(np.abs(lu[..., k:, k]), -1)
        pivots[..., k] = best
        order = np.broadcast_to(np.arange(rows), (*best.shape, rows)).copy()
        order[..., k] = best
        np.put_along_axis(order, best[..., None], k, -1)
        lu = np.take_along_axis(lu, order[..., None], -2)
        top = lu[..., k, k, None]
        lu[..., k + 1 :, k] /= np.where(top == 0, 1, top)
        lu[..., k + 1 :, k + 1 :] -= lu[..., k + 1 :, k, None] * lu[..., k, None, k + 1 :]
    return lu, pivots


def slogdet(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sign, size = np.linalg.slogdet(x)
    return np.asarray(sign, x.dtype), np.asarray(size, x.dtype)


def det(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.det(x), x.dtype)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    return state.backend.value_and_grad(fun, None, 0)


def widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its narrow floats computed in float32 and cast back, and nothing warned of."""

    @functools.wraps(function)
    def kernel(x: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        dtype = x.dtype
        with np.errstate(all="ignore"):
            if dtype.itemsize >= 4:
                return function(x, *args, **kwargs)
            wide = (a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in (x, *args))
            return optree.tree_map(
                lambda y: y.astype(dtype) if y.dtype == np.float32 else y,
                function(*wide, **kwargs),
            )

    return kernel


_OWN = (cholesky, eigh, eig, qr, svd, solve, solve_triangular, lu_factor, slogdet, det)
_TELLING: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN} | {"inv": np.linalg.inv}
KERNELS: dict[str, Callable[..., Any]] = {
    name: telling(name, widened(f), np.linalg.LinAlgError) for name, f in _TELLING.items()
}
KERNELS["jvp"] = jvp
