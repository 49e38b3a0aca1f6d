"""The base of layers that make one tensor of several."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from kerata import ops
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class Merge(Layer):
    """One tensor from a list of tensors of one batch size.

    Attributes:
        operation: what makes one tensor of two.
    """

    supports_masking = True
    operation: ClassVar[Callable[..., Tensor]]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        """Check the shapes.

        Raises:
            ValueError: the input is no list of tensors, or they don't fit together.
        """
        if not isinstance(input_shape, list):
            raise ValueError(
                f"{type(self).__name__} takes a list of tensors; its input has the shape "
                f"{input_shape}"
            )
        batches = {shape[0] for shape in input_shape if shape} - {None}
        if len(batches) > 1:
            raise ValueError(
                f"{type(self).__name__}: the inputs must have one batch size; got {input_shape}"
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """The merged tensor."""
        ranks = [len(x.shape) for x in inputs]
        rank = max(ranks)
        if min(ranks) < rank:
            inputs = [
                ops.expand_dims(x, tuple(range(1, 1 + rank - n))) if n < rank else x
                for x, n in zip(inputs, ranks, strict=True)
            ]
        return self.merge(inputs)

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        """One tensor from tensors of one rank."""
        return functools.reduce(type(self).operation, inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True where any input's mask is; None where an input has none."""
        if previous_mask is None or any(m is None for m in previous_mask):
            return None
        mask = previous_mask[0]
        for other in previous_mask[1:]:
            mask = ops.logical_or(mask, other)
        return mask
