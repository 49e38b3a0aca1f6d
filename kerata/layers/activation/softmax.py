"""`Softmax`: exponentials that add up to 1."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import masks
from kerata.layers.arguments import integers
from kerata.layers.layer import Layer
from kerata.ops.attention import masked_softmax
from kerata.ops.dispatch import Tensor


class Softmax(Layer):
    """`exp(inputs) / sum(exp(inputs))`, of the places that a mask leaves; 0 at the others.

    Args:
        axis: the axis or axes over which the sum goes.

    Input and output: any shape. The mask of a call broadcasts with the input; the mask that an
    input brings along has the input's first axes.

    >>> Softmax()(ops.convert_to_tensor([1.0, 1.0, 5.0]), mask=[True, True, False]).tolist()
    [0.5, 0.5, 0.0]
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        integers(self, "axis", axis)

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        """The shares of each place."""
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if mask is None:
            return ops.softmax(inputs, axis)
        if mask is masks.get_mask(inputs):
            missing = range(len(mask.shape), len(inputs.shape))
            mask = ops.expand_dims(mask, tuple(missing)) if missing else mask
        return masked_softmax(inputs, mask, axis)
