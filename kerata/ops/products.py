"""Products of vectors, matrices and tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "matmul", "einsum", "dot", "tensordot",
)  # fmt: skip


@primitive(promote="common")
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    """The matrix product over the last axis of `x1` and the second last of `x2`.

    Leading axes broadcast; a vector counts as a row on the left and as a column on the right.
    Half-precision products are summed in float32.
    """


@primitive(promote="common", operands=("operands",))
def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """The sum of products that `subscripts` describes, in NumPy's notation.

    >>> einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """


@composite(promote="common")
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    """The sum over the last axis of `x1` and the second last (or only) of `x2`, as in NumPy."""
    r1, r2 = len(sh.shape(x1)), len(sh.shape(x2))
    if r1 == 0 or r2 == 0:
        return x1 * x2
    if r2 <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, axes=((r1 - 1,), (r2 - 2,)))


@composite(promote="common")
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """The sum over `axes`: the last n of `x1` with the first n of `x2`, or a pair of axis lists."""
    r1, r2 = len(sh.shape(x1)), len(sh.shape(x2))
    if isinstance(axes, int):
        over1, over2 = list(range(r1 - axes, r1)), list(range(axes))
    else:
        over1, over2 = _axis_list(axes[0], r1), _axis_list(axes[1], r2)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    first = list(letters[:r1])
    second = list(letters[r1 : r1 + r2])
    for a, b in zip(over1, over2, strict=True):
        second[b] = first[a]
    kept = [c for i, c in enumerate(first) if i not in over1]
    kept += [c for i, c in enumerate(second) if i not in over2]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(kept)}", x1, x2)


def _axis_list(axes: int | Sequence[int], rank: int) -> list[int]:
    return [a % rank for a in ([axes] if isinstance(axes, int) else axes)]
