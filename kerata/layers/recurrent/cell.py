"""The base of the library's cells."""

from __future__ import annotations

from typing import Any, ClassVar

from kerata import activations, ops
from kerata.core.seeds import SeedGenerator
from kerata.layers.arguments import WeightedLayer, number, positive
from kerata.layers.regularization.dropout import dropped
from kerata.ops.dispatch import Tensor

Noise = tuple["Tensor | None", "Tensor | None"]


class GatedCell(WeightedLayer):
    """One step of a recurrence whose gates share a kernel and a recurrent kernel.

    Subclasses define `step(self, inputs, states, noise)`, and keep the arguments of their weights.

    Attributes:
        gates: how many there are.
    """

    gates: ClassVar[int]

    def __init__(
        self,
        units: int,
        activation: Any,
        recurrent_activation: Any,
        use_bias: bool,
        dropout: float,
        recurrent_dropout: float,
        seed: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = positive(self, "units", units)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.dropout = number(self, "dropout", dropout, 0, 1)
        self.recurrent_dropout = number(self, "recurrent_dropout", recurrent_dropout, 0, 1)
        self.seed = seed
        self.state_size: Any = self.units
        self.output_size = self.units
        if dropout or recurrent_dropout:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Make kernel, recurrent kernel and bias."""
        width = self.gates * self.units
        self.kernel = self._weight("kernel", (input_shape[-1], width))
        self.recurrent_kernel = self._weight(
            "recurrent_kernel", (self.units, width), prefix="recurrent"
        )
        self.bias = self._bias(width) if self.use_bias else None

    def _bias(self, width: int) -> Any:
        return self._weight("bias", (width,))

    def get_initial_state(self, batch_size: Any) -> list[Tensor]:
        """Zeros."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), self.compute_dtype) for size in sizes]

    def call(
        self, inputs: Tensor, states: list[Tensor], training: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """The output, and the next states."""
        return self.step(inputs, list(states), self.noise(inputs, states, training))

    def begin(self, inputs: Tensor, states: Any, training: bool) -> Any:
        """`step` as a function of inputs and states, with the same draws for a whole sequence."""
        noise = self.noise(inputs, states, training)
        return lambda x, states: self.step(x, states, noise)

    def noise(self, inputs: Tensor, states: Any, training: bool) -> Noise:
        """Factors for `(inputs, states)`: what dropout removes is 0. None where it does nothing."""
        if not training:
            return None, None
        return self._factors(inputs, self.dropout), self._factors(states[0], self.recurrent_dropout)

    def _factors(self, x: Tensor, rate: float) -> Tensor | None:
        return dropped(ops.ones_like(x), rate, self.seed_generator) if rate else None

    def step(
        self, inputs: Tensor, states: list[Tensor], noise: Noise
    ) -> tuple[Tensor, list[Tensor]]:
        """One step, with the factors that `noise` gave."""
        raise NotImplementedError(f"{type(self).__name__} must define step")


class ProjectingCell:
    """A cell whose inputs meet the states only after a product of their own.

    Subclasses define `project(inputs)` and `recur(projected, states, noise)`.
    """

    def step(
        self: Any, inputs: Tensor, states: list[Tensor], noise: Noise
    ) -> tuple[Tensor, list[Tensor]]:
        """One step, with the factors that `noise` gave."""
        found: tuple[Tensor, list[Tensor]] = self.recur(
            self.project(with_noise(inputs, noise[0])), states, noise
        )
        return found


def with_noise(x: Tensor, factors: Tensor | None) -> Tensor:
    """`x` times the factors that `GatedCell.noise` gave."""
    return x if factors is None else ops.multiply(x, factors)
