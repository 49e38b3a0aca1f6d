"""`ELU`: the exponential linear unit."""

from __future__ import annotations

from typing import Any

from kerata import activations
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class ELU(Layer):
    """`inputs` above 0, `alpha * (exp(inputs) - 1)` below it.

    Clevert et al., 2016.

    Args:
        alpha: minus the limit far below 0.

    Input and output: any shape.

    >>> ELU()([-100.0, 2.0]).tolist()
    [-1.0, 2.0]
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Tensor) -> Tensor:
        """The activated inputs."""
        return activations.elu(inputs, self.alpha)
