"""Layers that bring activations, or weights, to one scale."""

from kerata.layers.normalization.batch_normalization import BatchNormalization
from kerata.layers.normalization.group_normalization import GroupNormalization
from kerata.layers.normalization.layer_normalization import LayerNormalization
from kerata.layers.normalization.rms_normalization import RMSNormalization
from kerata.layers.normalization.spectral_normalization import SpectralNormalization
from kerata.layers.normalization.unit_normalization import UnitNormalization

__all__ = [
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization",
    "SpectralNormalization", "UnitNormalization",
]  # fmt: skip
