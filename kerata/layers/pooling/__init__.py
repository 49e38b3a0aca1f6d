"""Layers that summarize windows, or all of an image."""

from kerata.layers.pooling.global_pooling import GlobalAveragePooling2D
from kerata.layers.pooling.pooling import MaxPooling2D

__all__ = ["GlobalAveragePooling2D", "MaxPooling2D"]
