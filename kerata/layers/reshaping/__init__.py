"""Layers that move elements without changing them."""

from kerata.layers.reshaping.flatten import Flatten
from kerata.layers.reshaping.reshape import Reshape

__all__ = ["Flatten", "Reshape"]
