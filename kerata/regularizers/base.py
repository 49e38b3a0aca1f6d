"""The base of regularizers."""

from __future__ import annotations

from typing import Any

from kerata.core.config_object import Configurable
from kerata.ops.dispatch import Tensor


class Regularizer(Configurable):
    """A penalty on weights or activations: `__call__(x)` returns a scalar to be minimized."""

    def __call__(self, x: Tensor) -> Tensor:
        """The penalty, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, x)")


def checked(name: str, value: Any, default: float) -> float:
    """`value` as a float, `default` where it is None.

    Raises:
        ValueError: it is no finite number of at least 0.
    """
    if value is None:
        return default
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a finite number of at least 0; got {value!r}")
    return float(value)
