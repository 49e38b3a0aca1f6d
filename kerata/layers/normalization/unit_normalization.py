"""`UnitNormalization`: vectors of length 1."""

from __future__ import annotations

from typing import Any

from kerata.layers.arguments import integers
from kerata.layers.layer import Layer
from kerata.layers.normalization.axes import sizes_along
from kerata.ops.dispatch import Tensor
from kerata.ops.normalization import l2_normalization


class UnitNormalization(Layer):
    """`x / sqrt(sum(x²))`, the sum over `axis`; zeros stay zeros.

    Args:
        axis: the axis or axes over which the squares add up to 1.

    Input and output: any shape.

    >>> UnitNormalization()(ops.convert_to_tensor([[0.0, 8.0], [0.0, 0.0]])).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self._axes = integers(self, "axis", axis)

    def build(self, input_shape: Any) -> None:
        """Check the axes."""
        sizes_along(self, self._axes, input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """The normalized inputs."""
        return l2_normalization(inputs, self._axes)
