"""The base of constraints."""

from __future__ import annotations

from kerata.core.config_object import Configurable
from kerata.ops.dispatch import Tensor


class Constraint(Configurable):
    """What weights are brought back to after each update: `__call__(w)` returns new weights."""

    def __call__(self, w: Tensor) -> Tensor:
        """`w` made to fulfil the constraint, of the same shape and dtype."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, w)")
