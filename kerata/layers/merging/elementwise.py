"""Sums, products and extremes of several tensors, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.layers.merging.merge import Merge
from kerata.ops.dispatch import Tensor


class Add(Merge):
    """The sum of the inputs.

    Input: a list of tensors whose shapes broadcast. Output: their common shape.

    >>> x = ops.convert_to_tensor([[1.0, 2.0]])
    >>> Add()([x, x]).tolist()
    [[2.0, 4.0]]
    """

    operation = ops.add


class Subtract(Merge):
    """The first of two inputs minus the second.

    Input: a list of two tensors whose shapes broadcast. Output: their common shape.
    """

    operation = ops.subtract

    def build(self, input_shape: Any) -> None:
        """Check the shapes.

        Raises:
            ValueError: there are not two inputs, or they don't fit together.
        """
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Subtract takes two tensors; got {len(input_shape)}")


class Multiply(Merge):
    """The product of the inputs.

    Input: a list of tensors whose shapes broadcast. Output: their common shape.
    """

    operation = ops.multiply


class Average(Merge):
    """The mean of the inputs.

    Input: a list of tensors whose shapes broadcast. Output: their common shape.
    """

    operation = ops.add

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        """The mean."""
        return ops.true_divide(super().merge(inputs), len(inputs))


class Maximum(Merge):
    """The largest of the inputs.

    Input: a list of tensors whose shapes broadcast. Output: their common shape.
    """

    operation = ops.maximum


class Minimum(Merge):
    """The smallest of the inputs.

    Input: a list of tensors whose shapes broadcast. Output: their common shape.
    """

    operation = ops.minimum


def add(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """`Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)
