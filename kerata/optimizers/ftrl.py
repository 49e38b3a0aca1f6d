"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.initializers import Constant
from kerata.ops.dispatch import Tensor
from kerata.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al., 2013): sparse weights, one rate for each.

    Args as in the paper: `n` sums squared gradients, `z` is the linear term, and the weight is
    `(clip(z, -l1, l1) - z) / (n^-p / learning_rate + 2 * l2)`.

    Args:
        learning_rate: see `Optimizer`.
        learning_rate_power: minus `p`, not positive.
        initial_accumulator_value: where `n` starts.
        l1_regularization_strength: how much small weights are brought to 0.
        l2_regularization_strength: how much large weights are brought down.
        l2_shrinkage_regularization_strength: the same, by the gradient.
        beta: added to the root of `n`.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        if initial_accumulator_value < 0:
            raise ValueError(
                f"initial_accumulator_value must not be negative; got {initial_accumulator_value}"
            )
        if learning_rate_power > 0:
            raise ValueError(f"learning_rate_power must not be positive; got {learning_rate_power}")

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        start = Constant(self.initial_accumulator_value)
        self.squares, self.linears = self.add_optimizer_variables(
            variables, ["accumulator", "linear"], [start, "zeros"]
        )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        w, squares, linears = variable.value, self.squares[place], self.linears[place]
        power = -self.learning_rate_power
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate)
        shrunk = g + 2.0 * self.l2_shrinkage_regularization_strength * w
        old, new = squares.value, squares.value + g * g
        drop = (ops.power(new, power) - ops.power(old, power)) / rate
        linear = linears.value + shrunk - drop * w
        squares.assign(new)
        linears.assign(linear)
        l1 = self.l1_regularization_strength
        curve = ops.power(new, power) / rate + 2.0 * l2
        variable.assign((ops.clip(linear, -l1, l1) - linear) / curve)
