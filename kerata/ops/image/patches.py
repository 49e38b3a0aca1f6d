"""Patches of images and volumes, laid out as channels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from kerata import config
from kerata.backends.geometry import Window, window
from kerata.ops import creation as new
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.layout import number
from kerata.ops.indexing import getitem, take

__all__ = ("extract_patches", "extract_patches_3d")


@composite()
def extract_patches(
    images: Tensor,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of images (or, where `size` has three numbers, of volumes).

    Args:
        images: `(height, width, channels)`, or a batch of them.
        size: of the patches, an int or one for each spatial axis.
        strides: the step from patch to patch, `size` where None.
        dilation_rate: the distance between a patch's pixels.
        padding: "valid" (only whole patches), or "same" (zeros are added; there are
            `ceil(n / stride)` patches along an axis of n).
        data_format: where the channels are.

    Returns:
        `(batch, rows, columns, patch height * patch width * channels)`: all the patch's pixels, row
        by row, as channels.

    >>> extract_patches(ops.ones((2, 20, 20, 3)), 5).shape
    (2, 4, 4, 75)
    """
    rank = 3 if isinstance(size, (list, tuple)) and len(size) == 3 else 2
    return _patches("extract_patches", images, rank, size, strides, dilation_rate, padding,
                    data_format)  # fmt: skip


@composite()
def extract_patches_3d(
    volumes: Tensor,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of volumes, `(depth, height, width, channels)` or a batch of them.

    Arguments as in `extract_patches`; returns `(batch, planes, rows, columns, channels)`.
    """
    return _patches("extract_patches_3d", volumes, 3, size, strides, dilation_rate, padding,
                    data_format)  # fmt: skip


def _patches(
    name: str, x: Tensor, rank: int, size: Any, strides: Any, dilation: Any, padding: str,
    data_format: str | None,
) -> Tensor:  # fmt: skip
    axes = len(sh.shape(x))
    if axes not in (rank + 1, rank + 2):
        raise ValueError(
            f"{name}: the images must have {rank + 1} axes, or {rank + 2} with a batch; "
            f"got the shape {tuple(sh.shape(x))}"
        )
    if not isinstance(size, (int, list, tuple)):
        raise TypeError(f"{name}: size must be an int or {rank} of them; got {size!r}")
    try:
        plan = window(rank + 2, size, strides, padding, data_format, dilation)
    except ValueError as error:
        raise ValueError(f"{name}: {str(error).replace('pool_size', 'size')}") from None
    last = config.standardize_data_format(data_format) == "channels_last"
    x = sh.expand_dims(x, 0) if axes == rank + 1 else x
    x = x if last else sh.moveaxis(x, 1, -1)
    counts = _counts(name, sh.shape(x)[1:-1], plan)
    if plan.same:
        x = _padded(x, plan)
    if plan.size == plan.strides and set(plan.dilation) == {1}:
        y = _tiles(x, plan, counts)
    else:
        y = _slices(x, plan, counts)
    y = y if last else sh.moveaxis(y, -1, 1)
    return sh.squeeze(y, 0) if axes == rank + 1 else y


def _counts(name: str, sizes: Sequence[Any], plan: Window) -> tuple[Any, ...]:
    counts = plan.output(sizes)
    if any(isinstance(n, int) and n < 1 for n in counts):
        raise ValueError(
            f"{name}: a patch of {plan.size} with dilation {plan.dilation} does not fit into "
            f"{tuple(sizes)}"
        )
    return counts


def _padded(x: Tensor, plan: Window) -> Tensor:
    sizes = sh.shape(x)[1:-1]
    if all(isinstance(n, int) for n in sizes):
        return sh.pad(x, [(0, 0), *plan.pads(sizes), (0, 0)])
    for i, n in enumerate(sizes):
        span, stride = (plan.size[i] - 1) * plan.dilation[i] + 1, plan.strides[i]
        length = (-(-n // stride) - 1) * stride + span
        before = ew.floor_divide(ew.maximum(number(length) - number(n), 0), 2)
        places = new.arange(length) - before
        inside = ew.logical_and(ew.greater_equal(places, 0), ew.less(places, number(n)))
        mask = sh.expand_dims(inside, tuple(range(1, plan.rank - i + 1)))
        zero = ew.cast(0, x.dtype)
        x = ew.where(mask, take(x, ew.maximum(places, 0), i + 1), zero)
    return x


def _tiles(x: Tensor, plan: Window, counts: Sequence[Any]) -> Tensor:
    """Patches that lie side by side: a transposition."""
    batch, *_, channels = sh.shape(x)
    cut = (slice(0, n * k) for n, k in zip(counts, plan.size, strict=True))
    x = getitem(x, (slice(None), *cut))
    pairs = zip(counts, plan.size, strict=True)
    x = sh.reshape(x, (batch, *itertools.chain.from_iterable(pairs), channels))
    rank = plan.rank
    order = (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1)
    depth = channels
    for k in plan.size:
        depth = depth * k
    return sh.reshape(sh.transpose(x, order), (batch, *counts, depth))


def _slices(x: Tensor, plan: Window, counts: Sequence[Any]) -> Tensor:
    """For each pixel of a patch what all the patches have there, side by side."""
    parts = []
    for place in itertools.product(*map(range, plan.size)):
        key: list[Any] = [slice(None)]
        for p, d, n, s in zip(place, plan.dilation, counts, plan.strides, strict=True):
            key.append(slice(p * d, p * d + (n - 1) * s + 1, s))
        parts.append(getitem(x, tuple(key)))
    return sh.concatenate(parts, -1)
