"""`Activation`: an activation function as a layer."""

from __future__ import annotations

from typing import Any

from kerata import activations
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class Activation(Layer):
    """`activation(inputs)`.

    Args:
        activation: the name of an activation, or a function of one tensor.

    Input and output: any shape.

    >>> Activation("relu")([-3.0, 2.0]).tolist()
    [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        """`activation(inputs)`."""
        return self.activation(inputs)
