"""Colours."""

from __future__ import annotations

from kerata.backends import dtypes
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.layout import name_of, sides, working

__all__ = ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb")

_LUMA = (0.2989, 0.5870, 0.1140)  # ITU-R BT.601


@composite()
def rgb_to_grayscale(images: Tensor, data_format: str | None = None) -> Tensor:
    """The brightness of colours, `0.2989 red + 0.587 green + 0.114 blue`.

    Args:
        images: `(height, width, 3)`, or a batch of them; those with one channel stay as they are.
        data_format: where the channels are.

    Returns:
        The same with one channel; ints lose the fraction.
    """
    _, _, axis = sides("rgb_to_grayscale", images, data_format)
    depth = sh.shape(images)[axis]
    if depth == 1:
        return images
    _three("rgb_to_grayscale", images, axis)
    dtype = name_of(images)
    red, green, blue = sh.split(ew.cast(images, working(dtype)), 3, axis)
    return ew.cast(red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2], dtype)


def _three(name: str, images: Tensor, axis: int) -> None:
    if sh.shape(images)[axis] != 3:
        raise ValueError(
            f"{name}: images must have 3 channels; got {sh.shape(images)[axis]} on axis {axis} of "
            f"the shape {tuple(sh.shape(images))}"
        )


def _channels(name: str, images: Tensor, data_format: str | None) -> tuple[list[Tensor], int]:
    """The three channels of float images, computed with in float32 at least, and their axis."""
    _, _, axis = sides(name, images, data_format)
    dtype = name_of(images)
    if not dtypes.is_float(dtype):
        raise ValueError(f"{name}: images must be of a float dtype; got {dtype}")
    _three(name, images, axis)
    return sh.split(ew.cast(images, working(dtype)), 3, axis), axis


@composite()
def rgb_to_hsv(images: Tensor, data_format: str | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value, all from 0 to 1 (Smith, 1978).

    Args:
        images: floats, `(height, width, 3)`, or a batch of them.
        data_format: where the channels are.
    """
    (red, green, blue), axis = _channels("rgb_to_hsv", images, data_format)
    value = ew.maximum(ew.maximum(red, green), blue)
    spread = value - ew.minimum(ew.minimum(red, green), blue)
    gray, black = ew.equal(spread, 0.0), ew.less_equal(value, 0.0)
    saturation = ew.where(black, 0.0, spread / ew.where(black, 1.0, value))
    width = ew.where(gray, 1.0, spread) * 6.0
    hue = ew.where(
        ew.equal(value, red),
        (green - blue) / width,
        ew.where(
            ew.equal(value, green),
            (blue - red) / width + 1.0 / 3.0,
            (red - green) / width + 2.0 / 3.0,
        ),
    )
    hue = ew.where(gray, 0.0, ew.where(ew.less(hue, 0.0), hue + 1.0, hue))
    return ew.cast(sh.concatenate([hue, saturation, value], axis), name_of(images))


@composite()
def hsv_to_rgb(images: Tensor, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value as red, green and blue: the inverse of `rgb_to_hsv`.

    Args:
        images: floats, `(height, width, 3)`, or a batch of them.
        data_format: where the channels are.
    """
    (hue, saturation, value), axis = _channels("hsv_to_rgb", images, data_format)
    angle = hue * 6.0
    shares = (
        ew.absolute(angle - 3.0) - 1.0,
        2.0 - ew.absolute(angle - 2.0),
        2.0 - ew.absolute(angle - 4.0),
    )
    colors = [
        ((ew.minimum(ew.maximum(s, 0.0), 1.0) - 1.0) * saturation + 1.0) * value for s in shares
    ]
    return ew.cast(sh.concatenate(colors, axis), name_of(images))
