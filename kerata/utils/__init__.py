"""Helpers around models."""

from kerata.backend import clear_session
from kerata.core.seeds import set_random_seed

__all__ = ["clear_session", "set_random_seed"]
