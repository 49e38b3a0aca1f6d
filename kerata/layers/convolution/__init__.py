"""Convolutions."""

from kerata.layers.convolution.conv import Conv1D, Conv2D, Conv3D
from kerata.layers.convolution.conv_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
from kerata.layers.convolution.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from kerata.layers.convolution.separable_conv import SeparableConv1D, SeparableConv2D

__all__ = [
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
]  # fmt: skip
