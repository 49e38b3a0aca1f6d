"""Polynomial decay."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.optimizers.schedules.schedule import LearningRateSchedule


class PolynomialDecay(LearningRateSchedule):
    """`(start - end) * (1 - step / decay_steps) ** power + end`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how long it falls.
        end_learning_rate: the rate at which it stays.
        power: 1 for a straight line.
        cycle: start again from `decay_steps`, with a period that grows.
        name: its name.

    >>> round(float(PolynomialDecay(0.1, 10, 0.0)(5)), 6)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step, length = ops.cast(step, "float32"), float(self.decay_steps)
        if self.cycle:
            whole = ops.multiply(ops.maximum(ops.ceil(ops.divide(step, length)), 1.0), length)
        else:
            step, whole = ops.minimum(step, length), length
        left = ops.subtract(1.0, ops.divide(step, whole))
        fall = self.initial_learning_rate - self.end_learning_rate
        return ops.add(ops.multiply(ops.power(left, self.power), fall), self.end_learning_rate)
