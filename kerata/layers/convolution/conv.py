"""Convolutions over one, two and three spatial axes."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.convolution.base import BaseConv
from kerata.ops.dispatch import Tensor


class Conv1D(BaseConv):
    """A convolution over one axis, time for instance: `activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: the number of output channels.
        kernel_size: the window, one int or a tuple of one.
        strides: from window to window; not with `dilation_rate`.
        padding: "valid" (whole windows only), "same" (the output has `ceil(size / stride)`), or
            "causal" (each output sees its own place and those before).
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

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with `filters` channels.

    >>> Conv1D(8, 3, padding="same").compute_output_shape((None, 100, 3))
    (None, 100, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")

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
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation,
            use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip

    def _check(self) -> None:
        super()._check()
        if self.padding == "causal" and self.data_format == "channels_first":
            raise ValueError("Conv1D: padding 'causal' needs data_format 'channels_last'")

    def convolve(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The product with the kernel alone."""
        if self.padding != "causal":
            return super().convolve(inputs, kernel)
        before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        x = ops.pad(inputs, ((0, 0), (before, 0), (0, 0)))
        return ops.conv(x, kernel, self.strides, "valid", self.data_format, self.dilation_rate)


class Conv2D(BaseConv):
    """A convolution over images: `activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: the number of output channels.
        kernel_size: the window, one int or its height and width.
        strides: from window to window; not with `dilation_rate`.
        padding: "valid" (whole windows only) or "same" (the output has `ceil(size / stride)`).
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

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with `filters` channels.

    >>> Conv2D(8, 3, padding="same").compute_output_shape((None, 28, 28, 3))
    (None, 28, 28, 8)
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation,
            use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3D(BaseConv):
    """A convolution over volumes: `activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: the number of output channels.
        kernel_size: the window, one int or three.
        strides: from window to window; not with `dilation_rate`.
        padding: "valid" (whole windows only) or "same" (the output has `ceil(size / stride)`).
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

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with `filters` channels.

    >>> Conv3D(8, 3, padding="same").compute_output_shape((None, 9, 28, 28, 3))
    (None, 9, 28, 28, 8)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
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
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation,
            use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
