"""Cropping and padding images."""

from __future__ import annotations

from typing import Any

from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.layout import sides
from kerata.ops.indexing import getitem

__all__ = ("crop_images", "pad_images")


def _two(name: str, kind: str, ends: tuple[str, str], side: str, values: Any) -> None:
    """Refuse anything but two of `(first, last, target)`, or one that is negative."""
    named = (f"{ends[0]}_{kind}", f"{ends[1]}_{kind}", f"target_{side}")
    got = ", ".join(f"{n}={v}" for n, v in zip(named, values, strict=True))
    if sum(v is not None for v in values) != 2:
        raise ValueError(f"{name}: give exactly two of {', '.join(named)}; got {got}")
    if any(isinstance(v, int) and v < 0 for v in values):
        raise ValueError(f"{name}: {', '.join(named)} must not be negative; got {got}")


@composite()
def crop_images(
    images: Tensor,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images without some of the pixels at their edges.

    Of `top_cropping`, `bottom_cropping` and `target_height` exactly two are given, and of
    `left_cropping`, `right_cropping` and `target_width`.

    Args:
        images: `(height, width, channels)`, or a batch of them.
        top_cropping: how many rows to drop at the top.
        left_cropping: how many columns to drop on the left.
        bottom_cropping: how many rows to drop at the bottom.
        right_cropping: how many columns to drop on the right.
        target_height: how many rows are left.
        target_width: how many columns are left.
        data_format: where the channels are.
    """
    name = "crop_images"
    height, width, _ = sides(name, images, data_format)
    key: list[Any] = [slice(None)] * len(sh.shape(images))
    for axis, side, ends, values in (
        (height, "height", ("top", "bottom"), (top_cropping, bottom_cropping, target_height)),
        (width, "width", ("left", "right"), (left_cropping, right_cropping, target_width)),
    ):
        _two(name, "cropping", ends, side, values)
        first, last, target = values
        size = sh.shape(images)[axis]
        start = size - last - target if first is None else first
        stop = size - last if target is None else start + target
        known = isinstance(size, int)
        if known and not 0 <= start <= stop <= size:
            raise ValueError(
                f"{name}: {ends[0]}_cropping={first}, {ends[1]}_cropping={last} and "
                f"target_{side}={target} do not fit a {side} of {size}"
            )
        key[axis] = slice(start, stop)
    return getitem(images, tuple(key))


@composite()
def pad_images(
    images: Tensor,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with zeros around them.

    Of `top_padding`, `bottom_padding` and `target_height` exactly two are given, and of
    `left_padding`, `right_padding` and `target_width`.

    Args:
        images: `(height, width, channels)`, or a batch of them.
        top_padding: how many rows to add at the top.
        left_padding: how many columns to add on the left.
        bottom_padding: how many rows to add at the bottom.
        right_padding: how many columns to add on the right.
        target_height: how many rows there are then; the height of `images` has to be known for it.
        target_width: how many columns there are then; see `target_height`.
        data_format: where the channels are.
    """
    name = "pad_images"
    height, width, _ = sides(name, images, data_format)
    pairs: list[Any] = [(0, 0)] * len(sh.shape(images))
    for axis, side, ends, values in (
        (height, "height", ("top", "bottom"), (top_padding, bottom_padding, target_height)),
        (width, "width", ("left", "right"), (left_padding, right_padding, target_width)),
    ):
        _two(name, "padding", ends, side, values)
        first, last, target = values
        size = sh.shape(images)[axis]
        if first is None:
            first = target - size - last
        if last is None:
            last = target - size - first
        if any(isinstance(n, int) and n < 0 for n in (first, last)):
            raise ValueError(f"{name}: target_{side}={target} is too small for a {side} of {size}")
        pairs[axis] = (first, last)
    return sh.pad(images, pairs)
