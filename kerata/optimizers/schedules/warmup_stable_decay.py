"""Warm-up, a plateau, and a short decay."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.optimizers.schedules.schedule import LearningRateSchedule

DECAYS = ("linear", "cosine", "sqrt", "exponential")


class WarmupStableDecay(LearningRateSchedule):
    """Rises in a straight line, stays, and falls at the end (Hu et al., 2024).

    As the plateau does not depend on how long training will be, it can be prolonged from a
    checkpoint on it, and several decays can start from one.

    Args:
        peak_learning_rate: the rate of the plateau.
        warmup_steps: how long it rises from 0.
        stable_steps: how long it stays.
        decay_steps: how long it falls.
        end_learning_rate: the rate at which it stays afterwards.
        decay: the shape of the fall, `p` being the share of `decay_steps` done: "linear", `1 - p`;
            "cosine", `(1 + cos(π * p)) / 2`; "sqrt", `1 - sqrt(p)` (Hägele et al., 2024);
            "exponential", `(end / peak) ** p`, which needs an `end_learning_rate` above 0.
        name: its name.

    Raises:
        ValueError: an argument is out of its range.

    >>> schedule = WarmupStableDecay(1.0, 10, 20, 10)
    >>> [float(schedule(step)) for step in (0, 5, 10, 29, 35, 40)]
    [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        peak_learning_rate: float,
        warmup_steps: int,
        stable_steps: int,
        decay_steps: int,
        end_learning_rate: float = 0.0,
        decay: str = "linear",
        name: str = "WarmupStableDecay",
    ) -> None:
        lengths = {
            "warmup_steps": warmup_steps, "stable_steps": stable_steps, "decay_steps": decay_steps,
        }  # fmt: skip
        for argument, length in lengths.items():
            if length < 0:
                raise ValueError(
                    f"WarmupStableDecay: {argument} must not be negative; got {length}"
                )
        if decay not in DECAYS:
            raise ValueError(f"WarmupStableDecay: decay must be one of {DECAYS}; got {decay!r}")
        if decay == "exponential" and end_learning_rate <= 0:
            raise ValueError(
                "WarmupStableDecay: an exponential decay needs an end_learning_rate above 0; got "
                f"{end_learning_rate}"
            )
        self.peak_learning_rate = peak_learning_rate
        self.warmup_steps = warmup_steps
        self.stable_steps = stable_steps
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.decay = decay
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step = ops.cast(step, "float32")
        peak, end = self.peak_learning_rate, self.end_learning_rate
        fallen = ops.subtract(step, float(self.warmup_steps + self.stable_steps))
        done = ops.clip(ops.divide(fallen, float(max(self.decay_steps, 1))), 0.0, 1.0)
        if self.decay == "exponential":
            rate = ops.multiply(peak, ops.exp(ops.multiply(done, math.log(end / peak))))
        else:
            rate = ops.add(end, ops.multiply(self._left(done), peak - end))
        if not self.decay_steps:
            rate = ops.where(ops.less(fallen, 0.0), peak, end)
        if not self.warmup_steps:
            return rate
        return ops.multiply(rate, ops.minimum(ops.divide(step, float(self.warmup_steps)), 1.0))

    def _left(self, done: Tensor) -> Tensor:
        """The share of the way from peak to end that is left."""
        if self.decay == "cosine":
            return ops.multiply(ops.add(1.0, ops.cos(ops.multiply(done, math.pi))), 0.5)
        return ops.subtract(1.0, ops.sqrt(done) if self.decay == "sqrt" else done)
