"""A rate that is constant between given steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata import ops
from kerata.ops.dispatch import Tensor
from kerata.optimizers.schedules.schedule import LearningRateSchedule


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` at the steps after `boundaries[i - 1]` and up to `boundaries[i]`.

    Args:
        boundaries: steps, in rising order.
        values: rates, one more than boundaries.
        name: its name.

    Raises:
        ValueError: the lengths don't fit.

    >>> schedule = PiecewiseConstantDecay([2], [0.5, 0.25])
    >>> float(schedule(2)), float(schedule(3))
    (0.5, 0.25)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay needs one value more than boundaries; got "
                f"{len(values)} values and {len(boundaries)} boundaries"
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        passed = ops.greater(ops.cast(step, "float32"), np.array(self.boundaries, np.float32))
        return ops.take(np.array(self.values, np.float32), ops.count_nonzero(passed))
