"""Filters: each pixel becomes a weighted sum of those around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.layout import (
    as_before,
    finished,
    last_and_batched,
    name_of,
    sides,
    working,
)  # fmt: skip
from kerata.ops.indexing import getitem
from kerata.ops.spatial import depthwise_conv

__all__ = ("gaussian_blur", "sobel_edges")


def gaussian(size: int, sigma: Any, dtype: str) -> Tensor:
    """`(size,)`: a Gaussian around the middle, its sum 1."""
    places = sh.convert_to_tensor(np.arange(size) - (size - 1) / 2, dtype)
    weights = ew.exp(ew.square(places / ew.cast(sigma, dtype)) * -0.5)
    return weights / red.sum(weights)


def blurred(x: Tensor, down: Tensor, across: Tensor, padding: str = "same") -> Tensor:
    """`(batch, height, width, channels)` filtered by one vector of weights along each side."""
    depth = sh.shape(x)[-1]
    for weights, axis in ((down, 1), (across, 0)):
        kernel = sh.expand_dims(weights, (axis, 2, 3))
        shape = list(sh.shape(kernel))
        shape[2] = depth
        kernel = sh.broadcast_to(kernel, tuple(shape))
        x = depthwise_conv(x, kernel, 1, padding, "channels_last")
    return x


@composite()
def gaussian_blur(
    images: Tensor,
    kernel_size: Any = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Images blurred by a Gaussian; what lies beyond their edges counts as 0.

    Args:
        images: `(height, width, channels)`, or a batch of them.
        kernel_size: how many pixels take part, across and down.
        sigma: the standard deviations in pixels, across and down; numbers or scalar tensors.
        data_format: where the channels are.
    """
    size = tuple(kernel_size) if isinstance(kernel_size, (list, tuple)) else ()
    if len(size) != 2 or any(not isinstance(k, int) or k < 1 for k in size):
        raise ValueError(
            f"gaussian_blur: kernel_size must be two positive ints; got {kernel_size!r}"
        )
    _, _, channels = sides("gaussian_blur", images, data_format)
    dtype = name_of(images)
    wide = working(dtype)
    x = ew.cast(last_and_batched(images, channels), wide)
    across, down = (gaussian(size[i], sigma[i], wide) for i in (0, 1))
    y = as_before(blurred(x, down, across), channels, len(sh.shape(images)))
    return finished(y, dtype)


@composite()
def sobel_edges(images: Tensor, data_format: str | None = None) -> Tensor:
    """How fast images change downwards and to the right (Sobel and Feldman, 1968).

    Args:
        images: `(height, width, channels)`, or a batch of them; 0 beyond the edges.
        data_format: where the channels are.

    Returns:
        The shape of `images` and an axis of 2: the change along the height, and along the width.
        Ints narrower than 32 bits give int32.
    """
    height, width, _ = sides("sobel_edges", images, data_format)
    dtype = name_of(images)
    if not dtypes.is_float(dtype):
        images = ew.cast(images, "int64" if dtype in ("int64", "uint32", "uint64") else "int32")
    changes = [
        _smoothed(_changed(images, axis), other)
        for axis, other in ((height, width), (width, height))
    ]
    return sh.stack(changes, -1)


def _beside(x: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each element along `axis` the one before, itself, and the one after."""
    pairs = [(0, 0)] * len(sh.shape(x))
    pairs[axis] = (1, 1)
    wide, before = sh.pad(x, pairs), (slice(None),) * axis
    return getitem(wide, (*before, slice(0, -2))), x, getitem(wide, (*before, slice(2, None)))


def _changed(x: Tensor, axis: int) -> Tensor:
    before, _, after = _beside(x, axis)
    return after - before


def _smoothed(x: Tensor, axis: int) -> Tensor:
    before, middle, after = _beside(x, axis)
    return before + middle * 2 + after
