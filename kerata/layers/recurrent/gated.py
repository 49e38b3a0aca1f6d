"""The bases of recurrent layers over the library's own cells."""

from __future__ import annotations

from typing import Any

from kerata import activations, ops
from kerata.layers.arguments import one_of
from kerata.layers.input_spec import InputSpec
from kerata.layers.recurrent.cell import GatedCell, with_noise
from kerata.layers.recurrent.rnn import RNN
from kerata.ops.dispatch import Tensor


class OfCell:
    """An attribute that is the cell's."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        return self if layer is None else getattr(layer.cell, self._name)


class UnitRNN(RNN):
    """`RNN` over a cell of the library's, whose arguments are its own."""

    units, activation, use_bias = OfCell(), OfCell(), OfCell()
    kernel_initializer, recurrent_initializer, bias_initializer = OfCell(), OfCell(), OfCell()
    kernel_regularizer, recurrent_regularizer, bias_regularizer = OfCell(), OfCell(), OfCell()
    kernel_constraint, recurrent_constraint, bias_constraint = OfCell(), OfCell(), OfCell()
    dropout, recurrent_dropout = OfCell(), OfCell()

    def __init__(self, cell: GatedCell, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _thinned(self, sequences: Tensor, factors: Tensor | None) -> Tensor:
        """The sequences, the same features dropped at every step."""
        return with_noise(sequences, None if factors is None else ops.expand_dims(factors, 1))


class ProjectedRNN(UnitRNN):
    """`UnitRNN` that projects the inputs of all steps at once: its cell is a `ProjectingCell`."""

    cell: Any

    def _projected(self, sequences: Tensor) -> Tensor:
        """What the cell's `project` makes of every step."""
        found: Tensor = self.cell.project(sequences)
        return found

    def inner_loop(
        self, sequences: Tensor, initial_state: list[Tensor], mask: Any, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The last output, all outputs, and the last states."""
        cell = self.cell
        noise = cell.noise(sequences[:, 0], initial_state, training)
        projected = self._projected(self._thinned(sequences, noise[0]))

        def step(x: Any, states: Any) -> tuple[Any, list[Any]]:
            found: tuple[Any, list[Any]] = cell.recur(x, states, noise)
            return found

        return self._run(step, projected, initial_state, mask)


class GatedRNN(UnitRNN):
    """`UnitRNN` by one operation where that is possible.

    Subclasses define `fused(self, sequences, states, options)`.
    """

    recurrent_activation = OfCell()
    cell: GatedCell

    def __init__(self, cell: GatedCell, use_cudnn: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.use_cudnn = one_of(self, "use_cudnn", use_cudnn, ("auto", True, False))

    def inner_loop(
        self, sequences: Tensor, initial_state: list[Tensor], mask: Any, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The last output, all outputs, and the last states."""
        cell = self.cell
        stepwise = self.unroll or self.use_cudnn is False
        if stepwise or (training and cell.recurrent_dropout):
            return super().inner_loop(sequences, initial_state, mask, training)
        if training and cell.dropout:
            factors, _ = cell.noise(sequences[:, 0], initial_state, training)
            sequences = self._thinned(sequences, factors)
        options = {
            "mask": mask,
            "activation": _plain(cell.activation),
            "recurrent_activation": _plain(cell.recurrent_activation),
            "go_backwards": self.go_backwards,
            "zero_output_for_mask": self.zero_output_for_mask,
        }
        return self.fused(sequences, initial_state, options)

    def fused(
        self, sequences: Tensor, states: list[Tensor], options: dict[str, Any]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The whole recurrence in one operation."""
        raise NotImplementedError(f"{type(self).__name__} must define fused")


def _plain(activation: Any) -> Any:
    """The operation behind an activation, by which a backend tells whether its kernel applies."""
    known = {activations.tanh: ops.tanh, activations.sigmoid: ops.sigmoid}
    return known.get(activation, activation)
