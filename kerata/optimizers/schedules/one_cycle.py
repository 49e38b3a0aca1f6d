"""One cycle: up to a high rate and down to nothing."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.optimizers.schedules.schedule import LearningRateSchedule

ANNEALINGS = ("cosine", "linear")


class OneCycle(LearningRateSchedule):
    """Rises to `peak_learning_rate` and falls to nearly nothing (Smith & Topin, 2018).

    From `peak_learning_rate / initial_divisor` it rises over `warmup_share` of the steps, and falls
    over the rest to `peak_learning_rate / (initial_divisor * final_divisor)`. With `three_phases`
    it falls as long as it rose to where it began, and over what is left to the end.

    Args:
        peak_learning_rate: the highest rate.
        total_steps: the length of the cycle, at least 2; the last step, `total_steps - 1`, has the
            lowest rate, which stays.
        warmup_share: the share of the steps in which it rises.
        initial_divisor: see above.
        final_divisor: see above.
        annealing: "cosine" or "linear", the shape of rise and fall.
        three_phases: see above.
        name: its name.

    Raises:
        ValueError: an argument is out of its range.

    >>> cycle = OneCycle(1.0, 100, annealing="linear")
    >>> [round(float(cycle(step)), 3) for step in (0, 29, 64, 99)]
    [0.04, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        peak_learning_rate: float,
        total_steps: int,
        warmup_share: float = 0.3,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e4,
        annealing: str = "cosine",
        three_phases: bool = False,
        name: str = "OneCycle",
    ) -> None:
        if total_steps < 2:
            raise ValueError(f"OneCycle: total_steps must be at least 2; got {total_steps}")
        most = 0.5 if three_phases else 1.0
        if not 0 <= warmup_share <= most:
            raise ValueError(
                f"OneCycle: warmup_share must be from 0 to {most:g}; got {warmup_share}"
            )
        if annealing not in ANNEALINGS:
            raise ValueError(f"OneCycle: annealing must be one of {ANNEALINGS}; got {annealing!r}")
        self.peak_learning_rate = peak_learning_rate
        self.total_steps = total_steps
        self.warmup_share = warmup_share
        self.initial_divisor = initial_divisor
        self.final_divisor = final_divisor
        self.annealing = annealing
        self.three_phases = three_phases
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step = ops.cast(step, "float32")
        ends, rates = self._corners()
        found = self._between(step, ends[0], ends[1], rates[0], rates[1])
        for i in range(1, len(ends) - 1):
            later = self._between(step, ends[i], ends[i + 1], rates[i], rates[i + 1])
            found = ops.where(ops.greater(step, ends[i]), later, found)
        return found

    def _corners(self) -> tuple[list[float], list[float]]:
        """The steps where phases end, and the rates there; the first is where it begins."""
        peak, top = self.peak_learning_rate, self.warmup_share * self.total_steps - 1.0
        start = peak / self.initial_divisor
        lowest, last = start / self.final_divisor, self.total_steps - 1.0
        if self.three_phases:
            return [0.0, top, 2.0 * top, last], [start, peak, start, lowest]
        return [0.0, top, last], [start, peak, lowest]

    def _between(self, step: Tensor, begin: float, end: float, first: float, last: float) -> Tensor:
        if end <= begin:
            return ops.full_like(step, last)
        done = ops.clip(ops.divide(ops.subtract(step, begin), end - begin), 0.0, 1.0)
        if self.annealing == "cosine":
            done = ops.multiply(ops.subtract(1.0, ops.cos(ops.multiply(done, math.pi))), 0.5)
        return ops.add(first, ops.multiply(done, last - first))
