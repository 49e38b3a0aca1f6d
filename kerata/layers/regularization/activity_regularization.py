"""`ActivityRegularization`: a loss on what passes through."""

from __future__ import annotations

from typing import Any

from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor
from kerata.regularizers import L1L2


class ActivityRegularization(Layer):
    """The inputs as they are; `l1 * sum(|x|) + l2 * sum(x²)`, by the batch size, goes to `losses`.

    Args:
        l1: the factor of the absolute values.
        l2: the factor of the squares.

    Input and output: any shape.
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs."""
        return inputs
