"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kerata.backends import dtypes
from kerata.backends.geometry import shapes_agree
from kerata.ops import creation
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.complex import conj
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "matmul", "einsum", "dot", "tensordot", "inner", "outer", "vdot", "kron", "cross", "cdist",
)  # fmt: skip


@primitive(promote="common")
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    """The matrix product over the last axis of `x1` and the second last of `x2`.

    Leading axes broadcast; a vector counts as a row on the left and as a column on the right.
    Half-precision products are summed in float32.
    """


@composite(promote="common")
def add_bias(x: Tensor, bias: Tensor) -> Tensor:
    """`x + bias`, of `(..., n)` and `(n,)`."""
    return ew.add(x, bias)


@composite(promote="common")
def linear(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """`matmul(x, kernel) + bias`: `(..., n)`, `(n, m)` and `(m,)` make `(..., m)`."""
    return add_bias(matmul(x, kernel), bias)


@composite()
def int8_matmul(x: Tensor, y: Tensor) -> Tensor:
    """`matmul(x, y)` of integers of 8 bits as float32: exact where no sum exceeds 2^24."""
    return matmul(ew.cast(x, "float32"), ew.cast(y, "float32"))


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
    if not _agree(sh.shape(x1), over1, sh.shape(x2), over2):
        raise ValueError(
            f"tensordot: the axes {over1} of x1 and {over2} of x2 must have the same sizes "
            f"({_described(x1, x2)})"
        )
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    first = list(letters[:r1])
    second = list(letters[r1 : r1 + r2])
    for a, b in zip(over1, over2, strict=True):
        second[b] = first[a]
    kept = [c for i, c in enumerate(first) if i not in over1]
    kept += [c for i, c in enumerate(second) if i not in over2]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(kept)}", x1, x2)


def _agree(first: Any, over1: Sequence[int], second: Any, over2: Sequence[int]) -> bool:
    """Whether the axes `over1` and `over2` exist and have the same sizes, as far as known."""
    if len(over1) != len(over2) or min([0, *over1, *over2]) < 0:
        return False
    if max([0, *over1]) >= max(len(first), 1) or max([0, *over2]) >= max(len(second), 1):
        return False
    return shapes_agree([first[a] for a in over1], [second[b] for b in over2])


def _described(*tensors: Tensor, names: tuple[str, ...] = ("x1", "x2")) -> str:
    """`x1 (32, 784) float32, x2 (128, 64) float32`."""
    return ", ".join(
        f"{name} {tuple(sh.shape(x))} {dtypes.standardize_dtype(x.dtype)}"
        for name, x in zip(names, tensors, strict=False)
    )


def _axis_list(axes: int | Sequence[int], rank: int) -> list[int]:
    return [a % rank for a in ([axes] if isinstance(axes, int) else axes)]


@composite(promote="common")
def inner(x1: Tensor, x2: Tensor) -> Tensor:
    """The sum of products over the last axes, `(*x1.shape[:-1], *x2.shape[:-1])`.

    Raises:
        ValueError: the last axes differ.

    >>> inner([1, 2, 3], [1, 0, 2]).item()
    7
    """
    if not sh.shape(x1) or not sh.shape(x2):
        return ew.multiply(x1, x2)
    size1, size2 = sh.shape(x1)[-1], sh.shape(x2)[-1]
    if isinstance(size1, int) and isinstance(size2, int) and size1 != size2:
        raise ValueError(
            f"inner: the last axis of x1 has {size1} entries, that of x2 has {size2} "
            f"({_described(x1, x2)})"
        )
    return tensordot(x1, x2, axes=((-1,), (-1,)))


@composite(promote="common")
def outer(x1: Tensor, x2: Tensor) -> Tensor:
    """The products of each entry of `x1` with each of `x2`, both flattened: `(m, n)`.

    >>> outer([1, 2], [3, 4]).tolist()
    [[3, 4], [6, 8]]
    """
    return ew.multiply(sh.expand_dims(sh.ravel(x1), 1), sh.expand_dims(sh.ravel(x2), 0))


@composite(promote="common")
def vdot(x1: Tensor, x2: Tensor) -> Tensor:
    """The sum of products of all entries, `x1` conjugated where it is complex; a scalar.

    Raises:
        ValueError: the numbers of entries differ.
    """
    sizes = (*sh.shape(x1), *sh.shape(x2))
    count1, count2 = math.prod(sh.shape(x1)), math.prod(sh.shape(x2))
    if all(isinstance(n, int) for n in sizes) and count1 != count2:
        raise ValueError(f"vdot: x1 has {count1} entries, x2 has {count2} ({_described(x1, x2)})")
    return matmul(conj(sh.ravel(x1)), sh.ravel(x2))


@composite(promote="common")
def kron(x1: Tensor, x2: Tensor) -> Tensor:
    """Each entry of `x1` replaced by its product with the whole of `x2` (Kronecker's product).

    The sizes multiply; where one has fewer axes, axes of size 1 are put before them.

    >>> kron([1, 10], [1, 2]).tolist()
    [1, 2, 10, 20]
    """
    sizes1, sizes2 = list(sh.shape(x1)), list(sh.shape(x2))
    rank = max(len(sizes1), len(sizes2))
    sizes1 = [1] * (rank - len(sizes1)) + sizes1
    sizes2 = [1] * (rank - len(sizes2)) + sizes2
    left = sh.reshape(x1, [n for size in sizes1 for n in (size, 1)])
    right = sh.reshape(x2, [n for size in sizes2 for n in (1, size)])
    shape = tuple(a * b for a, b in zip(sizes1, sizes2, strict=True))
    return sh.reshape(ew.multiply(left, right), shape)


@composite(promote="common")
def cross(
    x1: Tensor,
    x2: Tensor,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """The cross products of vectors of 2 or 3 entries; those with 2 have a third, which is 0.

    Args:
        x1: vectors along `axisa`.
        x2: vectors along `axisb`; the other axes broadcast.
        axisa: see `x1`.
        axisb: see `x2`.
        axisc: the axis of the result's vectors.
        axis: stands for the other three where it is given.

    Where both have 2 entries only the third of the product is returned, without its axis.

    Raises:
        ValueError: the vectors have not 2 or 3 entries.
        TypeError: the tensors are booleans.

    >>> cross([1, 0, 0], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    if dtypes.standardize_dtype(x1.dtype) == "bool":
        raise TypeError(f"cross: booleans can't be subtracted ({_described(x1, x2)})")
    (a, first), (b, second) = _components(x1, axisa), _components(x2, axisb)
    if not {first, second} <= {2, 3}:
        raise ValueError(
            f"cross: the vectors must have 2 or 3 entries; got {first} and {second} "
            f"({_described(x1, x2)})"
        )
    last = _minor(a, b, 0, 1)
    if first == second == 2:
        return last
    return sh.stack([_minor(a, b, 1, 2), _minor(a, b, 2, 0), last], axisc)


def _components(x: Tensor, axis: int) -> tuple[list[Tensor], int]:
    """The entries of vectors along `axis`, a third one added where they have two, and how many."""
    if not -len(sh.shape(x)) <= axis < len(sh.shape(x)):
        raise ValueError(
            f"cross: axis {axis} is out of range for vectors {_described(x, names=('',)).strip()}"
        )
    size = sh.shape(x)[axis]
    parts = list(sh.unstack(x, axis=axis)) if size in (2, 3) else []
    return ([*parts, creation.zeros_like(parts[0])] if size == 2 else parts), size


def _minor(a: list[Tensor], b: list[Tensor], i: int, j: int) -> Tensor:
    return ew.subtract(ew.multiply(a[i], b[j]), ew.multiply(a[j], b[i]))


@composite(promote="float")
def cdist(x: Tensor, y: Tensor) -> Tensor:
    """The Euclidean distances between all rows of `x` and all of `y`.

    Args:
        x: `(..., m, d)`.
        y: `(..., n, d)`; the leading axes broadcast.

    Returns:
        `(..., m, n)`. The gradient at distance 0 is 0.

    Raises:
        ValueError: one has fewer than two axes, or the last axes differ.
    """
    shapes = sh.shape(x), sh.shape(y)
    if min(map(len, shapes)) < 2:
        raise ValueError(
            f"cdist: x and y must have two axes or more ({_described(x, y, names=('x', 'y'))})"
        )
    size1, size2 = shapes[0][-1], shapes[1][-1]
    if isinstance(size1, int) and isinstance(size2, int) and size1 != size2:
        raise ValueError(
            f"cdist: the last axis of x has {size1} entries, that of y has {size2} "
            f"({_described(x, y, names=('x', 'y'))})"
        )
    gaps = ew.subtract(sh.expand_dims(x, -2), sh.expand_dims(y, -3))
    total = red.sum(ew.square(gaps), -1)
    zero = ew.equal(total, 0.0)
    return ew.where(zero, 0.0, ew.sqrt(ew.where(zero, 1.0, total)))
