"""Nadam."""

from __future__ import annotations

from collections.abc import Sequence

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.moments import TwoMoments


class Nadam(TwoMoments):
    """Adam with Nesterov's momentum (Dozat, 2016).

    The momentum follows the schedule `beta_1 * (1 - 0.96^t / 2)`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the share of the mean gradient that each step keeps.
        beta_2: the share of the mean square that each step keeps.
        epsilon: keeps quotients finite.
        weight_decay: see `Optimizer`, like the others.
    """

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots, and the product of the momentums."""
        if self.built:
            return
        super().build(variables)
        self.product = self.add_variable((), "ones", name="momentum_product")

    def _momentum_at(self, t: Tensor) -> Tensor:
        return self.beta_1 * (1.0 - 0.5 * ops.power(0.96, t))

    def update_all(
        self,
        variables: Sequence[Variable],
        gradients: Sequence[Tensor],
        learning_rate: Tensor,
        step: Tensor,
    ) -> None:
        t = ops.cast(step, "float32")
        self.product.assign(self.product.value * self._momentum_at(t))
        for variable, gradient in zip(variables, gradients, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        t = ops.cast(self.iterations + 1, "float32")
        now, later = self._momentum_at(t), self._momentum_at(t + 1.0)
        product = self.product.value
        m = self.momentums[place].value * self.beta_1 + g * (1.0 - self.beta_1)
        v = self.spreads[place].value * self.beta_2 + g * g * (1.0 - self.beta_2)
        self.momentums[place].assign(m)
        self.spreads[place].assign(v)
        ahead = ops.cast(later / (1.0 - product * later), variable.dtype)
        here = ops.cast((1.0 - now) / (1.0 - product), variable.dtype)
        spread = v / ops.cast(1.0 - ops.power(self.beta_2, t), variable.dtype)
        step = (ahead * m + here * g) / (ops.sqrt(spread) + self.epsilon)
        variable.assign(variable.value - rate * step)
