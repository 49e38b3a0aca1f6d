"""`PReLU`: a rectified linear unit whose slope is learned."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import WeightedLayer
from kerata.layers.input_spec import InputSpec
from kerata.ops.dispatch import Tensor


class PReLU(WeightedLayer):
    """`inputs` above 0, `alpha * inputs` below it, with an `alpha` for each place.

    He et al., 2015.

    Args:
        alpha_initializer: of `alpha`, which has the input's sizes without the batch.
        alpha_regularizer: adds to `losses`.
        alpha_constraint: applied to `alpha` after each update.
        shared_axes: axes, counted from 1, along which places share their `alpha`.

    Input and output: any shape with a batch.

    >>> PReLU("ones", shared_axes=[1, 2]).compute_output_shape((None, 28, 28, 3))
    (None, 28, 28, 3)
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        several = shared_axes is None or isinstance(shared_axes, (list, tuple))
        self.shared_axes = shared_axes if several else [shared_axes]

    def build(self, input_shape: Any) -> None:
        """Make `alpha`."""
        rank, shared = len(input_shape), self.shared_axes or ()
        if any(type(a) is not int or not 0 < a < rank for a in shared):
            raise ValueError(
                f"PReLU: shared_axes must be axes from 1 to {rank - 1} for an input of shape "
                f"{input_shape}; got {self.shared_axes!r}"
            )
        own = {a: input_shape[a] for a in range(1, rank) if a not in shared}
        self.alpha = self._weight("alpha", tuple(own.get(a, 1) for a in range(1, rank)))
        self.input_spec = InputSpec(ndim=rank, axes=own)

    def call(self, inputs: Tensor) -> Tensor:
        """The activated inputs."""
        return ops.where(ops.greater(inputs, 0), inputs, ops.multiply(inputs, self.alpha.value))
