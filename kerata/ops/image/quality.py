"""How alike two images are."""

from __future__ import annotations

import math

from kerata.backends.geometry import shapes_agree
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.filters import blurred, gaussian
from kerata.ops.image.layout import last_and_batched, name_of, sides, working

__all__ = ("psnr", "ssim")


@composite(promote="float")
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio in decibels, `20 log10(max_val) - 10 log10(mean((x1 - x2)²))`.

    Args:
        x1: any shape.
        x2: the same shape.
        max_val: the largest value there can be.

    Returns:
        One number for all of it; infinity where both are equal.
    """
    if not shapes_agree(sh.shape(x1), sh.shape(x2)):
        raise ValueError(
            f"psnr: x1 and x2 must have the same shape; got {tuple(sh.shape(x1))} and "
            f"{tuple(sh.shape(x2))}"
        )
    dtype = name_of(x1)
    wide = working(dtype)
    error = red.mean(ew.square(ew.cast(x1, wide) - ew.cast(x2, wide)))
    signal = 20.0 * math.log10(max_val)
    return ew.cast(signal - ew.log(error) * (10.0 / math.log(10.0)), dtype)


@composite(promote="float", operands=("image1", "image2"))
def ssim(
    image1: Tensor,
    image2: Tensor,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The mean structural similarity of images (Wang, Bovik, Sheikh and Simoncelli, 2004).

    Args:
        image1: `(height, width, channels)`, or a batch of them.
        image2: the same shape.
        max_val: the largest value there can be.
        filter_size: the side of the Gaussian windows, at most that of the images.
        filter_sigma: their standard deviation in pixels.
        k1: of the constant that steadies the comparison of means.
        k2: of the constant that steadies the comparison of variances.
        data_format: where the channels are.

    Returns:
        `(batch,)`, or a scalar for one image; 1 where both are equal.
    """
    height, width, channels = sides("ssim", image1, data_format)
    shape = sh.shape(image1)
    if not shapes_agree(sh.shape(image1), sh.shape(image2)):
        raise ValueError(
            f"ssim: the images must have the same shape; got {tuple(shape)} and "
            f"{tuple(sh.shape(image2))}"
        )
    if any(isinstance(n, int) and n < filter_size for n in (shape[height], shape[width])):
        raise ValueError(
            f"ssim: filter_size {filter_size} is larger than the images, {tuple(shape)}"
        )
    dtype = name_of(image1)
    wide = working(dtype)
    a, b = (ew.cast(last_and_batched(x, channels), wide) for x in (image1, image2))
    weights = gaussian(filter_size, filter_sigma, wide)
    means = blurred(sh.concatenate([a, b, a * a + b * b, a * b], -1), weights, weights, "valid")
    mean_a, mean_b, squares, product = sh.split(means, 4, -1)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    both, each = mean_a * mean_b, ew.square(mean_a) + ew.square(mean_b)
    light = (2.0 * both + c1) / (each + c1)
    contrast = (2.0 * (product - both) + c2) / (squares - each + c2)
    y = ew.cast(red.mean(light * contrast, (1, 2, 3)), dtype)
    return sh.squeeze(y, 0) if len(shape) == 3 else y
