"""`LSTM`: long short-term memory."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.recurrent.cell import GatedCell, Noise, with_noise
from kerata.layers.recurrent.gated import GatedRNN, OfCell
from kerata.ops.dispatch import Tensor


class LSTMCell(GatedCell):
    """One step of `LSTM`.

    `i, f, g, o = split(x · kernel + h · recurrent_kernel + bias)`, `c = σ(f) * c + σ(i) * tanh(g)`,
    `h = σ(o) * tanh(c)`. Hochreiter & Schmidhuber, 1997.

    Args:
        units: the size of output and states.
        activation: of cell and output.
        recurrent_activation: of the gates.
        use_bias: whether a bias is added.
        kernel_initializer: of `kernel`, `(features, 4 * units)`.
        recurrent_initializer: of `recurrent_kernel`, `(units, 4 * units)`.
        bias_initializer: of `bias`, `(4 * units,)`.
        unit_forget_bias: whether the forget gate's bias begins at 1.
        kernel_regularizer: adds to `losses`.
        recurrent_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        kernel_constraint: applied to `kernel` after each update.
        recurrent_constraint: applied to `recurrent_kernel` after each update.
        bias_constraint: applied to `bias` after each update.
        dropout: the share of the inputs' features dropped in training.
        recurrent_dropout: the share of the state's features dropped in training.
        seed: of both.

    Input: `(batch, features)` and `[h, c]`, each `(batch, units)`.
    Output: `(batch, units)` and the next `[h, c]`.
    """

    gates = 4

    def __init__(
        self,
        units: int,
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
            units, activation, recurrent_activation, use_bias, dropout, recurrent_dropout, seed,
            **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _bias(self, width: int) -> Any:
        if not self.unit_forget_bias:
            return super()._bias(width)
        given, units = self.bias_initializer, self.units  # type: ignore[attr-defined]

        def initializer(shape: Any, dtype: Any = None) -> Tensor:
            parts = [given((units,), dtype), ops.ones((units,), dtype), given((2 * units,), dtype)]
            return ops.concatenate(parts)

        return self._weight("bias", (width,), initializer=initializer)

    def step(
        self, inputs: Tensor, states: list[Tensor], noise: Noise
    ) -> tuple[Tensor, list[Tensor]]:
        """One step, with the factors that `noise` gave."""
        h, c = states
        x = ops.matmul(with_noise(inputs, noise[0]), self.kernel.value)
        z = x + ops.matmul(with_noise(h, noise[1]), self.recurrent_kernel.value)
        if self.bias is not None:
            z = z + self.bias.value
        return self.gated(ops.split(z, 4, -1), c)

    def gated(self, parts: list[Tensor], c: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Output and next states, from what comes into the gates."""
        i, f, g, o = parts
        gate, activation = self.recurrent_activation, self.activation
        c = gate(f) * c + gate(i) * activation(g)
        h = gate(o) * activation(c)
        return h, [h, c]


class LSTM(GatedRNN):
    """A long short-term memory layer; see `LSTMCell` for the formula.

    Args:
        activity_regularizer: of the output.
        return_sequences: whether all outputs are returned, instead of the last.
        return_state: whether the last states are returned too.
        go_backwards: run from the end; outputs come in the order in which they were made.
        stateful: begin each batch with the states in which the last one ended.
        unroll: write the steps out instead of looping.
        use_cudnn: "auto" or True for the backend's fused kernel where it has one, False for none.

    The other arguments are those of `LSTMCell`; what dropout removes is the same at every step.

    Input, `initial_state` (`[h, c]`), `mask` and output: as in `RNN`.

    >>> LSTM(8, return_sequences=True).compute_output_shape((None, 10, 3))
    (None, 10, 8)
    """

    unit_forget_bias = OfCell()

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer,
            recurrent_initializer, bias_initializer, unit_forget_bias, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, name="lstm_cell",
            dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, use_cudnn, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip

    def fused(
        self, sequences: Tensor, states: list[Tensor], options: dict[str, Any]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The whole recurrence in one operation."""
        cell = self.cell
        h, c = states
        return ops.lstm(sequences, h, c, cell.kernel, cell.recurrent_kernel, cell.bias, **options)
