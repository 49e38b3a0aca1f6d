"""`ops.linalg`: norms, and factorizations and solutions of matrices."""

from __future__ import annotations

import math
from typing import Any

from kerata.backends import dtypes
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops.dispatch import Tensor, composite

__all__ = (
    "norm",
)  # fmt: skip


@composite(promote="float")
def norm(x: Tensor, ord: Any = None, axis: red.Axis = None, keepdims: bool = False) -> Tensor:
    """The vector norm of order `ord` (2 where None, or ±inf, 0, 1, p) over `axis`.

    The gradient of the 2-norm at 0 is 0.
    """
    size = ew.absolute(x)
    if ord is None or ord == 2 or ord == "euclidean" or ord == "fro":
        total = red.sum(ew.square(x), axis, keepdims)
        zero = ew.equal(total, 0.0)
        return ew.where(zero, 0.0, ew.sqrt(ew.where(zero, 1.0, total)))
    if ord == math.inf:
        return red.max(size, axis, keepdims)
    if ord == -math.inf:
        return red.min(size, axis, keepdims)
    if ord == 0:
        return red.sum(
            ew.cast(ew.not_equal(x, 0), dtypes.standardize_dtype(x.dtype)), axis, keepdims
        )
    if ord == 1:
        return red.sum(size, axis, keepdims)
    if isinstance(ord, (int, float)):
        return ew.power(red.sum(ew.power(size, float(ord)), axis, keepdims), 1.0 / ord)
    raise ValueError(f"norm: ord must be None, 'fro', inf, -inf or a number; got {ord!r}")
