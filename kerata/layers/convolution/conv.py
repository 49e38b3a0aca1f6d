"""Convolutions over one, two and three spatial axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import ops
from kerata.layers.arguments import positive
from kerata.layers.convolution.base import Convolution
from kerata.layers.lora import LoraLayer
from kerata.ops.dispatch import Tensor


class BaseConv(Convolution, LoraLayer):
    """`activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: the number of output channels.
        kernel_size: the window, one int or one for each spatial axis.
        strides: from window to window; not with `dilation_rate`.
        padding: "valid" (whole windows only), "same" (the output has `ceil(size / stride)`), or in
            one dimension "causal" (each output sees its own place and those before).
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the window's elements.
        groups: into how many groups, each convolved by itself, the channels fall.
        activation: a name or function; None for none.
        use_bias: whether a bias is added.
        kernel_initializer: of `kernel`, `(*kernel_size, channels / groups, filters)`.
        bias_initializer: of `bias`, `(filters,)`.
        kernel_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        activity_regularizer: of the output.
        kernel_constraint: applied to `kernel` after each update.
        bias_constraint: applied to `bias` after each update.
    """

    live: ClassVar[Mapping[str, str]] = {**LoraLayer.live, **Convolution.live}

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.filters = positive(self, "filters", filters)
        self.groups = positive(self, "groups", groups)
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


class Conv1D(BaseConv):
    """A convolution over one axis, time for instance: `activation(conv(inputs, kernel) + bias)`.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with `filters` channels.

    >>> Conv1D(8, 3, padding="same").compute_output_shape((None, 100, 3))
    (None, 100, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")

    def convolve(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The product with the kernel alone."""
        if self.padding != "causal":
            return super().convolve(inputs, kernel)
        before = (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)
        last = self.data_format == "channels_last"
        x = ops.pad(inputs, ((0, 0), before, (0, 0)) if last else ((0, 0), (0, 0), before))
        return ops.conv(x, kernel, self.strides, "valid", self.data_format, self.dilation_rate)


class Conv2D(BaseConv, strides=(1, 1), dilation_rate=(1, 1)):
    """A convolution over images: `activation(conv(inputs, kernel) + bias)`.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with `filters` channels.

    >>> Conv2D(8, 3, padding="same").compute_output_shape((None, 28, 28, 3))
    (None, 28, 28, 8)
    """

    rank = 2


class Conv3D(BaseConv, strides=(1, 1, 1), dilation_rate=(1, 1, 1)):
    """A convolution over volumes: `activation(conv(inputs, kernel) + bias)`.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with `filters` channels.

    >>> Conv3D(8, 3, padding="same").compute_output_shape((None, 9, 28, 28, 3))
    (None, 9, 28, 28, 8)
    """

    rank = 3
