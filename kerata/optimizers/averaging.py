"""Running averages of variables, which replace them after training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.conditions import write_where

Places = Callable[[list[Variable], Sequence[Variable]], list[Variable]]


class Averages:
    """An average for each variable: `a = momentum * a + (1 - momentum) * w` after each step.

    Args:
        slots: the averages.
        momentum: the share of the average that each step keeps.
        frequency: replace the variables by the averages every so many updates; None for never.
        places: `Optimizer.slots_of`.
    """

    def __init__(
        self, slots: list[Variable], momentum: float, frequency: int | None, places: Places
    ) -> None:
        self.slots = slots
        self.momentum = momentum
        self.frequency = frequency
        self._places = places

    def move(self, variables: Sequence[Variable], done: Tensor) -> None:
        """Move them after `done` earlier updates; before the first the variables stand there."""
        momentum = ops.cast(ops.greater(done, 0), "float32") * self.momentum
        for variable, average in self._pairs(variables):
            share = ops.cast(momentum, average.dtype)
            average.assign(average.value * share + variable.value * (1 - share))
        if self.frequency:
            due = ops.equal((done + 1) % self.frequency, 0)
            write_where(due, lambda: self.take(variables))

    def take(self, variables: Sequence[Variable]) -> None:
        """Replace the variables by their averages."""
        for variable, average in self._pairs(variables):
            variable.assign(average.value)

    def exchange(self, variables: Sequence[Variable]) -> None:
        """Exchange the variables and their averages."""
        for variable, average in self._pairs(variables):
            held = variable.numpy()
            variable.assign(average.numpy())
            average.assign(held)

    def _pairs(self, variables: Sequence[Variable]) -> list[tuple[Variable, Variable]]:
        return list(zip(variables, self._places(self.slots, variables), strict=True))
