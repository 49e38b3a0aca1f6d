"""`Dot`: a product of two tensors that sums over an axis of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.layers.merging.merge import Merge
from kerata.ops.dispatch import Tensor
from kerata.ops.normalization import l2_normalization


class Dot(Merge):
    """For each example the products of two tensors, summed over an axis of each.

    Args:
        axes: the axis of each, or one int for both; not the batch.
        normalize: whether the tensors have length 1 along `axes` before, which makes the result
            the cosine of their angle.

    Input: a list of two tensors. Output: the axes of the first without the one summed over, then
    those of the second without batch and that; `(batch, 1)` where none are left.

    >>> Dot((2, 1)).compute_output_shape([(None, 3, 4), (None, 4, 5)])
    (None, 3, 5)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        both = (axes, axes) if type(axes) is int else axes
        if not isinstance(both, (list, tuple)) or [type(a) for a in both] != [int, int]:
            raise ValueError(f"Dot: axes must be an int or two; got {axes!r}")
        self.axes = axes
        self.normalize = normalize
        self._both = tuple(both)

    def build(self, input_shape: Any) -> None:
        """Check the shapes.

        Raises:
            ValueError: there are not two inputs, or they don't fit together.
        """
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Dot takes two tensors; got {len(input_shape)}")
        sizes = []
        for shape, axis in zip(input_shape, self._both, strict=True):
            rank = len(shape)
            if not -rank <= axis < rank or axis % rank == 0:
                raise ValueError(
                    f"Dot: axes must be of the inputs and not the batch; got {self.axes} for the "
                    f"shapes {input_shape}"
                )
            sizes.append(shape[axis])
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"Dot: the inputs have {sizes[0]} and {sizes[1]} places along axes {self.axes}; "
                f"their shapes are {input_shape}"
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """The products."""
        ranks = [len(x.shape) for x in inputs]
        axes = [a % r for a, r in zip(self._both, ranks, strict=True)]
        if self.normalize:
            inputs = [l2_normalization(x, a) for x, a in zip(inputs, axes, strict=True)]
        first = "abcdefghij"[: ranks[0]]
        second = "a" + "klmnopqrst"[1 : ranks[1]]
        summed = second[axes[1]]
        terms = first.replace(first[axes[0]], summed), second
        result = "".join(c for t in (terms[0], second[1:]) for c in t if c != summed)
        y = ops.einsum(f"{terms[0]},{second}->{result}", *inputs)
        return ops.expand_dims(y, 1) if len(result) == 1 else y

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: the steps are summed over, or mixed."""
        return None


def dot(inputs: Sequence[Tensor], axes: Any = -1, **kwargs: Any) -> Tensor:
    """`Dot(axes, **kwargs)(inputs)`."""
    return Dot(axes, **kwargs)(inputs)
