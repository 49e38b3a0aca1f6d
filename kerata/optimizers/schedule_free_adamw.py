"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """Adam whose weights are an average of where its steps lead (Defazio et al., 2024).

    No schedule of the learning rate is needed. The variables hold `y`, between the point `z` that
    the steps move and the running average `x`; `finalize_variable_values` leaves them at `x`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the share of the average in the variables.
        beta_2: the share of the mean square that each step keeps.
        epsilon: keeps quotients finite.
        warmup_steps: how many steps the rate rises.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.momentums, self.velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        for slot, variable in zip(self.momentums, variables, strict=True):
            slot.assign(variable.value)

    def _decay(self, variables: list[Variable], rate: Tensor) -> None:
        pass  # part of the step: the variables are no place to change

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        t = ops.cast(self.iterations + 1, variable.dtype)
        y, z, velocity = variable.value, self.momentums[place], self.velocities[place]
        if self.warmup_steps:
            rate = rate * ops.minimum(t / self.warmup_steps, 1.0)
        v = velocity.value * self.beta_2 + g * g * (1.0 - self.beta_2)
        velocity.assign(v)
        spread = ops.sqrt(v / (1.0 - ops.power(self.beta_2, t))) + self.epsilon
        x = (y - z.value * (1.0 - self.beta_1)) / self.beta_1
        point = z.value - rate * g / spread
        if self.weight_decay is not None and self._decays(variable):
            point = point - rate * self.weight_decay * y
        share = 1.0 / t
        x = x * (1.0 - share) + point * share
        z.assign(point)
        variable.assign(x * self.beta_1 + point * (1.0 - self.beta_1))

    def finalize_variable_values(self, var_list: Any) -> None:
        """Set the variables to the average."""
        known = self._known(var_list)
        for variable, z in zip(known, self.slots_of(self.momentums, known), strict=True):
            x = (variable.value - z.value * (1.0 - self.beta_1)) / self.beta_1
            variable.assign(x)
