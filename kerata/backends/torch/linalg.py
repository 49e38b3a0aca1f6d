"""PyTorch's kernels of linear algebra: LAPACK on the processor, MAGMA and cuSOLVER on a GPU."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import optree
import torch
from torch import Tensor
from torch.autograd import forward_ad

from kerata.backends.calls import Packed
from kerata.backends.matrices import check_mode, check_square, check_tangents, telling
from kerata.backends.scope import Scope
from kerata.backends.state import body_of, state
from kerata.backends.torch.kernels import FLOATS, as_tensor


def _hermitian(x: Tensor) -> Tensor:
    check_square(x)
    return (x + x.mH) / 2


def cholesky(x: Tensor, upper: bool = False) -> Tensor:
    return torch.linalg.cholesky(_hermitian(x), upper=upper)


def eigh(x: Tensor) -> Any:
    return tuple(torch.linalg.eigh(_hermitian(x)))


def eig(x: Tensor) -> Any:
    return tuple(torch.linalg.eig(x))


def qr(x: Tensor, mode: str = "reduced") -> Any:
    check_mode(mode)
    rows, columns = x.shape[-2:]
    if rows >= columns:
        return tuple(torch.linalg.qr(x, mode))
    q, r = torch.linalg.qr(x[..., :rows])  # whose derivative torch has in either mode
    return q, torch.cat([r, q.mH @ x[..., rows:]], -1)


def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return torch.linalg.svdvals(x)
    full = full_matrices and x.shape[-1] != x.shape[-2]  # torch differentiates the reduced one
    return tuple(torch.linalg.svd(x, full))


def solve(a: Tensor, b: Tensor) -> Tensor:
    if b.ndim == 1:
        return torch.linalg.solve(a, b.unsqueeze(-1)).squeeze(-1)
    if b.ndim == a.ndim - 1:  # which torch might take for vectors
        b = b.unsqueeze(0)
    return torch.linalg.solve(a, b)


def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    if b.ndim < a.ndim:
        return torch.linalg.solve_triangular(a, b.unsqueeze(-1), upper=not lower).squeeze(-1)
    return torch.linalg.solve_triangular(a, b, upper=not lower)


def lu_factor(x: Tensor) -> Any:
    lu, pivots, _ = torch.linalg.lu_factor_ex(x)
    return lu, pivots - 1


def slogdet(x: Tensor) -> Any:
    return tuple(torch.linalg.slogdet(x))


def pinv(x: Tensor, rcond: Any = None) -> Tensor:
    cutoff = max(x.shape[-2:]) * torch.finfo(x.dtype).eps if rcond is None else rcond
    return torch.linalg.pinv(x, atol=0.0, rtol=cutoff)


def cdist(x: Tensor, y: Tensor) -> Tensor:
    if state.differentiating > 1:  # its gradient can't be differentiated again
        found: Tensor = body_of("cdist")(x, y)
        return found
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its narrow floats computed in float32 and cast back."""

    @functools.wraps(function)
    def kernel(x: Tensor, *args: Any, **kwargs: Any) -> Any:
        dtype = x.dtype
        if dtype.itemsize >= 4:
            return function(x, *args, **kwargs)
        wide = (a.float() if isinstance(a, Tensor) else a for a in (x, *args))
        return optree.tree_map(
            lambda y: y.to(dtype) if y.dtype is torch.float32 else y, function(*wide, **kwargs)
        )

    return kernel


# Products of Jacobians


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    check_tangents(primals, tangents)
    xs, tree = optree.tree_flatten(tuple(primals))
    packed, trees = Packed(state.backend), []

    def pure(*leaves: Tensor) -> Any:
        with Scope() as scope:
            result = fun(*optree.tree_unflatten(tree, leaves))
            value, aux = result if has_aux else (result, None)
            ys, found = optree.tree_flatten(value)
            trees.append(found)
            return tuple(as_tensor(y) for y in ys), packed.pack(aux, scope)

    ys, moved, arrays = _moved(pure, xs, optree.tree_leaves(tuple(tangents)))
    value, tangent = (optree.tree_unflatten(trees[-1], leaves) for leaves in (ys, moved))
    aux = packed.unpack(arrays)
    return (value, tangent, aux) if has_aux else (value, tangent)


def _moved(pure: Callable[..., Any], xs: Sequence[Tensor], tangents: Sequence[Tensor]) -> Any:
    """By forward differentiation; twice backward inside of another, or where a rule is lacking."""
    state.differentiating += 2  # fused kernels can't be differentiated again
    try:
        try:
            return _forward(pure, xs, tangents)
        except RuntimeError as error:
            if not isinstance(error, NotImplementedError) and "Nested" not in str(error):
                raise
            return _twice_backward(pure, xs, tangents)
    finally:
        state.differentiating -= 2


def _forward(pure: Callable[..., Any], xs: Sequence[Tensor], tangents: Sequence[Tensor]) -> Any:
    with forward_ad.dual_level():
        duals = (
            forward_ad.make_dual(x, t) if x.dtype in FLOATS else x
            for x, t in zip(xs, tangents, strict=True)
        )
        ys, arrays = pure(*duals)
        parts = [forward_ad.unpack_dual(y) for y in ys]
        moved = [torch.zeros_like(y) if t is None else t for y, t in parts]
        return [y for y, _ in parts], moved, [forward_ad.unpack_dual(a).primal for a in arrays]


def _twice_backward(
    pure: Callable[..., Any], xs: Sequence[Tensor], tangents: Sequence[Tensor]
) -> Any:
    """`d/dv (vᵀ J) · tangents`, which is linear in `v` (J. Townsend, 2017)."""
    outer = any(x.requires_grad or forward_ad.unpack_dual(x).tangent is not None
                for x in (*xs, *tangents))  # fmt: skip
    with torch.enable_grad():
        leaves = [x.view_as(x) for x in xs]
        leaves = [x if x.requires_grad else x.requires_grad_(x.dtype in FLOATS) for x in leaves]
        ys, arrays = pure(*leaves)
        live = [y for y in ys if y.requires_grad]
        if not live:
            return ys, [torch.zeros_like(y) for y in ys], arrays
        vs = [torch.zeros_like(y, requires_grad=True) for y in live]
        moving = [(x, t) for x, t in zip(leaves, tangents, strict=True) if x.requires_grad]
        sources, moves = [x for x, _ in moving], [t for _, t in moving]
        columns = torch.autograd.grad(live, sources, vs, create_graph=True, materialize_grads=True)
        pairs = [(c, t) for c, t in zip(columns, moves, strict=True) if c.requires_grad]
        found = iter(
            torch.autograd.grad(
                [c for c, _ in pairs], vs, [t for _, t in pairs], create_graph=outer,
                materialize_grads=True,
            )
        )  # fmt: skip
    moved = [next(found) if y.requires_grad else torch.zeros_like(y) for y in ys]
    if outer:
        return ys, moved, arrays
    return [y.detach() for y in ys], moved, [a.detach() for a in arrays]


_OWN = (
    cholesky, eigh, eig, qr, svd, solve, solve_triangular, lu_factor, slogdet, pinv, cdist,
)  # fmt: skip
_ALL: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
_ALL |= {"inv": torch.linalg.inv, "det": torch.linalg.det}
KERNELS: dict[str, Callable[..., Any]] = {
    name: telling(name, _widened(f), torch.linalg.LinAlgError) for name, f in _ALL.items()
}
KERNELS["jvp"] = jvp
