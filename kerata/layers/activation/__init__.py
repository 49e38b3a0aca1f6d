"""Activations as layers."""

from kerata.layers.activation.activation import Activation
from kerata.layers.activation.rectifiers import ELU, LeakyReLU, PReLU, ReLU
from kerata.layers.activation.softmax import Softmax

__all__ = ["Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]
