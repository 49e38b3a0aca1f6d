"""`LeakyReLU`: a rectified linear unit that lets a little through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import activations
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


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
        if negative_slope is None or negative_slope < 0:
            raise ValueError(f"LeakyReLU: negative_slope must be 0 or more; got {negative_slope!r}")
        self.negative_slope = negative_slope

    def call(self, inputs: Tensor) -> Tensor:
        """The activated inputs."""
        return activations.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """The arguments under their own names."""
        return {k: v for k, v in super().get_config().items() if k != "alpha"}
