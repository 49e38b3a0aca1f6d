"""The bases of convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import activations, config, ops
from kerata.layers.arguments import WeightedLayer, one_of, positive, spread
from kerata.layers.input_spec import InputSpec
from kerata.layers.lora import LoraLayer
from kerata.ops.dispatch import Tensor
from kerata.ops.products import add_bias


class Convolution(WeightedLayer):
    """`activation(product + bias)` over `rank` spatial axes; subclasses say which product.

    Attributes:
        rank: the number of spatial axes.
        paddings: what `padding` may be.
    """

    rank: ClassVar[int]
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")
    live: ClassVar[Mapping[str, str]] = {**WeightedLayer.live, "data_format": "data_format"}
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
        super().__init__(**kwargs)
        self.kernel_size = spread(self, "kernel_size", kernel_size, self.rank)
        self.strides = spread(self, "strides", strides, self.rank)
        self.padding = one_of(self, "padding", padding, self.paddings)
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = spread(self, "dilation_rate", dilation_rate, self.rank)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def _either(self) -> None:
        """Check that not both strides and dilation are used."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: strides and dilation_rate can't both be more than 1; "
                f"got {self.strides} and {self.dilation_rate}"
            )

    def _channels(self, input_shape: Any) -> int | None:
        """The input's channels, which it has from now on."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels: int | None = input_shape[axis]
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _finished(self, x: Tensor) -> Tensor:
        """`activation(x + bias)`."""
        if self.bias is not None and self.data_format == "channels_last":
            x = add_bias(x, self.bias.value)
        elif self.bias is not None:
            x = ops.add(x, ops.reshape(self.bias.value, (-1,) + (1,) * self.rank))
        return x if self.activation is activations.linear else self.activation(x)


class BaseConv(Convolution, LoraLayer):
    """`activation(conv(inputs, kernel) + bias)`."""

    live: ClassVar[Mapping[str, str]] = {**LoraLayer.live, **Convolution.live}

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        groups: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._keep(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.filters = positive(self, "filters", filters)
        self.groups = positive(self, "groups", groups)
        self._check()

    def _check(self) -> None:
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}: filters must be a multiple of groups; "
                f"got {self.filters} filters in {self.groups} groups"
            )
        self._either()

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._channels(input_shape)
        if channels is not None and channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: the input's channels must be a multiple of groups; "
                f"got {channels} channels in {self.groups} groups (input {input_shape})"
            )
        depth = None if channels is None else channels // self.groups
        self.kernel = self._weight("kernel", (*self.kernel_size, depth, self.filters))
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None
        self._adapt()

    def call(self, inputs: Tensor) -> Tensor:
        """The convolved inputs."""
        return self._finished(self.convolve(inputs, self.kernel.value))

    def convolve(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The product with the kernel alone."""
        return ops.conv(
            inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )
