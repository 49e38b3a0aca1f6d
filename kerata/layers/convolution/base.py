"""The base of convolutions."""

from __future__ import annotations

from typing import Any, ClassVar

from kerata import activations, ops
from kerata.layers.arguments import WeightedLayer, one_of, spread
from kerata.layers.families import Spatial
from kerata.layers.input_spec import InputSpec
from kerata.ops.dispatch import Tensor
from kerata.ops.products import add_bias


class Convolution(Spatial, WeightedLayer):
    """`activation(product + bias)` over `rank` spatial axes; subclasses say which product.

    Attributes:
        paddings: what `padding` may be.
    """

    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")
    bias: Any

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.kernel_size = spread(self, "kernel_size", kernel_size, self.rank)
        self.strides = spread(self, "strides", strides, self.rank)
        self.padding = one_of(self, "padding", padding, self.paddings)
        self.dilation_rate = spread(self, "dilation_rate", dilation_rate, self.rank)
        self.activation = activations.get(activation)
        self.use_bias = use_bias

    def _either(self) -> None:
        """Check that not both strides and dilation are used."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: strides and dilation_rate can't both be more than 1; "
                f"got {self.strides} and {self.dilation_rate}"
            )

    def _channels(self, input_shape: Any) -> int | None:
        """The input's channels, which it has from now on."""
        channels: int | None = input_shape[self.channel_axis]
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def _finished(self, x: Tensor) -> Tensor:
        """`activation(x + bias)`."""
        if self.bias is not None and self.data_format == "channels_last":
            x = add_bias(x, self.bias.value)
        elif self.bias is not None:
            x = ops.add(x, ops.reshape(self.bias.value, (-1,) + (1,) * self.rank))
        return x if self.activation is activations.linear else self.activation(x)
