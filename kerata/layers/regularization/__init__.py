"""Layers that act on training only."""

from kerata.layers.regularization.dropout import Dropout

__all__ = ["Dropout"]
