"""`Masking`: steps that hold a value all through are left out."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import number
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class Masking(Layer):
    """A mask for the steps that are `mask_value` in all their features, which become 0.

    Layers that take masks then skip these steps.

    Args:
        mask_value: what fills the steps to skip.

    Input and output: `(batch, length, ..., features)`.

    >>> Masking(9.0)(ops.convert_to_tensor([[[1.0, 9.0], [9.0, 9.0]]])).tolist()
    [[[1.0, 9.0], [0.0, 0.0]]]
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = number(self, "mask_value", mask_value)

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs, 0 where they are masked."""
        kept = ops.any(ops.not_equal(inputs, self.mask_value), -1, True)
        return ops.multiply(inputs, ops.cast(kept, inputs.dtype))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True where a step has a feature other than `mask_value`."""
        return ops.any(ops.not_equal(inputs, self.mask_value), -1)
