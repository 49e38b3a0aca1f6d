"""Transposed convolutions."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import positive
from kerata.layers.convolution.base import Convolution
from kerata.ops.dispatch import Tensor


class BaseConvTranspose(Convolution):
    """`activation(conv_transpose(inputs, kernel) + bias)`.

    Args:
        filters: the number of output channels.
        kernel_size: the window, one int or one for each spatial axis.
        strides: from window to window in the output; not with `dilation_rate`.
        padding: "valid" (all that the windows cover) or "same" (`size * stride`).
        output_padding: elements added at the end, fewer than `strides`; None for the sizes above.
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the window's elements.
        activation: a name or function; None for none.
        use_bias: whether a bias is added.
        kernel_initializer: of `kernel`, `(*kernel_size, filters, channels)`.
        bias_initializer: of `bias`, `(filters,)`.
        kernel_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        activity_regularizer: of the output.
        kernel_constraint: applied to `kernel` after each update.
        bias_constraint: applied to `bias` after each update.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.output_padding = self._added(output_padding)
        self._either()

    def _added(self, output_padding: Any) -> tuple[int, ...] | None:
        """`output_padding` as one int for each spatial axis.

        Raises:
            ValueError: it is none, or not less than the strides.
        """
        if output_padding is None:
            return None
        given = output_padding
        values = tuple(given) if isinstance(given, (list, tuple)) else (given,) * self.rank
        if len(values) != self.rank or not all(
            type(v) is int and 0 <= v < s for v, s in zip(values, self.strides, strict=True)
        ):
            raise ValueError(
                f"{type(self).__name__}: output_padding must be None, an int of 0 or more or "
                f"{self.rank} of them, less than strides {self.strides}; got {output_padding!r}"
            )
        return values

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        shape = (*self.kernel_size, self.filters, self._channels(input_shape))
        self.kernel = self._weight("kernel", shape)
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs spread out by the kernel."""
        return self._finished(
            ops.conv_transpose(
                inputs, self.kernel.value, self.strides, self.padding, self.output_padding,
                self.data_format, self.dilation_rate,
            )
        )  # fmt: skip


class Conv1DTranspose(BaseConvTranspose):
    """A transposed convolution over one axis, which enlarges what `Conv1D` makes small.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with `filters` channels and other sizes.

    >>> Conv1DTranspose(8, 3, 2, padding="same").compute_output_shape((None, 100, 3))
    (None, 200, 8)
    """

    rank = 1


class Conv2DTranspose(BaseConvTranspose, strides=(1, 1), dilation_rate=(1, 1)):
    """A transposed convolution over images, which enlarges what `Conv2D` makes small.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with `filters` channels and other sizes.

    >>> Conv2DTranspose(8, 3, 2, padding="same").compute_output_shape((None, 14, 14, 3))
    (None, 28, 28, 8)
    """

    rank = 2


class Conv3DTranspose(BaseConvTranspose):
    """A transposed convolution over volumes, which enlarges what `Conv3D` makes small.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with `filters` channels and other sizes.

    >>> Conv3DTranspose(8, 3, 2, padding="same").compute_output_shape((None, 5, 7, 7, 3))
    (None, 10, 14, 14, 8)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
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
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate,
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
