"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """Steps in the ratio of the running sizes of steps and of gradients (Zeiler, 2012).

    `v = rho * v + (1 - rho) * g²`, `d = g * sqrt(u + epsilon) / sqrt(v + epsilon)`,
    `u = rho * u + (1 - rho) * d²`, `w -= learning_rate * d`.

    Args:
        learning_rate: see `Optimizer`.
        rho: the share of the running squares that each step keeps.
        epsilon: keeps quotients finite.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.squares, self.steps = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        squares, steps = self.squares[place], self.steps[place]
        square = squares.value * self.rho + g * g * (1.0 - self.rho)
        step = g * ops.sqrt(steps.value + self.epsilon) / ops.sqrt(square + self.epsilon)
        squares.assign(square)
        steps.assign(steps.value * self.rho + step * step * (1.0 - self.rho))
        variable.assign(variable.value - rate * step)
