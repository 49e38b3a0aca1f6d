"""The base of learning-rate schedules."""

from __future__ import annotations

from typing import Any

from kerata.core.config_object import Configurable
from kerata.ops.dispatch import Tensor


class LearningRateSchedule(Configurable):
    """A learning rate that follows from the number of steps taken: `__call__(step)` returns it."""

    def __call__(self, step: Any) -> Tensor:
        """The learning rate at `step`, an int or a scalar tensor that counts from 0."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, step)")
