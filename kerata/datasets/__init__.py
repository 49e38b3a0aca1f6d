"""Data sets to try a model on."""

from kerata.datasets import digits

__all__ = ["digits"]
