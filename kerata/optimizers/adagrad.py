"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.initializers import Constant
from kerata.ops.dispatch import Tensor
from kerata.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients so far (Duchi et al., 2011).

    `v += g²` and `w -= learning_rate * g / sqrt(v + epsilon)`.

    Args:
        learning_rate: see `Optimizer`.
        initial_accumulator_value: where the sum of squares starts.
        epsilon: keeps quotients finite.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        start = Constant(self.initial_accumulator_value)
        self.squares = self.add_optimizer_variables(variables, "accumulator", start)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        square = self.squares[place].value + g * g
        self.squares[place].assign(square)
        variable.assign(variable.value - rate * g * ops.rsqrt(square + self.epsilon))
