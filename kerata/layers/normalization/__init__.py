"""Layers that bring activations to mean 0 and variance 1."""

from kerata.layers.normalization.batch_normalization import BatchNormalization
from kerata.layers.normalization.layer_normalization import LayerNormalization

__all__ = ["BatchNormalization", "LayerNormalization"]
