"""`ops.linalg`: norms, and factorizations and solutions of matrices.

Matrices are the last two axes, `(..., m, n)`; all other axes are a batch. Integers are computed in
`config.floatx()`, half precision in float32 and cast back. Factors are unique only up to the signs
(or phases) of their vectors, which are each engine's own.

Where an engine notices that a matrix is singular, not positive definite or has NaN, a `ValueError`
says so; otherwise, and in compiled functions on JAX, the result is NaN or infinite. Compiled
programs of TensorFlow raise an error of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes

from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple
from kerata.ops import creation, products
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, Tree, composite, primitive

__all__ = (
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "logdet", "lstsq",
    "lu_factor", "matrix_rank", "norm", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd",
)  # fmt: skip


# Factorizations


@primitive(promote="float")
def cholesky(x: Tensor, upper: bool = False) -> Tensor:
    """The lower triangular `L` with `L Lᴴ = x`, or with `upper` the upper triangular `Lᴴ`.

    Args:
        x: symmetric positive definite matrices `(..., n, n)`; the symmetric part is what counts.
        upper: whether to return the upper factor.

    Raises:
        ValueError: the matrices are not square, or one is not positive definite.

    >>> cholesky([[4.0, 2.0], [2.0, 5.0]]).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """


@primitive(promote="float")
def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    """The eigenvalues `(..., n)` of symmetric matrices, in ascending order, and the eigenvectors.

    The vectors are the columns of `(..., n, n)`. The symmetric part of `x` is what counts. The
    gradient is finite where the eigenvalues are distinct.

    Raises:
        ValueError: the matrices are not square.
    """


@primitive(promote="float")
def eig(x: Tensor) -> tuple[Tensor, Tensor]:
    """The eigenvalues `(..., n)` of square matrices, and the eigenvectors as columns `(..., n, n)`.

    Both are complex, complex64 for float32 and narrower floats; their order is the engine's.

    Raises:
        ValueError: the matrices are not square.
    """


@primitive(promote="float")
def qr(x: Tensor, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """`Q` with orthonormal columns and the upper triangular `R` with `Q R = x`.

    Args:
        x: matrices `(..., m, n)`.
        mode: "reduced" for `(..., m, k)` and `(..., k, n)`, where `k` is the lesser of `m` and `n`;
            "complete" for `(..., m, m)` and `(..., m, n)`.

    Raises:
        ValueError: `x` has fewer than two axes, or `mode` is another.
    """


@primitive(promote="float")
def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition `U diag(S) Vᴴ = x`.

    Args:
        x: matrices `(..., m, n)`.
        full_matrices: whether `U` and `Vᴴ` are square; otherwise they have `k` columns and rows,
            the lesser of `m` and `n`.
        compute_uv: whether to return `(U, S, Vᴴ)`, or `S` alone.

    Returns:
        `U`, the singular values `S` `(..., k)` in descending order, and `Vᴴ`.

    The gradient is finite where the values are distinct; that of oblong full matrices is not known
    to all engines.

    Raises:
        ValueError: `x` has fewer than two axes.
    """


@primitive(promote="float")
def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    """The factors of `P x = L U` in one matrix, and the row exchanges that make up `P`.

    `L` has ones on its diagonal, which are left out. Before step `i` row `i` was exchanged with row
    `pivots[..., i]`, as LAPACK counts, from 0; pivots are int32 `(..., min(m, n))`.

    Raises:
        ValueError: `x` has fewer than two axes.

    >>> lu, pivots = lu_factor([[1.0, 2.0], [4.0, 4.0]])
    >>> lu.tolist(), pivots.tolist()
    ([[4.0, 4.0], [0.25, 1.0]], [1, 1])
    """


# Solutions


@primitive(promote="float")
def solve(a: Tensor, b: Tensor) -> Tensor:
    """The `x` with `a x = b`.

    Args:
        a: square matrices `(..., n, n)`.
        b: a vector `(n,)`, or matrices `(..., n, k)`; the leading axes broadcast with those of `a`.

    Raises:
        ValueError: the shapes do not fit, or a matrix is singular.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """


@primitive(promote="float")
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    """The `x` with `a x = b`, of `a` only the upper (or `lower`) triangle being read.

    Args:
        a: square matrices `(..., n, n)`.
        b: `(..., n, k)`, or with fewer axes than `a` vectors `(..., n)`; leading axes broadcast.
        lower: which triangle.

    Raises:
        ValueError: the shapes do not fit.
    """


@composite(promote="float")
def inv(x: Tensor) -> Tensor:
    """The inverses of square matrices.

    Raises:
        ValueError: the matrices are not square, or one is singular.
    """
    _check_matrices("inv", "x", x, True)
    return solve(x, creation.eye(sh.shape(x)[-1], dtype=x.dtype))


@composite(promote="float")
def cholesky_inverse(x: Tensor, upper: bool = False) -> Tensor:
    """The inverse of `A`, given the factor that `cholesky(A, upper)` returned.

    Raises:
        ValueError: the matrices are not square.
    """
    _check_matrices("cholesky_inverse", "x", x, True)
    identity = sh.broadcast_to(creation.eye(sh.shape(x)[-1], dtype=x.dtype), sh.shape(x))
    factor = solve_triangular(x, identity, lower=not upper)
    other = sh.swapaxes(factor, -1, -2)
    return products.matmul(factor, other) if upper else products.matmul(other, factor)


@composite(promote="float")
def lstsq(a: Tensor, b: Tensor, rcond: float | None = None) -> Tensor:
    """The shortest `x` that makes the squares of `a x - b` least.

    Args:
        a: matrices `(..., m, n)` of any rank.
        b: `(..., m, k)`, or with fewer axes than `a` vectors `(..., m)`.
        rcond: singular values up to `rcond` times the largest count as 0; None for the dtype's
            spacing at 1 times the larger of `m` and `n`.

    Raises:
        ValueError: the shapes do not fit.
    """
    _check_matrices("lstsq", "a", a)
    vectors = len(sh.shape(b)) < len(sh.shape(a))
    right = sh.expand_dims(b, -1) if vectors else b
    _check_rows(a, b, sh.shape(right)[-2])
    left, values, across = svd(a, full_matrices=False)
    inverse = sh.expand_dims(_reciprocal(a, values, rcond), -1)
    found = products.matmul(
        _transposed(across), inverse * products.matmul(_transposed(left), right)
    )
    return sh.squeeze(found, -1) if vectors else found


@composite(promote="float")
def pinv(x: Tensor, rcond: float | None = None) -> Tensor:
    """The pseudo-inverses `(..., n, m)` of matrices `(..., m, n)` (Moore, 1920; Penrose, 1955).

    Singular values up to `rcond` times the largest count as 0; None for the dtype's spacing at 1
    times the larger of `m` and `n`.

    Raises:
        ValueError: `x` has fewer than two axes.
    """
    _check_matrices("pinv", "x", x)
    left, values, across = svd(x, full_matrices=False)
    inverse = sh.expand_dims(_reciprocal(x, values, rcond), -2)
    return products.matmul(_transposed(across) * inverse, _transposed(left))


# Numbers


@composite(promote="float")
def det(x: Tensor) -> Tensor:
    """The determinants `(...)` of square matrices `(..., n, n)`.

    Raises:
        ValueError: the matrices are not square.

    >>> det([[1.0, 2.0], [3.0, 4.0]]).item()
    -2.0
    """
    _check_matrices("det", "x", x, True)
    sign, diagonal = _pivoted(x)
    return sign * red.prod(diagonal, -1)


@composite(promote="float")
def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    """The sign of the determinant, and the logarithm of its absolute value (-inf for 0).

    Raises:
        ValueError: the matrices are not square.
    """
    _check_matrices("slogdet", "x", x, True)
    sign, diagonal = _pivoted(x)
    return sign * red.prod(ew.sign(diagonal), -1), red.sum(ew.log(ew.absolute(diagonal)), -1)


@composite(promote="float")
def logdet(x: Tensor) -> Tensor:
    """The logarithm of the absolute value of the determinant, -inf where that is 0.

    Raises:
        ValueError: the matrices are not square.
    """
    _check_matrices("logdet", "x", x, True)
    return slogdet(x)[1]


@composite(promote="float")
def matrix_rank(x: Tensor, tol: float | None = None) -> Tensor:
    """How many singular values exceed `tol`, as int32.

    None stands for the largest of them, times the larger of the two sizes, times the dtype's
    spacing at 1.

    Raises:
        ValueError: `x` has fewer than two axes.
    """
    _check_matrices("matrix_rank", "x", x)
    values = svd(x, compute_uv=False)
    cutoff = _cutoff(x, values, None) if tol is None else tol
    return red.sum(ew.cast(ew.greater(values, cutoff), "int32"), -1)


@composite(promote="float")
def norm(x: Tensor, ord: Any = None, axis: red.Axis = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors along one axis, or of matrices along two.

    Args:
        x: the tensor.
        ord: for vectors 2 (None), inf, -inf, 0 (how many are not 0) or any power; for matrices
            "fro" (None), "nuc" (the sum of the singular values), inf, -inf (the largest and the
            least sum of a row), 1, -1 (of a column), 2, -2 (the largest and the least singular
            value), all of absolute values.
        axis: one axis for vectors, a pair (rows, columns) for matrices; None for the 2-norm of all
            entries, or where `ord` is given, for the only one or two axes that there are.
        keepdims: whether to keep the axes with size 1.

    The gradient at 0 of the 2-norm, the Frobenius norm and of powers is 0.

    Raises:
        ValueError: `ord` is no norm of that many axes.
    """
    axes = axes_tuple(axis, len(sh.shape(x)))
    if ord is None and (axis is None or len(axes) < 2):
        return _euclidean(x, axes, keepdims)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(
        f"norm: axis must be one axis or a pair with ord={ord!r}; got {axis} for {_described(x)}"
    )


@primitive()
def jvp(fun: Callable[..., Any], primals: Tree, tangents: Tree, has_aux: bool = False) -> Any:
    """`fun(*primals)`, and its derivative in the direction of the `tangents`.

    Args:
        fun: takes the primals; returns any nesting of tensors, or with `has_aux` a pair of it and
            anything else. It may read and write variables.
        primals: a list or tuple of arguments.
        tangents: the same of directions, in the primals' shapes and dtypes.
        has_aux: see `fun`.

    Returns:
        `(value, tangent)`, or with `has_aux` `(value, tangent, aux)`.

    Raises:
        TypeError: the primals or tangents are no list or tuple.
        ValueError: their shapes differ.
        RuntimeError: the active backend does not differentiate (numpy, openvino).
    """


def _described(x: Tensor) -> str:
    return f"{tuple(sh.shape(x))} {dtypes.standardize_dtype(x.dtype)}"


def _check_matrices(name: str, argument: str, x: Tensor, square: bool = False) -> None:
    """Refuse what is no batch of (square) matrices, as far as its sizes are known."""
    sizes = sh.shape(x)
    if len(sizes) < 2:
        raise ValueError(
            f"{name}: {argument} must have two axes or more ({argument} {_described(x)})"
        )
    rows, columns = sizes[-2:]
    if square and isinstance(rows, int) and isinstance(columns, int) and rows != columns:
        raise ValueError(
            f"{name}: the last two axes of {argument} must be equal, and have {rows} and {columns} "
            f"entries ({argument} {_described(x)})"
        )


def _check_rows(a: Tensor, b: Tensor, given: Any) -> None:
    rows = sh.shape(a)[-2]
    if isinstance(rows, int) and isinstance(given, int) and rows != given:
        raise ValueError(
            f"lstsq: the second last axis of a has {rows} entries, the rows of b are {given} "
            f"(a {_described(a)}, b {_described(b)})"
        )


def _transposed(x: Tensor) -> Tensor:
    return sh.swapaxes(x, -1, -2)


def _cutoff(x: Tensor, values: Tensor, rcond: float | None) -> Tensor:
    """Up to where the singular `values` of `x` count as 0, `(..., 1)`."""
    dtype = dtypes.standardize_dtype(x.dtype)
    top = red.max(values, -1, keepdims=True, initial=0.0)
    if rcond is not None:
        return top * rcond
    wide = dtype if dtypes.size(dtype) >= 4 else "float32"
    size = ew.maximum(*sh.shape(x)[-2:])
    return top * ew.cast(size, dtype) * float(ml_dtypes.finfo(dtypes.numpy_dtype(wide)).eps)


def _reciprocal(x: Tensor, values: Tensor, rcond: float | None) -> Tensor:
    """`1 / values`, and 0 for those that count as 0."""
    kept = ew.greater(values, _cutoff(x, values, rcond))
    return ew.where(kept, 1.0 / ew.where(kept, values, 1.0), 0.0)


def _pivoted(x: Tensor) -> tuple[Tensor, Tensor]:
    """The sign of the row exchanges of an LU factorization, and the diagonal of `U`."""
    lu, pivots = lu_factor(x)
    moved = ew.not_equal(pivots, creation.arange(sh.shape(x)[-1]))
    count = red.sum(ew.cast(moved, "int32"), -1)
    return 1.0 - 2.0 * ew.cast(count % 2, x.dtype), products.einsum("...ii->...i", lu)


def _euclidean(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    total = red.sum(ew.square(ew.absolute(x)), axes, keepdims)
    zero = ew.equal(total, 0.0)
    return ew.where(zero, 0.0, ew.sqrt(ew.where(zero, 1.0, total)))


def _vector_norm(x: Tensor, ord: Any, axis: int, keepdims: bool) -> Tensor:
    size = ew.absolute(x)
    if ord == 2 or ord == "euclidean":
        return _euclidean(x, axis, keepdims)
    if ord == math.inf:
        return red.max(size, axis, keepdims)
    if ord == -math.inf:
        return red.min(size, axis, keepdims)
    if ord == 0:
        return red.sum(ew.cast(ew.not_equal(x, 0), size.dtype), axis, keepdims)
    if ord == 1:
        return red.sum(size, axis, keepdims)
    if not isinstance(ord, (int, float)):
        raise ValueError(f"norm: ord={ord!r} is no norm of vectors; use None, ±inf or a number")
    total = red.sum(ew.power(size, float(ord)), axis, keepdims)
    zero = ew.equal(total, 0.0)
    return ew.where(zero, 0.0, ew.power(ew.where(zero, 1.0, total), 1.0 / ord))


def _matrix_norm(x: Tensor, ord: Any, axes: tuple[int, int], keepdims: bool) -> Tensor:
    if ord is None or ord == "fro":
        return _euclidean(x, axes, keepdims)
    if ord in ("nuc", 2, -2):
        combine = {"nuc": red.sum, 2: red.max, -2: red.min}[ord]
        found = combine(svd(sh.moveaxis(x, axes, (-2, -1)), compute_uv=False), -1)
        return sh.expand_dims(found, sorted(axes)) if keepdims else found
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(
            f"norm: ord={ord!r} is no norm of matrices; use 'fro', 'nuc', ±1, ±2 or ±inf"
        )
    summed, rest = axes if abs(ord) == 1 else axes[::-1]
    totals = red.sum(ew.absolute(x), summed, True)
    found = (red.max if ord > 0 else red.min)(totals, rest, True)
    return found if keepdims else sh.squeeze(found, axes)
