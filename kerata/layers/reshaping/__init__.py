"""Layers that move, repeat, add or leave out elements without changing them."""

from kerata.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from kerata.layers.reshaping.reshape import Flatten, Permute, RepeatVector, Reshape
from kerata.layers.reshaping.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from kerata.layers.reshaping.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D

__all__ = [
    "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Permute", "RepeatVector", "Reshape",
    "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D",
]  # fmt: skip
