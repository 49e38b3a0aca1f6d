"""`RMSNormalization`: by the root of the mean square of the features of each example."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import integers, number
from kerata.layers.layer import Layer
from kerata.layers.normalization.axes import ordered, sizes_along
from kerata.ops.dispatch import Tensor


class RMSNormalization(Layer):
    """`x / sqrt(mean(x²) + epsilon) * scale`, the mean over `axis`.

    Zhang & Sennrich, 2019.

    Args:
        axis: the axis or axes of features, whose sizes `scale` has.
        epsilon: added to the mean.

    Input and output: any shape. Half precision is normalized in float32.

    >>> RMSNormalization(epsilon=0.0)(ops.convert_to_tensor([[3.0, 3.0]])).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = None if epsilon is None else number(self, "epsilon", epsilon, 0)
        self._axes = integers(self, "axis", axis)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        shape = sizes_along(self, self._axes, input_shape)
        self.scale = self.add_weight(shape, "ones", name="scale")
        self._sizes = ordered(self._axes, input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """The normalized inputs."""
        scale = self.scale.value
        if self._sizes != self.scale.shape:
            scale = ops.reshape(scale, self._sizes)
        return ops.rms_normalization(inputs, scale, self._axes, self.epsilon)
