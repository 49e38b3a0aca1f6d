"""Penalties on the size of weights."""

from __future__ import annotations

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.regularizers.base import Regularizer, checked


class L1(Regularizer):
    """`l1 * sum(|x|)`, which drives weights to 0.

    Args:
        l1: the factor.

    >>> float(L1(0.5)([[1.0, -2.0]]))
    1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = checked("l1", l1, 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        return ops.multiply(ops.sum(ops.absolute(x)), self.l1)


class L2(Regularizer):
    """`l2 * sum(x²)`, which keeps weights small.

    Args:
        l2: the factor.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = checked("l2", l2, 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        return ops.multiply(ops.sum(ops.square(x)), self.l2)


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x²)`.

    Args:
        l1: the factor of the first term.
        l2: the factor of the second.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = checked("l1", l1, 0.0)
        self.l2 = checked("l2", l2, 0.0)

    def __call__(self, x: Tensor) -> Tensor:
        first = ops.multiply(ops.sum(ops.absolute(x)), self.l1)
        return ops.add(first, ops.multiply(ops.sum(ops.square(x)), self.l2))
