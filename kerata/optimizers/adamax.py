"""Adamax."""

from __future__ import annotations

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.moments import TwoMoments


class Adamax(TwoMoments):
    """Adam with the largest recent gradient in the place of the mean square (Kingma & Ba, 2014).

    `m = beta_1 * m + (1 - beta_1) * g`, `u = max(beta_2 * u, |g|)`,
    `w -= learning_rate / (1 - beta_1^t) * m / (u + epsilon)`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the share of the mean gradient that each step keeps.
        beta_2: the share of the largest gradient that each step keeps.
        epsilon: keeps quotients finite.
        weight_decay: see `Optimizer`, like the others.
    """

    spread = "norm"

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        t = ops.cast(self.iterations + 1, variable.dtype)
        momentum, norm = self.momentums[place], self.spreads[place]
        m = momentum.value * self.beta_1 + g * (1.0 - self.beta_1)
        u = ops.maximum(norm.value * self.beta_2, ops.absolute(g))
        momentum.assign(m)
        norm.assign(u)
        correction = 1.0 - ops.power(self.beta_1, t)
        variable.assign(variable.value - rate * m / ((u + self.epsilon) * correction))
