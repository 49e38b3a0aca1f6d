"""`Permute`: axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class Permute(Layer):
    """The axes in another order; the batch stays first.

    Args:
        dims: for each axis after the batch the one that it takes, counted from 1.

    Input: `(batch, ...)`. Output: the same axes in the order of `dims`.

    >>> Permute((2, 1)).compute_output_shape((None, 10, 64))
    (None, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims) if isinstance(dims, (list, tuple)) else (dims,)
        if sorted(self.dims, key=str) != sorted(range(1, len(self.dims) + 1), key=str):
            raise ValueError(
                f"Permute: dims must have each of the axes from 1 on once; got {dims!r}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs with their axes exchanged."""
        return ops.transpose(inputs, (0, *self.dims))
