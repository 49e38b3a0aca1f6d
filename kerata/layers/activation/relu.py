"""`ReLU`: the rectified linear unit."""

from __future__ import annotations

from typing import Any

from kerata import activations
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
        self.max_value = max_value
        self.negative_slope = negative_slope or 0.0
        self.threshold = threshold or 0.0
        for name in ("max_value", "negative_slope", "threshold"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"ReLU: {name} must be 0 or more; got {getattr(self, name)!r}")

    def call(self, inputs: Tensor) -> Tensor:
        """The rectified inputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)
