"""TensorFlow's kernels of linear algebra."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import optree
import tensorflow as tf

from kerata.backends.matrices import check_mode, check_square, check_tangents, telling
from kerata.backends.scope import Scope
from kerata.backends.tensorflow.kernels import HALF, as_dtype, ints, raw, shape_of

# What XLA has no kernels for: programs with these are not compiled by it.
NOT_IN_XLA = frozenset({"Eig", "Lu", "MatrixDeterminant", "LogMatrixDeterminant", "BlockLSTM"})


def _hermitian(x: Any) -> Any:
    check_square(x)
    return (x + tf.linalg.adjoint(x)) / 2


def cholesky(x: Any, upper: bool = False) -> Any:
    factor = tf.linalg.band_part(raw.Cholesky(input=_hermitian(x)), -1, 0)
    failed = tf.reduce_any(tf.math.is_nan(tf.math.real(tf.linalg.diag_part(factor))), -1)
    if tf.executing_eagerly():
        if failed.numpy().any():
            raise tf.errors.InvalidArgumentError(None, None, "not positive definite")
    else:
        factor = tf.where(failed[..., None, None], tf.cast(float("nan"), x.dtype), factor)
    return tf.linalg.adjoint(factor) if upper else factor


def eigh(x: Any) -> Any:
    return tf.linalg.eigh(_hermitian(x))


def eig(x: Any) -> Any:
    return tf.linalg.eig(x)


def qr(x: Any, mode: str = "reduced") -> Any:
    check_mode(mode)
    rows, columns = x.shape[-2:]
    if rows is None or columns is None or rows >= columns:
        return tuple(raw.Qr(input=x, full_matrices=mode == "complete"))
    q, r = raw.Qr(input=x[..., :rows])
    return q, tf.concat([r, tf.matmul(q, x[..., rows:], adjoint_a=True)], -1)


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return tf.linalg.svd(x, compute_uv=False)
    full = full_matrices and x.shape[-1] != x.shape[-2]
    values, left, right = tf.linalg.svd(x, full)
    return left, values, tf.linalg.adjoint(right)


def _shared_batch(a: Any, b: Any) -> tuple[Any, Any]:
    """Both with the same leading axes, which TensorFlow's solvers want."""
    if a.shape[:-2].is_fully_defined() and a.shape[:-2] == b.shape[:-2]:
        return a, b
    first, second = shape_of(a), shape_of(b)
    batch = tf.broadcast_dynamic_shape(ints(first[:-2]), ints(second[:-2]))
    wide = (tf.broadcast_to(x, tf.concat([batch, ints(s[-2:])], 0))
            for x, s in ((a, first), (b, second)))  # fmt: skip
    return next(wide), next(wide)


def solve(a: Any, b: Any) -> Any:
    if b.shape.rank == 1:
        return solve(a, b[:, None])[..., 0]
    a, b = _shared_batch(a, b)
    return raw.MatrixSolve(matrix=a, rhs=b)


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    if b.shape.rank < a.shape.rank:
        return solve_triangular(a, b[..., None], lower)[..., 0]
    a, b = _shared_batch(a, b)
    return raw.MatrixTriangularSolve(matrix=a, rhs=b, lower=lower)


def lu_factor(x: Any) -> Any:
    """By elimination: TensorFlow's own refuses singular and oblong matrices."""
    *batch, rows, columns = shape_of(x)
    count = tf.minimum(rows, columns)
    down, across = tf.range(rows), tf.range(columns)

    def step(k: Any, lu: Any, pivots: Any) -> Any:
        column = tf.gather(lu, k, axis=-1)
        best = tf.argmax(tf.where(down >= k, tf.abs(column), -1), -1, tf.int32)[..., None]
        order = tf.where(down == k, best, tf.where(down == best, k, down))
        lu = tf.gather(lu, order, axis=-2, batch_dims=len(batch))
        top, column = tf.gather(lu, k, axis=-2), tf.gather(lu, k, axis=-1)
        pivot = tf.gather(top, k, axis=-1)[..., None]
        pivot = tf.where(pivot == 0, tf.ones_like(pivot), pivot)
        factors = tf.where(down > k, column / pivot, 0)[..., None]
        rest = lu - factors * tf.where(across > k, top, 0)[..., None, :]
        lu = tf.where((down[:, None] > k) & (across == k), factors, rest)
        return k + 1, lu, tf.where(tf.range(count) == k, best, pivots)

    start = tf.zeros([*batch, count], tf.int32)
    loop = (tf.constant(0), x, start)
    _, lu, pivots = tf.while_loop(
        lambda k, *_: k < count, step, loop, maximum_iterations=count,
        shape_invariants=(tf.TensorShape(()), x.shape, tf.TensorShape(start.shape)),
    )  # fmt: skip
    return lu, pivots


def slogdet(x: Any) -> Any:
    return tuple(raw.LogMatrixDeterminant(input=x))


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """`d/dv (vᵀ J) · tangents`, which is linear in `v` (J. Townsend, 2017).

    `ForwardAccumulator` does the same for each operation, but loses what the tangents themselves
    depend on where one stands inside of another.
    """
    check_tangents(primals, tangents)
    leaves, tree = optree.tree_flatten(tuple(primals))
    xs = [tf.identity(x) for x in leaves]
    pairs = zip(xs, optree.tree_leaves(tuple(tangents)), strict=True)
    sources, moves = zip(*((x, t) for x, t in pairs if x.dtype.is_floating), strict=True)
    with tf.GradientTape() as outer:
        with tf.GradientTape(watch_accessed_variables=False) as inner, Scope() as scope:
            inner.watch(sources)
            result = fun(*optree.tree_unflatten(tree, xs))
            value, aux = result if has_aux else (result, None)
            ys, form = optree.tree_flatten(optree.tree_map(tf.convert_to_tensor, value))
        rows = [tf.zeros_like(y) for y in ys]
        outer.watch(rows)
        columns = inner.gradient(ys, sources, rows, "zero")
    moved = outer.gradient(columns, rows, moves, "zero")
    for variable, new in scope.writes():
        variable.assign(new)
    value, tangent = (optree.tree_unflatten(form, found) for found in (ys, moved))
    return (value, tangent, aux) if has_aux else (value, tangent)


def _widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its narrow floats computed in float32 and cast back."""

    @functools.wraps(function)
    def kernel(x: Any, *args: Any, **kwargs: Any) -> Any:
        dtype = x.dtype
        if dtype not in HALF:
            return function(x, *args, **kwargs)
        wide = (as_dtype(a, tf.float32) if isinstance(a, tf.Tensor) else a for a in (x, *args))
        return optree.tree_map(
            lambda y: as_dtype(y, dtype) if y.dtype == tf.float32 else y, function(*wide, **kwargs)
        )

    return kernel


_OWN = (cholesky, eigh, eig, qr, svd, solve, solve_triangular, lu_factor, slogdet)
_ALL: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
_ALL |= {
    "inv": lambda x: raw.MatrixInverse(input=x), "det": lambda x: raw.MatrixDeterminant(input=x),
}  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {
    name: telling(name, _widened(f), tf.errors.InvalidArgumentError) for name, f in _ALL.items()
}
KERNELS["jvp"] = jvp
