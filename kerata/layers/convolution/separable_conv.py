"""Convolutions of each channel by itself, then across the channels."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import positive
from kerata.layers.convolution.base import Convolution
from kerata.ops.dispatch import Tensor


class BaseSeparableConv(Convolution):
    """`activation(separable_conv(inputs, depthwise_kernel, pointwise_kernel) + bias)`.

    Chollet, 2017.

    Args:
        filters: the number of output channels.
        kernel_size: the window, one int or one for each spatial axis.
        strides: from window to window.
        padding: "valid" (whole windows only) or "same" (the output has `ceil(size / stride)`).
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the window's elements.
        depth_multiplier: the number of channels in between for each input channel.
        activation: a name or function; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer: of `depthwise_kernel`, `(*kernel_size, channels, depth_multiplier)`.
        pointwise_initializer: of `pointwise_kernel`, `(1, ..., channels * multiplier, filters)`.
        bias_initializer: of `bias`, `(filters,)`.
        depthwise_regularizer: adds to `losses`.
        pointwise_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        activity_regularizer: of the output.
        depthwise_constraint: applied to `depthwise_kernel` after each update.
        pointwise_constraint: applied to `pointwise_kernel` after each update.
        bias_constraint: applied to `bias` after each update.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.filters = positive(self, "filters", filters)
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)

    def build(self, input_shape: Any) -> None:
        """Make both kernels and the bias."""
        channels, multiplier = self._channels(input_shape), self.depth_multiplier
        shape = (*self.kernel_size, channels, multiplier)
        self.depthwise_kernel = self._weight("depthwise_kernel", shape, prefix="depthwise")
        depth = self.depthwise_kernel.shape[-2] * multiplier
        shape = (*(1,) * self.rank, depth, self.filters)
        self.pointwise_kernel = self._weight("pointwise_kernel", shape, prefix="pointwise")
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None

    def call(self, inputs: Tensor) -> Tensor:
        """The convolved inputs."""
        return self._finished(
            ops.separable_conv(
                inputs, self.depthwise_kernel.value, self.pointwise_kernel.value, self.strides,
                self.padding, self.data_format, self.dilation_rate,
            )
        )  # fmt: skip


class SeparableConv1D(BaseSeparableConv):
    """A convolution over one axis, channel by channel, then one across the channels.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with `filters` channels.

    >>> SeparableConv1D(8, 3, padding="same").compute_output_shape((None, 100, 3))
    (None, 100, 8)
    """

    rank = 1


class SeparableConv2D(BaseSeparableConv, strides=(1, 1), dilation_rate=(1, 1)):
    """A convolution over images, channel by channel, then one across the channels.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with `filters` channels.

    >>> SeparableConv2D(8, 3, padding="same").compute_output_shape((None, 28, 28, 3))
    (None, 28, 28, 8)
    """

    rank = 2
