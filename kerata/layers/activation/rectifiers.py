"""Rectified linear units and their kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import activations, ops
from kerata.layers.arguments import WeightedLayer, number
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class ReLU(Layer):
    """`inputs` above `threshold`, `negative_slope * (inputs - threshold)` below it.

    Args:
        max_value: the largest output; None for no bound.
        negative_slope: the slope below `threshold`.
        threshold: where the function bends.

    Input and output: any shape.

    >>> ReLU(max_value=6.0)([-3.0, 2.0, 7.0]).tolist()
    [0.0, 2.0, 6.0]
    """

    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number(self, "max_value", max_value, 0)
        self.negative_slope = number(self, "negative_slope", negative_slope or 0.0, 0)
        self.threshold = number(self, "threshold", threshold or 0.0, 0)

    def call(self, inputs: Tensor) -> Tensor:
        """The rectified inputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """`inputs` above 0, `negative_slope * inputs` below it.

    Args:
        negative_slope: the slope below 0; Keras 2's `alpha` is taken too.

    Input and output: any shape.

    >>> LeakyReLU(0.5)([-3.0, 2.0]).tolist()
    [-1.5, 2.0]
    """

    supports_masking = True
    live: ClassVar[Mapping[str, str]] = {**Layer.live, "negative_slope": "negative_slope"}

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = number(self, "negative_slope", negative_slope, 0)

    def call(self, inputs: Tensor) -> Tensor:
        """The activated inputs."""
        return activations.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """The arguments under their own names."""
        return {k: v for k, v in super().get_config().items() if k != "alpha"}


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
        self._keep(locals())
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


class ELU(Layer):
    """`inputs` above 0, `alpha * (exp(inputs) - 1)` below it.

    Clevert et al., 2016.

    Args:
        alpha: minus the limit far below 0.

    Input and output: any shape.

    >>> ELU()([-100.0, 2.0]).tolist()
    [-1.0, 2.0]
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number(self, "alpha", alpha)

    def call(self, inputs: Tensor) -> Tensor:
        """The activated inputs."""
        return activations.elu(inputs, self.alpha)
