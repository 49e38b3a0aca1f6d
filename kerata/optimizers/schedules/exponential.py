"""Exponential decay."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.optimizers.schedules.schedule import LearningRateSchedule


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after so many steps the rate is multiplied by `decay_rate`.
        decay_rate: the factor.
        staircase: round `step / decay_steps` down, so that the rate falls in steps.
        name: its name.

    >>> round(float(ExponentialDecay(0.1, 10, 0.5)(20)), 6)
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name
        if decay_steps <= 0:
            raise ValueError(f"ExponentialDecay: decay_steps must be positive; got {decay_steps}")

    def __call__(self, step: Any) -> Tensor:
        power = ops.divide(ops.cast(step, "float32"), float(self.decay_steps))
        if self.staircase:
            power = ops.floor(power)
        return ops.multiply(ops.power(self.decay_rate, power), self.initial_learning_rate)
