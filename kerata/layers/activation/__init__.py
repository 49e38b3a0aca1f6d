"""Activations as layers."""

from kerata.layers.activation.activation import Activation
from kerata.layers.activation.relu import ReLU

__all__ = ["Activation", "ReLU"]
