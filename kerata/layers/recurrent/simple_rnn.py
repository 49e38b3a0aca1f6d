"""`SimpleRNN`: the output is the state."""

from __future__ import annotations

from typing import Any

from kerata import activations, ops
from kerata.layers.recurrent.cell import GatedCell, Noise, ProjectingCell, with_noise
from kerata.layers.recurrent.gated import ProjectedRNN
from kerata.ops.dispatch import Tensor
from kerata.ops.products import linear


class SimpleRNNCell(ProjectingCell, GatedCell):
    """One step of `SimpleRNN`: `h = activation(x · kernel + h · recurrent_kernel + bias)`.

    Elman, 1990.

    Args:
        units: the size of output and state.
        activation: of the output.
        use_bias: whether a bias is added.
        kernel_initializer: of `kernel`, `(features, units)`.
        recurrent_initializer: of `recurrent_kernel`, `(units, units)`.
        bias_initializer: of `bias`, `(units,)`.
        kernel_regularizer: adds to `losses`.
        recurrent_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        kernel_constraint: applied to `kernel` after each update.
        recurrent_constraint: applied to `recurrent_kernel` after each update.
        bias_constraint: applied to `bias` after each update.
        dropout: the share of the inputs' features dropped in training.
        recurrent_dropout: the share of the state's features dropped in training.
        seed: of both.

    Input: `(batch, features)` and `[h]`, `(batch, units)`.
    Output: `(batch, units)` and the next `[h]`.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
            units, activation, None, use_bias, dropout, recurrent_dropout, seed, **kwargs
        )
        self._keep(locals())

    def project(self, inputs: Tensor) -> Tensor:
        """`inputs · kernel + bias`."""
        if self.bias is None:
            return ops.matmul(inputs, self.kernel.value)
        return linear(inputs, self.kernel.value, self.bias.value)

    def recur(
        self, projected: Tensor, states: list[Tensor], noise: Noise
    ) -> tuple[Tensor, list[Tensor]]:
        """The step after `project`."""
        h = with_noise(states[0], noise[1])
        h = projected + ops.matmul(h, self.recurrent_kernel.value)
        h = h if self.activation is activations.linear else self.activation(h)
        return h, [h]


class SimpleRNN(ProjectedRNN):
    """A recurrence whose output is its state; see `SimpleRNNCell` for the formula.

    Args:
        activity_regularizer: of the output.
        return_sequences: whether all outputs are returned, instead of the last.
        return_state: whether the last state is returned too.
        go_backwards: run from the end; outputs come in the order in which they were made.
        stateful: begin each batch with the state in which the last one ended.
        unroll: write the steps out instead of looping.

    The other arguments are those of `SimpleRNNCell`. What dropout removes is the same at every
    step.

    Input, `initial_state` (`[h]`), `mask` and output: as in `RNN`.

    >>> SimpleRNN(8, return_sequences=True).compute_output_shape((None, 10, 3))
    (None, 10, 8)
    """

    cell: SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units, activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout,
            seed, name="simple_rnn_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
