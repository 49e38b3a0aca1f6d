"""Convolutions of each channel by itself."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import positive
from kerata.layers.convolution.base import Convolution
from kerata.ops.dispatch import Tensor


class BaseDepthwiseConv(Convolution):
    """`activation(depthwise_conv(inputs, kernel) + bias)`.

    Args:
        kernel_size: the window, one int or one for each spatial axis.
        strides: from window to window.
        padding: "valid" (whole windows only) or "same" (the output has `ceil(size / stride)`).
        depth_multiplier: the number of output channels for each input channel.
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the window's elements.
        activation: a name or function; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer: of `kernel`, `(*kernel_size, channels, depth_multiplier)`.
        bias_initializer: of `bias`, `(channels * depth_multiplier,)`.
        depthwise_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        activity_regularizer: of the output.
        depthwise_constraint: applied to `kernel` after each update.
        bias_constraint: applied to `bias` after each update.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels, multiplier = self._channels(input_shape), self.depth_multiplier
        shape = (*self.kernel_size, channels, multiplier)
        self.kernel = self._weight("kernel", shape, prefix="depthwise")
        filters = self.kernel.shape[-2] * multiplier
        self.bias = self._weight("bias", (filters,)) if self.use_bias else None

    def call(self, inputs: Tensor) -> Tensor:
        """The convolved inputs."""
        return self._finished(
            ops.depthwise_conv(
                inputs, self.kernel.value, self.strides, self.padding, self.data_format,
                self.dilation_rate,
            )
        )  # fmt: skip


class DepthwiseConv1D(BaseDepthwiseConv):
    """A convolution over one axis, of each channel by itself.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with `channels * depth_multiplier` channels.

    >>> DepthwiseConv1D(3, 1, "same", 2).compute_output_shape((None, 100, 3))
    (None, 100, 6)
    """

    rank = 1


class DepthwiseConv2D(BaseDepthwiseConv, strides=(1, 1), dilation_rate=(1, 1)):
    """A convolution over images, of each channel by itself.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with `channels * depth_multiplier` channels.

    >>> DepthwiseConv2D(3, 1, "same", 2).compute_output_shape((None, 28, 28, 3))
    (None, 28, 28, 6)
    """

    rank = 2
