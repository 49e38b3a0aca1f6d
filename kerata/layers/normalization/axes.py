"""The axes of features that a layer normalizes over."""

from __future__ import annotations

from typing import Any

from kerata.layers.layer import Layer


def sizes_along(layer: Layer, axes: Any, input_shape: Any) -> tuple[Any, ...]:
    """The sizes of `axes`.

    Raises:
        ValueError: the input has no such axis.
    """
    rank = len(input_shape)
    if any(not -rank <= a < rank for a in axes):
        raise ValueError(
            f"{type(layer).__name__}: axis {list(axes)} is out of range for an input of {rank} axes"
        )
    return tuple(input_shape[a] for a in axes)


def ordered(axes: Any, input_shape: Any) -> tuple[Any, ...]:
    """The sizes of `axes` in the order of the input.

    Where -1 stands before 1, say, weights have Keras' shape, and are read in this one.
    """
    rank = len(input_shape)
    return tuple(input_shape[a] for a in sorted(a % rank for a in axes))
