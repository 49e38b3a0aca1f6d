"""Lamb."""

from __future__ import annotations

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.moments import TwoMoments


class Lamb(TwoMoments):
    """Adam whose step for each variable is as long as the variable's norm says (You et al., 2020).

    `w -= learning_rate * |w| / |d| * d`, `d` being Adam's direction.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the share of the mean gradient that each step keeps.
        beta_2: the share of the mean square that each step keeps.
        epsilon: keeps quotients finite.
        weight_decay: see `Optimizer`, like the others.
    """

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        t = ops.cast(self.iterations + 1, variable.dtype)
        m = self.momentums[place].value * self.beta_1 + g * (1.0 - self.beta_1)
        v = self.spreads[place].value * self.beta_2 + g * g * (1.0 - self.beta_2)
        self.momentums[place].assign(m)
        self.spreads[place].assign(v)
        mean = m / (1.0 - ops.power(self.beta_1, t))
        spread = v / (1.0 - ops.power(self.beta_2, t))
        direction = mean / (ops.sqrt(spread) + self.epsilon)
        w = variable.value
        length, size = (ops.sqrt(ops.sum(ops.square(x))) for x in (w, direction))
        known = ops.logical_and(ops.greater(length, 0.0), ops.greater(size, 0.0))
        trust = ops.where(known, length / ops.where(known, size, 1.0), 1.0)
        variable.assign(w - rate * trust * direction)
