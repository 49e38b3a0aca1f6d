"""Inverse time decay."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.optimizers.schedules.schedule import LearningRateSchedule


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the unit of time.
        decay_rate: how fast it falls.
        staircase: round `step / decay_steps` down, so that the rate falls in steps.
        name: its name.

    >>> round(float(InverseTimeDecay(0.1, 10, 1.0)(10)), 6)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name
        if decay_steps <= 0:
            raise ValueError(f"InverseTimeDecay: decay_steps must be positive; got {decay_steps}")

    def __call__(self, step: Any) -> Tensor:
        periods = ops.divide(ops.cast(step, "float32"), float(self.decay_steps))
        periods = ops.floor(periods) if self.staircase else periods
        slower = ops.add(ops.multiply(periods, self.decay_rate), 1.0)
        return ops.divide(self.initial_learning_rate, slower)
