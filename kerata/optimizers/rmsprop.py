"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    `v = rho * v + (1 - rho) * g²` and `w -= learning_rate * g / sqrt(v + epsilon)`; with `centered`
    the variance takes the place of `v`, with `momentum` the steps accumulate (Hinton, 2012).

    Args:
        learning_rate: see `Optimizer`.
        rho: the share of `v` that each step keeps.
        momentum: the share of the last step that is kept.
        epsilon: keeps the quotient finite.
        centered: subtract the square of the running mean of the gradient.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")
        self.momentums = (
            self.add_optimizer_variables(variables, "momentum") if self.momentum else []
        )
        self.means = (
            self.add_optimizer_variables(variables, "average_gradient") if self.centered else []
        )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        velocity = self.velocities[place]
        v = velocity.value * self.rho + g * g * (1.0 - self.rho)
        velocity.assign(v)
        if self.centered:
            mean = self.means[place].value * self.rho + g * (1.0 - self.rho)
            self.means[place].assign(mean)
            v = v - mean * mean
        step = rate * g * ops.rsqrt(v + self.epsilon)
        if self.momentum:
            step = self.momentums[place].value * self.momentum + step
            self.momentums[place].assign(step)
        variable.assign(variable.value - step)
