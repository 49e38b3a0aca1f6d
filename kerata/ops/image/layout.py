"""What the operations of images share: where the axes are, and which dtype they compute in."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import config
from kerata.backends import dtypes
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor


def sides(name: str, images: Tensor, data_format: str | None) -> tuple[int, int, int]:
    """The axes of the height, the width and the channels.

    Raises:
        ValueError: `images` is neither one image nor a batch of them.
    """
    rank = len(sh.shape(images))
    if rank not in (3, 4):
        raise ValueError(
            f"{name}: images must have 3 axes, or 4 with a batch; "
            f"got the shape {tuple(sh.shape(images))}"
        )
    if config.standardize_data_format(data_format) == "channels_last":
        return rank - 3, rank - 2, rank - 1
    return rank - 2, rank - 1, rank - 3


def one_of(name: str, argument: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Refuse a `value` that is not among those `allowed`.

    Raises:
        ValueError: naming them.
    """
    if value not in allowed:
        raise ValueError(
            f"{name}: {argument} must be one of {', '.join(map(repr, allowed))}; got {value!r}"
        )


def last_and_batched(images: Tensor, channels: int) -> Tensor:
    """`(batch, height, width, channels)`, from images whose channels are on the axis `channels`."""
    rank = len(sh.shape(images))
    x = images if channels == rank - 1 else sh.moveaxis(images, channels, -1)
    return sh.expand_dims(x, 0) if rank == 3 else x


def as_before(y: Tensor, channels: int, rank: int) -> Tensor:
    """The way back from `last_and_batched`, for images of `rank` axes."""
    y = sh.squeeze(y, 0) if rank == 3 else y
    return y if channels == rank - 1 else sh.moveaxis(y, -1, channels)


def working(*names: str) -> str:
    """The dtype to compute in: float32, or float64 where something is of that."""
    return "float64" if "float64" in names else "float32"


def name_of(x: Tensor) -> str:
    """The name of the dtype of `x`."""
    return dtypes.standardize_dtype(x.dtype)


def _limits(dtype: str) -> tuple[float, float]:
    """The least and the largest integer of a dtype that float32 holds too."""
    low, high = dtypes.bounds(dtype)
    top = np.float32(high)
    return float(low), float(top if int(top) <= high else np.nextafter(top, np.float32(0)))


def finished(y: Tensor, dtype: str, halves: str = "even") -> Tensor:
    """Computed values in `dtype`.

    Integers are rounded, halves to "even" or "away" from zero; booleans are true where there is
    anything.
    """
    if dtypes.is_float(dtype):
        return ew.cast(y, dtype)
    if dtype == "bool":
        return ew.not_equal(y, 0.0)
    y = ew.round(y) if halves == "even" else ew.sign(y) * ew.floor(ew.absolute(y) + 0.5)
    return ew.cast(ew.clip(y, *_limits(dtype)), dtype)


def number(size: Any) -> Any:
    """A size to calculate with beside tensors: an int, or an int32 scalar where it is open."""
    return size if isinstance(size, int) else ew.cast(size, "int32")
