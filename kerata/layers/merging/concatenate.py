"""`Concatenate`: tensors one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.layers.arguments import integer
from kerata.layers.merging.merge import Merge
from kerata.ops.dispatch import Tensor


class Concatenate(Merge):
    """The inputs one after the other along `axis`.

    Args:
        axis: the axis along which they lie, not the batch.

    Input: a list of tensors that agree on all other axes. Output: the same with the sizes along
    `axis` added up.

    >>> Concatenate().compute_output_shape([(None, 2), (None, 3)])
    (None, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = integer(self, "axis", axis)

    def build(self, input_shape: Any) -> None:
        """Check the shapes.

        Raises:
            ValueError: the input is no list of tensors, or they don't fit together.
        """
        if not isinstance(input_shape, list):
            raise ValueError(
                f"Concatenate takes a list of tensors; its input has the shape {input_shape}"
            )
        ranks = {len(shape) for shape in input_shape}
        rank = max(ranks)
        if len(ranks) > 1 or not -rank <= self.axis < rank:
            raise ValueError(
                f"Concatenate: the inputs must have one rank and the axis {self.axis}; "
                f"got {input_shape}"
            )
        for place in set(range(rank)) - {self.axis % rank}:
            if len({shape[place] for shape in input_shape} - {None}) > 1:
                raise ValueError(
                    f"Concatenate: the inputs must agree on all axes but {self.axis}; "
                    f"got {input_shape}"
                )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """The joined tensor."""
        return ops.concatenate(inputs, self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks joined; an input without one counts as not masked."""
        if previous_mask is None or all(m is None for m in previous_mask):
            return None
        joined = [_spread(x, m) for x, m in zip(inputs, previous_mask, strict=True)]
        return ops.any(ops.concatenate(joined, self.axis), axis=-1)


def _spread(x: Tensor, mask: Tensor | None) -> Tensor:
    """A mask in the shape of its tensor."""
    if mask is None:
        return ops.ones_like(x, dtype="bool")
    for _ in range(len(x.shape) - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    return ops.logical_and(mask, ops.ones_like(x, dtype="bool"))


def concatenate(inputs: Sequence[Tensor], axis: int = -1, **kwargs: Any) -> Tensor:
    """`Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis, **kwargs)(inputs)
