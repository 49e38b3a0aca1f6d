"""Activations as layers."""

from kerata.layers.activation.activation import Activation
from kerata.layers.activation.elu import ELU
from kerata.layers.activation.leaky_relu import LeakyReLU
from kerata.layers.activation.prelu import PReLU
from kerata.layers.activation.relu import ReLU
from kerata.layers.activation.softmax import Softmax

__all__ = ["Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]
