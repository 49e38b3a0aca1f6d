"""JAX's kernels of linear algebra.

JAX reports no failure: eagerly a kernel looks at what came out, under compilation it is NaN.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optree
from jax import lax

from kerata.backends.calls import Packed
from kerata.backends.matrices import check_mode, check_square, check_tangents, failure
from kerata.backends.scope import Scope
from kerata.backends.state import state


def cholesky(x: Any, upper: bool = False) -> Any:
    return jnp.linalg.cholesky(x, upper=upper)


def eigh(x: Any) -> Any:
    check_square(x)
    return tuple(jnp.linalg.eigh(x))


def eig(x: Any) -> Any:
    return tuple(jnp.linalg.eig(x))


def qr(x: Any, mode: str = "reduced") -> Any:
    check_mode(mode)
    rows, columns = x.shape[-2:]
    if rows >= columns:
        return tuple(jnp.linalg.qr(x, mode))
    q, r = jnp.linalg.qr(x[..., :rows])  # whose derivative JAX has
    return q, jnp.concatenate([r, q.mT.conj() @ x[..., rows:]], -1)


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    full = full_matrices and x.shape[-1] != x.shape[-2]  # JAX differentiates the reduced one
    found = jnp.linalg.svd(x, full, compute_uv)
    return tuple(found) if compute_uv else found


def solve(a: Any, b: Any) -> Any:
    return jnp.linalg.solve(a, b[:, None])[..., 0] if b.ndim == 1 else jnp.linalg.solve(a, b)


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    vectors = b.ndim < a.ndim
    b = b[..., None] if vectors else b
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = jnp.broadcast_to(a, (*batch, *a.shape[-2:]))
    b = jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    x = lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)
    return x[..., 0] if vectors else x


def lu_factor(x: Any) -> Any:
    lu, pivots, _ = lax.linalg.lu(x)
    return lu, pivots


def slogdet(x: Any) -> Any:
    return tuple(jnp.linalg.slogdet(x))


def pinv(x: Any, rcond: Any = None) -> Any:
    cutoff = max(x.shape[-2:]) * jnp.finfo(x.dtype).eps if rcond is None else rcond
    return jnp.linalg.pinv(x, cutoff)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    check_tangents(primals, tangents)
    packed = Packed(state.backend)

    def pure(*values: Any) -> Any:
        with Scope() as scope:
            result = fun(*values)
            value, aux = result if has_aux else (result, None)
            return optree.tree_map(jnp.asarray, value), packed.pack(aux, scope)

    value, tangent, arrays = jax.jvp(pure, tuple(primals), tuple(tangents), has_aux=True)
    aux = packed.unpack(arrays)
    return (value, tangent, aux) if has_aux else (value, tangent)


def _widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its narrow floats computed in float32 and cast back."""

    @functools.wraps(function)
    def kernel(x: Any, *args: Any, **kwargs: Any) -> Any:
        dtype = x.dtype
        if dtype.itemsize >= 4:
            return function(x, *args, **kwargs)
        wide = (a.astype(jnp.float32) if hasattr(a, "astype") else a for a in (x, *args))
        return optree.tree_map(
            lambda y: y.astype(dtype) if y.dtype == jnp.float32 else y, function(*wide, **kwargs)
        )

    return kernel


def _looking(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`; where finite numbers gave others, eagerly, its algorithm failed."""

    @functools.wraps(function)
    def kernel(x: Any, *args: Any, **kwargs: Any) -> Any:
        y = function(x, *args, **kwargs)
        if isinstance(y, jax.core.Tracer) or np.isfinite(y).all() or not np.isfinite(x).all():
            return y
        raise failure(name, x)

    return kernel


_OWN = (
    cholesky, eigh, eig, qr, svd, solve, solve_triangular, lu_factor, slogdet, pinv,
)  # fmt: skip
_ALL: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
_ALL |= {"inv": jnp.linalg.inv, "det": jnp.linalg.det}
KERNELS: dict[str, Callable[..., Any]] = {name: _widened(f) for name, f in _ALL.items()}
KERNELS |= {name: _looking(name, KERNELS[name]) for name in ("cholesky", "solve", "inv")}
KERNELS["jvp"] = jvp
