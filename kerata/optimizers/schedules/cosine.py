"""Cosine decay, with or without a warm-up."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.optimizers.schedules.schedule import LearningRateSchedule


class CosineDecay(LearningRateSchedule):
    """`start * ((1 - alpha) * (1 + cos(π * step / decay_steps)) / 2 + alpha)`.

    With `warmup_target` the rate first rises in a straight line from `initial_learning_rate` to it,
    over `warmup_steps`, and falls from there (Loshchilov & Hutter, 2017).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how long it falls.
        alpha: the share of the rate at which it stays.
        name: its name.
        warmup_target: the rate that the warm-up reaches; None for no warm-up.
        warmup_steps: how long the warm-up is.

    >>> round(float(CosineDecay(0.1, 10)(5)), 6)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps
        if decay_steps <= 0:
            raise ValueError(f"CosineDecay: decay_steps must be positive; got {decay_steps}")

    def __call__(self, step: Any) -> Tensor:
        step = ops.cast(step, "float32")
        if self.warmup_target is None:
            return self._falling(step, self.initial_learning_rate)
        falling = self._falling(ops.subtract(step, float(self.warmup_steps)), self.warmup_target)
        if not self.warmup_steps:
            return falling
        rise = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        rising = ops.add(ops.multiply(step, rise), self.initial_learning_rate)
        return ops.where(ops.less(step, float(self.warmup_steps)), rising, falling)

    def _falling(self, step: Tensor, start: float) -> Tensor:
        done = ops.minimum(ops.divide(step, float(self.decay_steps)), 1.0)
        cosine = ops.multiply(ops.add(ops.cos(ops.multiply(done, math.pi)), 1.0), 0.5)
        return ops.multiply(ops.add(ops.multiply(cosine, 1.0 - self.alpha), self.alpha), start)
