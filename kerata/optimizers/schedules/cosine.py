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


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay that starts again, each period longer and lower (Loshchilov & Hutter, 2017).

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: the length of the first period.
        t_mul: each period is so many times as long as the one before.
        m_mul: each period starts at so many times the rate of the one before.
        alpha: the share of the initial rate that is the least.
        name: its name.

    >>> [round(float(CosineDecayRestarts(0.1, 10)(step)), 3) for step in (0, 5, 10, 20)]
    [0.1, 0.05, 0.1, 0.05]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name
        if first_decay_steps <= 0:
            raise ValueError(
                f"CosineDecayRestarts: first_decay_steps must be positive; got {first_decay_steps}"
            )

    def __call__(self, step: Any) -> Tensor:
        periods = ops.divide(ops.cast(step, "float32"), float(self.first_decay_steps))
        if self.t_mul == 1.0:
            restarts = ops.floor(periods)
            done = ops.subtract(periods, restarts)
        else:
            grown = ops.subtract(1.0, ops.multiply(periods, 1.0 - self.t_mul))
            restarts = ops.floor(ops.divide(ops.log(grown), math.log(self.t_mul)))
            length = ops.power(self.t_mul, restarts)
            begun = ops.divide(ops.subtract(1.0, length), 1.0 - self.t_mul)
            done = ops.divide(ops.subtract(periods, begun), length)
        height = ops.power(self.m_mul, restarts)
        cosine = ops.multiply(ops.add(ops.cos(ops.multiply(done, math.pi)), 1.0), 0.5)
        share = ops.multiply(ops.multiply(cosine, height), 1.0 - self.alpha)
        return ops.multiply(ops.add(share, self.alpha), self.initial_learning_rate)
