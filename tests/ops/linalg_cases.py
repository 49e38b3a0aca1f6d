"""Factorizations, solutions and norms of matrices; Jacobians' products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
from scipy import linalg

from kerata import ops
from tests.ops.case import Case

_draw = np.random.default_rng(11)
SQUARES = (_draw.standard_normal((2, 3, 3)) + 3 * np.eye(3)).astype("float32")
POSITIVE = (SQUARES @ SQUARES.transpose(0, 2, 1) / 4).astype("float32")
WIDE = _draw.standard_normal((2, 3, 5)).astype("float32")
TALL = WIDE.transpose(0, 2, 1).copy()
VECTOR = _draw.standard_normal(3).astype("float32")
FIVES = _draw.standard_normal((2, 5)).astype("float32")
INTS = np.array([[4, 1, 0], [1, 3, 1], [0, 1, 2]], "int32")
HALF = INTS.astype("float16")
BRAIN = INTS.astype(ml_dtypes.bfloat16)
SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 1.0, 1.0]], "float32")
NO_BATCH = np.zeros((0, 3, 3), "float32")
NO_ROWS = np.zeros((2, 0, 0), "float32")
FLAT: dict[str, Any] = {"opens": False}
ROUNDED: dict[str, Any] = {"opens": False, "grad": False}


def table() -> list[Case]:
    """The cases."""
    return [*_factorizations(), *_solutions(), *_numbers(), *_norms(), *_pushforwards()]


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of single matrices for a batch, its results stacked."""

    def reference(*args: Any, **kwargs: Any) -> Any:
        if args[0].ndim == 2:
            return function(*args, **kwargs)
        rows = [function(*row, **kwargs) for row in zip(*args, strict=True)]
        if isinstance(rows[0], tuple):
            return tuple(np.stack(parts) for parts in zip(*rows, strict=True))
        return np.stack(rows)

    return reference


def _hermitian(x: np.ndarray) -> np.ndarray:
    return (x + np.swapaxes(x, -1, -2)) / 2


def _cholesky(x: np.ndarray, upper: bool = False) -> np.ndarray:
    factor = np.linalg.cholesky(_hermitian(x))
    return np.swapaxes(factor, -1, -2) if upper else factor


def _cholesky_inverse(x: np.ndarray, upper: bool = False) -> np.ndarray:
    factor = np.triu(x) if upper else np.tril(x)
    other = np.swapaxes(factor, -1, -2)
    return np.linalg.inv(other @ factor if upper else factor @ other)


def _product(q: Any, r: Any) -> Any:
    """What a QR factorization says of its matrix, and that its columns are orthonormal."""
    return ops.matmul(q, r), ops.matmul(ops.swapaxes(q, -1, -2), q), ops.absolute(r)


def _whole(u: Any, s: Any, vh: Any) -> Any:
    """The matrix of singular values and vectors, and the vectors' products."""
    k = s.shape[-1]
    back = ops.matmul(u[..., :k] * s[..., None, :], vh[..., :k, :])
    return (
        back, s, ops.matmul(ops.swapaxes(u, -1, -2), u),
        ops.matmul(vh, ops.swapaxes(vh, -1, -2)),
    )  # fmt: skip


def _spanned(w: Any, v: Any) -> Any:
    """A function of a symmetric matrix by its eigenvalues and vectors, and the values."""
    return ops.matmul(v * ops.exp(w)[..., None, :], ops.swapaxes(v, -1, -2)), w


def _complex_whole(w: Any, v: Any) -> Any:
    """The matrix of complex eigenvalues and vectors, and the vectors' lengths."""
    turned = ops.swapaxes(v, -1, -2)
    back = ops.solve(turned, w[..., None] * turned)
    parts = ops.stack([ops.real(back), ops.imag(back)])
    return parts, ops.sum(ops.square(ops.absolute(v)), -2)


def _eig(x: np.ndarray) -> Any:
    return tuple(y.astype(complex) for y in np.linalg.eig(x))


def _factorizations() -> list[Case]:
    turning = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 2]], "int32")
    full, thin = {"full_matrices": True}, {"full_matrices": False}
    return [
        Case("cholesky", (POSITIVE,), _cholesky),
        Case("cholesky", (POSITIVE[0], True), _cholesky, **FLAT),
        Case("cholesky", (INTS,), _cholesky, dtype="float32", **FLAT),
        Case("cholesky", (HALF,), _cholesky, **ROUNDED),
        Case("cholesky", (NO_BATCH,), _cholesky, **FLAT),
        Case("cholesky_inverse", (POSITIVE,), _cholesky_inverse, note="reads-one-triangle"),
        Case("cholesky_inverse", (POSITIVE[0], True), _cholesky_inverse, **FLAT),
        Case("cholesky_inverse", (BRAIN,), _cholesky_inverse, **ROUNDED),
        Case("eigh", (POSITIVE,), lambda x: tuple(np.linalg.eigh(_hermitian(x))), up_to=_spanned),
        Case("eigh", (INTS,), lambda x: tuple(np.linalg.eigh(x)), up_to=_spanned, dtype="float32",
             **FLAT),
        Case("eigh", (HALF,), lambda x: tuple(np.linalg.eigh(x)), up_to=_spanned, tolerance=1e-2,
             **ROUNDED),
        Case("eig", (SQUARES,), _eig, up_to=_complex_whole, dtype="complex64", grad=False,
             tolerance=4e-6),
        Case("eig", (turning,), _eig, up_to=_complex_whole, dtype="complex64", **ROUNDED),
        Case("qr", (TALL,), lambda x: tuple(np.linalg.qr(x)), up_to=_product),
        Case("qr", (WIDE,), lambda x: tuple(np.linalg.qr(x)), up_to=_product),
        Case("qr", (SQUARES[0], "complete"), lambda x, m: tuple(np.linalg.qr(x, m)),
             up_to=_product, **FLAT),
        Case("qr", (TALL, "complete"), lambda x, m: tuple(np.linalg.qr(x, m)), up_to=_product,
             grad=False),
        Case("qr", (HALF,), lambda x: tuple(np.linalg.qr(x)), up_to=_product, tolerance=1e-2,
             **ROUNDED),
        Case("svd", (WIDE,), lambda x, **o: tuple(np.linalg.svd(x, **o)), full, up_to=_whole,
             grad=False),
        Case("svd", (TALL,), lambda x, **o: tuple(np.linalg.svd(x, **o)), thin, up_to=_whole),
        Case("svd", (SQUARES[0],), lambda x: tuple(np.linalg.svd(x)), up_to=_whole, **FLAT),
        Case("svd", (WIDE, True, False), np.linalg.svd),
        Case("svd", (INTS, True, False), np.linalg.svd, dtype="float32", **FLAT),
        Case("svd", (HALF, True, False), np.linalg.svd, **ROUNDED),
        Case("lu_factor", (SQUARES[:, ::-1].copy(),), each(linalg.lu_factor),
             dtype=("float32", "int32")),
        Case("lu_factor", (WIDE,), each(linalg.lu_factor), dtype=("float32", "int32"), grad=False),
        Case("lu_factor", (TALL,), each(linalg.lu_factor), dtype=("float32", "int32"), grad=False),
        Case("lu_factor", (HALF,), linalg.lu_factor, dtype=("float16", "int32"), **ROUNDED),
    ]  # fmt: skip


def _lstsq(a: np.ndarray, b: np.ndarray, rcond: float | None = None) -> np.ndarray:
    return np.linalg.lstsq(a, b, rcond=rcond)[0]


def _triangular(a: np.ndarray, b: np.ndarray, lower: bool = False) -> np.ndarray:
    part = np.tril(a) if lower else np.triu(a)
    return (
        np.linalg.solve(part, b[..., None])[..., 0] if b.ndim < a.ndim else np.linalg.solve(part, b)
    )


def _solutions() -> list[Case]:
    return [
        Case("solve", (SQUARES, WIDE), np.linalg.solve),
        Case("solve", (SQUARES, VECTOR), np.linalg.solve),
        Case("solve", (SQUARES[0], WIDE), np.linalg.solve, opens=(1,)),
        Case("solve", (SQUARES, WIDE[0]), np.linalg.solve, opens=(0,)),
        Case("solve", (INTS, INTS[0]), np.linalg.solve, dtype="float32", **FLAT),
        Case("solve", (HALF, HALF), np.linalg.solve, tolerance=2e-3, **ROUNDED),
        Case("solve_triangular", (SQUARES, WIDE), _triangular),
        Case("solve_triangular", (SQUARES, WIDE, True), _triangular),
        Case("solve_triangular", (SQUARES, SQUARES[:, 0].copy()), _triangular, note="vectors"),
        Case("solve_triangular", (SQUARES[0], WIDE), _triangular, opens=(1,)),
        Case("solve_triangular", (BRAIN, BRAIN), _triangular, **ROUNDED),
        Case("inv", (SQUARES,), np.linalg.inv),
        Case("inv", (INTS,), np.linalg.inv, dtype="float32", **FLAT),
        Case("inv", (HALF,), np.linalg.inv, **ROUNDED),
        Case("inv", (NO_ROWS,), np.linalg.inv, **FLAT),
        Case("pinv", (WIDE,), np.linalg.pinv, tolerance=2e-6),
        Case("pinv", (TALL, 0.5), np.linalg.pinv, grad=False),
        Case("pinv", (SINGULAR,), np.linalg.pinv, tolerance=1e-5, **ROUNDED),
        Case("pinv", (HALF,), np.linalg.pinv, **ROUNDED),
        Case("lstsq", (TALL, FIVES), each(_lstsq), tolerance=2e-6),
        Case("lstsq", (WIDE, SQUARES), each(_lstsq), tolerance=2e-6),
        Case("lstsq", (SINGULAR, VECTOR), _lstsq, tolerance=1e-5, **ROUNDED),
        Case("lstsq", (INTS, INTS, 0.5), _lstsq, dtype="float32", **FLAT),
    ]  # fmt: skip


def _logdet(x: np.ndarray) -> Any:
    return np.linalg.slogdet(x)[1]


def _rank(x: np.ndarray, tol: float | None = None) -> Any:
    return np.linalg.matrix_rank(x, tol)


def _numbers() -> list[Case]:
    both = {"dtype": ("float32", "float32"), "stopped": (0,)}
    cases = [
        Case("matrix_rank", (WIDE,), _rank, dtype="int32"),
        Case("matrix_rank", (SINGULAR,), _rank, dtype="int32", **FLAT),
        Case("matrix_rank", (INTS, 2.0), _rank, dtype="int32", **FLAT),
        Case("slogdet", (SQUARES,), lambda x: tuple(np.linalg.slogdet(x)), **both),
        Case("slogdet", (-SQUARES[0],), lambda x: tuple(np.linalg.slogdet(x)), **both, **FLAT),
        Case("slogdet", (np.ones((2, 2), "float32"),), lambda x: tuple(np.linalg.slogdet(x)),
             dtype=("float32", "float32"), note="singular", **ROUNDED),
    ]  # fmt: skip
    for name, reference in (("det", np.linalg.det), ("logdet", _logdet)):
        cases += [
            Case(name, (SQUARES,), reference),
            Case(name, (INTS,), reference, dtype="float32", **FLAT),
            Case(name, (BRAIN,), reference, **ROUNDED),
            Case(name, (NO_ROWS,), reference, **FLAT),
        ]
    return cases


def _norms() -> list[Case]:
    orders = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    cases = [Case("norm", (WIDE,), np.linalg.norm, {"ord": o, "axis": (1, 2)}) for o in orders]
    return [
        *cases,
        Case("norm", (WIDE, "nuc", (2, 0), True), np.linalg.norm),
        Case("norm", (WIDE, np.inf, (-1, 0), True), np.linalg.norm),
        Case("norm", (INTS, 1), np.linalg.norm, dtype="float32", **FLAT),
        Case("norm", (VECTOR, -2), np.linalg.norm, **FLAT),
        Case("norm", (np.zeros((2, 3), "float32"), 3, 1), lambda x, p, a: np.abs(x).sum(a),
             grad=False, note="zero-power"),
        Case("norm", (np.array(-3.0, "float32"),), np.linalg.norm, note="scalar"),
        Case("norm", (np.zeros((2, 3), "float32"), "fro"), lambda x, _: np.abs(x).sum(),
             grad=False, note="zero-matrix"),
    ]  # fmt: skip


def _square(x: Any) -> Any:
    return ops.square(x)


def _pair(x: Any, y: Any) -> Any:
    return {"a": ops.matmul(x, y), "b": [ops.sum(x)]}, y


def _moved_pair(_: Any, primals: Any, tangents: Any, has_aux: bool) -> tuple[Any, Any, Any]:
    (x, y), (p, q) = primals, tangents
    return {"a": x @ y, "b": [x.sum()]}, {"a": p @ y + x @ q, "b": [p.sum()]}, y


def _pushforwards() -> list[Case]:
    return [
        Case("jvp", (_square, [VECTOR], [VECTOR + 1]), lambda f, x, t: (x[0] ** 2, 2 * x[0] * t[0])),
        Case("jvp", (_pair, (SQUARES, WIDE), (SQUARES + 1, WIDE - 1), True), _moved_pair),
    ]  # fmt: skip
