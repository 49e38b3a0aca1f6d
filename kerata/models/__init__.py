"""Models: `Model` for graphs and subclasses, `Sequential` for stacks."""

from kerata.models.model import Model
from kerata.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
