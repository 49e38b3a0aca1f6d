"""`GRU`: gated recurrent units."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.recurrent.cell import GatedCell, Noise, with_noise
from kerata.layers.recurrent.gated import GatedRNN, OfCell
from kerata.ops.dispatch import Tensor


class GRUCell(GatedCell):
    """One step of `GRU`.

    `z = σ(xz + hz)`, `r = σ(xr + hr)`, `n = tanh(xn + r * hn)`, `h = z * h + (1 - z) * n`, where
    `xz, xr, xn = split(x · kernel + bias[0])` and `hz, hr, hn = split(h · recurrent_kernel +
    bias[1])`. Without `reset_after`, `n = tanh(xn + (r * h) · recurrent_kernel_n)`, and there is
    one bias. Cho et al., 2014.

    Args:
        units: the size of output and state.
        activation: of the new state.
        recurrent_activation: of the gates.
        use_bias: whether a bias is added.
        kernel_initializer: of `kernel`, `(features, 3 * units)`.
        recurrent_initializer: of `recurrent_kernel`, `(units, 3 * units)`.
        bias_initializer: of `bias`, `(2, 3 * units)`, or `(3 * units,)` without `reset_after`.
        kernel_regularizer: adds to `losses`.
        recurrent_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        kernel_constraint: applied to `kernel` after each update.
        recurrent_constraint: applied to `recurrent_kernel` after each update.
        bias_constraint: applied to `bias` after each update.
        dropout: the share of the inputs' features dropped in training.
        recurrent_dropout: the share of the state's features dropped in training.
        reset_after: whether the reset gate acts after the product with the recurrent kernel.
        seed: of both dropouts.

    Input: `(batch, features)` and `[h]`, `(batch, units)`.
    Output: `(batch, units)` and the next `[h]`.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, recurrent_activation, use_bias, dropout, recurrent_dropout, seed,
            **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.reset_after = reset_after

    def _bias(self, width: int) -> Any:
        return self._weight("bias", (2, width) if self.reset_after else (width,))

    def step(
        self, inputs: Tensor, states: list[Tensor], noise: Noise
    ) -> tuple[Tensor, list[Tensor]]:
        """One step, with the factors that `noise` gave."""
        h = states[0]
        kept = with_noise(h, noise[1])
        recurrent, gate = self.recurrent_kernel.value, self.recurrent_activation
        x = ops.matmul(with_noise(inputs, noise[0]), self.kernel.value)
        bias = None if self.bias is None else self.bias.value
        if bias is not None:
            x = x + (bias[0] if self.reset_after else bias)
        xz, xr, xn = ops.split(x, 3, -1)
        if self.reset_after:
            inner = ops.matmul(kept, recurrent)
            if bias is not None:
                inner = inner + bias[1]
            hz, hr, hn = ops.split(inner, 3, -1)
            new = self.activation(xn + gate(xr + hr) * hn)
        else:
            first, last = recurrent[:, : 2 * self.units], recurrent[:, 2 * self.units :]
            hz, hr = ops.split(ops.matmul(kept, first), 2, -1)
            new = self.activation(xn + ops.matmul(gate(xr + hr) * kept, last))
        z = gate(xz + hz)
        h = z * h + (1.0 - z) * new
        return h, [h]


class GRU(GatedRNN):
    """A gated recurrent unit layer; see `GRUCell` for the formula.

    Args:
        activity_regularizer: of the output.
        return_sequences: whether all outputs are returned, instead of the last.
        return_state: whether the last state is returned too.
        go_backwards: run from the end; outputs come in the order in which they were made.
        stateful: begin each batch with the state in which the last one ended.
        unroll: write the steps out instead of looping.
        use_cudnn: "auto" or True for the backend's fused kernel where it has one, False for none.

    The other arguments are those of `GRUCell`; what dropout removes is the same at every step.

    Input, `initial_state`, `mask` and output: as in `RNN`.

    >>> GRU(8, return_sequences=True).compute_output_shape((None, 10, 3))
    (None, 10, 8)
    """

    reset_after = OfCell()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer,
            recurrent_initializer, bias_initializer, kernel_regularizer, recurrent_regularizer,
            bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, reset_after, seed, name="gru_cell",
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
        options = {**options, "reset_after": self.reset_after}
        return ops.gru(
            sequences, states[0], cell.kernel, cell.recurrent_kernel, cell.bias, **options
        )
