"""`ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: an LSTM whose products are convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.arguments import one_of, spread
from kerata.layers.families import Family
from kerata.layers.input_spec import InputSpec
from kerata.layers.recurrent.cell import Noise, ProjectingCell, with_noise
from kerata.layers.recurrent.gated import OfCell, ProjectedRNN
from kerata.layers.recurrent.lstm import LSTMCell
from kerata.ops.dispatch import Tensor


class ConvLSTMCell(ProjectingCell, LSTMCell):
    """One step of a `ConvLSTM`: `LSTMCell` with convolutions over `rank` axes as products."""

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, activation, recurrent_activation, use_bias, kernel_initializer,
            recurrent_initializer, bias_initializer, unit_forget_bias, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.rank = rank
        self.filters = self.units
        self.kernel_size = spread(self, "kernel_size", kernel_size, rank)
        self.strides = spread(self, "strides", strides, rank)
        self.padding = one_of(self, "padding", padding, ("valid", "same"))
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = spread(self, "dilation_rate", dilation_rate, rank)
        self._last = self.data_format == "channels_last"

    def build(self, input_shape: Any) -> None:
        """Make kernel, recurrent kernel and bias, for the shape of one step."""
        width = 4 * self.filters
        channels = input_shape[-1 if self._last else 1]
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, width))
        shape = (*self.kernel_size, self.filters, width)
        self.recurrent_kernel = self._weight("recurrent_kernel", shape, prefix="recurrent")
        self.bias = self._bias(width) if self.use_bias else None

    def zero_states(self, sizes: Any) -> list[Tensor]:
        """Zeros, for an input of one step of these sizes."""
        plan = (self.kernel_size, self.strides, self.dilation_rate)
        space = sizes[1:-1] if self._last else sizes[2:]
        space = [self._convolved(*each) for each in zip(space, *plan, strict=True)]
        rest = (*space, self.filters) if self._last else (self.filters, *space)
        return [ops.zeros((sizes[0], *rest), self.compute_dtype) for _ in range(2)]

    def _convolved(self, size: Any, window: int, stride: int, dilation: int) -> Any:
        if self.padding == "valid":
            size = size - dilation * (window - 1)
        return (size + stride - 1) // stride

    def project(self, inputs: Tensor) -> Tensor:
        """The convolution of the inputs, and the bias."""
        plan = (self.strides, self.padding, self.data_format, self.dilation_rate)
        x = ops.conv(inputs, self.kernel.value, *plan)
        if self.bias is None:
            return x
        shape = (-1,) if self._last else (-1,) + (1,) * self.rank
        return ops.add(x, ops.reshape(self.bias.value, shape))

    def recur(
        self, projected: Tensor, states: list[Tensor], noise: Noise
    ) -> tuple[Tensor, list[Tensor]]:
        """The step after `project`."""
        h, kernel = with_noise(states[0], noise[1]), self.recurrent_kernel.value
        z = projected + ops.conv(h, kernel, 1, "same", self.data_format)
        return self.gated(ops.split(z, 4, -1 if self._last else 1), states[1])


class BaseConvLSTM(Family, ProjectedRNN):
    """`RNN` over `ConvLSTMCell`.

    Args:
        filters: the number of channels of output and states.
        kernel_size: the window, one int or one for each spatial axis.
        strides: from window to window, of the inputs' convolution.
        padding: "valid" (whole windows only) or "same", of the inputs' convolution.
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the window's elements, of the inputs' convolution.
        activation: of cell and output.
        recurrent_activation: of the gates.
        use_bias: whether a bias is added.
        kernel_initializer: of `kernel`, `(*kernel_size, channels, 4 * filters)`.
        recurrent_initializer: of `recurrent_kernel`, `(*kernel_size, filters, 4 * filters)`.
        bias_initializer: of `bias`, `(4 * filters,)`.
        unit_forget_bias: whether the forget gate's bias begins at 1.
        kernel_regularizer: adds to `losses`.
        recurrent_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        activity_regularizer: of the output.
        kernel_constraint: applied to `kernel` after each update.
        recurrent_constraint: applied to `recurrent_kernel` after each update.
        bias_constraint: applied to `bias` after each update.
        dropout: the share of the inputs dropped in training, the same at every step.
        recurrent_dropout: the share of the state dropped in training, likewise.
        seed: of both.
        return_sequences: whether all outputs are returned, instead of the last.
        return_state: whether the last states are returned too.
        go_backwards: run from the end; outputs come in the order in which they were made.
        stateful: begin each batch with the states in which the last one ended.

    Attributes:
        rank: the number of spatial axes.
    """

    rank: ClassVar[int]
    live: ClassVar[Mapping[str, str]] = {**ProjectedRNN.live, "data_format": "data_format"}
    filters, kernel_size, strides, padding, data_format, dilation_rate = (
        OfCell(), OfCell(), OfCell(), OfCell(), OfCell(), OfCell()
    )  # fmt: skip
    recurrent_activation, unit_forget_bias = OfCell(), OfCell()
    cell: ConvLSTMCell

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate,
            activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer,
            bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, name="conv_lstm_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def _zero_states(self, sizes: Any) -> list[Any]:
        return self.cell.zero_states((sizes[0], *sizes[2:]))

    def _projected(self, sequences: Tensor) -> Tensor:
        sizes = ops.shape(sequences)
        steps = self.cell.project(ops.reshape(sequences, (sizes[0] * sizes[1], *sizes[2:])))
        return ops.reshape(steps, (*sizes[:2], *ops.shape(steps)[1:]))


class ConvLSTM1D(BaseConvLSTM):
    """An LSTM over sequences of rows, whose products with kernels are convolutions.

    The formula is that of `LSTMCell`. Shi et al., 2015 (without peepholes).

    Input: `(batch, length, width, channels)`, or with the channels after the length.
    Output, `initial_state` (`[h, c]`) and `mask`: as in `RNN`.

    >>> ConvLSTM1D(8, 3).compute_output_shape((None, 10, 28, 3))
    (None, 26, 8)
    """

    rank = 1


class ConvLSTM2D(BaseConvLSTM):
    """An LSTM over sequences of images, whose products with kernels are convolutions.

    The formula is that of `LSTMCell`. Shi et al., 2015 (without peepholes).

    Input: `(batch, length, height, width, channels)`, or with the channels after the length.
    Output, `initial_state` (`[h, c]`) and `mask`: as in `RNN`.

    >>> ConvLSTM2D(8, 3).compute_output_shape((None, 10, 28, 28, 3))
    (None, 26, 26, 8)
    """

    rank = 2


class ConvLSTM3D(BaseConvLSTM):
    """An LSTM over sequences of volumes, whose products with kernels are convolutions.

    The formula is that of `LSTMCell`. Shi et al., 2015 (without peepholes).

    Input: `(batch, length, depth, height, width, channels)`, or with the channels after the length.
    Output, `initial_state` (`[h, c]`) and `mask`: as in `RNN`.

    >>> ConvLSTM3D(8, 3).compute_output_shape((None, 10, 9, 28, 28, 3))
    (None, 7, 26, 26, 8)
    """

    rank = 3
