"""`Reshape`: other axes over the same elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class Reshape(Layer):
    """The same elements with other axes; the batch stays.

    Args:
        target_shape: the sizes without the batch; one of them may be -1 (or None), to follow from
            the others.

    Input: `(batch, ...)`. Output: `(batch, *target_shape)`.

    >>> Reshape((3, -1)).compute_output_shape((None, 12))
    (None, 3, 4)
    """

    def __init__(self, target_shape: Sequence[int | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = [target_shape] if isinstance(target_shape, int) else list(target_shape)
        self.target_shape = tuple(-1 if s is None else s for s in sizes)
        if self.target_shape.count(-1) > 1 or any(s < -1 for s in self.target_shape):
            raise ValueError(
                "Reshape: target_shape must hold sizes, and -1 (or None) at most once; "
                f"got {target_shape!r}"
            )

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs in the new shape."""
        batch, *sizes = ops.shape(inputs)
        known = math.prod(s for s in self.target_shape if s != -1)
        rest = math.prod(sizes) // (known or 1)
        return ops.reshape(inputs, (batch, *(rest if s == -1 else s for s in self.target_shape)))
