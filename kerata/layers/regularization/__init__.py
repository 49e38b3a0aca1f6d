"""Layers that act on training only."""

from kerata.layers.regularization.activity_regularization import ActivityRegularization
from kerata.layers.regularization.dropout import Dropout
from kerata.layers.regularization.noise import AlphaDropout, GaussianDropout, GaussianNoise
from kerata.layers.regularization.spatial_dropout import (
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)

__all__ = [
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip
