"""`RepeatVector`: a sequence of one vector."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import positive
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class RepeatVector(Layer):
    """Each vector as a sequence of `n` steps that are all it.

    Args:
        n: the number of steps.

    Input: `(batch, features)`. Output: `(batch, n, features)`.

    >>> RepeatVector(3).compute_output_shape((None, 32))
    (None, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        """The repeated vectors."""
        batch, features = ops.shape(inputs)
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (batch, self.n, features))
