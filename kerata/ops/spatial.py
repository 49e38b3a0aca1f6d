"""Operations over spatial axes beside convolution and pooling themselves.

Blocks and patches moved between space and channels, pooling to a given size, and the convolutions
that are made of others.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata import config
from kerata.backends import dtypes
from kerata.ops import creation as new
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.convolution import conv
from kerata.ops.dispatch import Tensor, composite, primitive
from kerata.ops.indexing import getitem, take
from kerata.ops.products import einsum

__all__ = (
    "conv_transpose", "depthwise_conv", "separable_conv", "depth_to_space", "space_to_depth",
    "unfold", "fold", "adaptive_average_pool", "adaptive_max_pool",
)  # fmt: skip


# Convolutions


@primitive(promote="common")
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A transposed convolution: each element adds the kernel times itself around its place.

    With a kernel that spans k (dilation included), an axis of n becomes

    - "valid": `(n - 1) * stride + max(k, stride)`, or `(n - 1) * stride + k + output_padding`;
    - "same": `n * stride`, or `(n - 1) * stride + k - 2 * (k // 2) + output_padding`.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)`.
        kernel: `(*window, filters, channels)`.
        strides: the step in the result, one int or one for each spatial axis.
        padding: "valid" or "same".
        output_padding: see above; None, an int, or one of these for each spatial axis.
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the kernel's elements.

    Returns:
        `(batch, *spatial, filters)` or `(batch, filters, *spatial)`.
    """


@composite(promote="common")
def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A convolution of each channel by itself, over one, two or three spatial axes.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)`.
        kernel: `(*window, channels, multiplier)`.
        strides: as in `conv`, and so the others.
        padding: "valid" or "same".
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the kernel's elements.

    Returns:
        `(batch, *spatial, channels * multiplier)`, the results of one channel side by side, or with
        the channels on the second axis.

    Raises:
        ValueError: the kernel's ranks or channels are not those of `inputs`.
    """
    shape = sh.shape(inputs)
    *window, channels, multiplier = sh.shape(kernel)
    last = config.standardize_data_format(data_format) == "channels_last"
    if len(window) != len(shape) - 2 or shape[-1 if last else 1] != channels:
        raise ValueError(
            "depthwise_conv: kernel must be (*window, channels, multiplier) for the channels of "
            f"inputs; got the shapes {tuple(sh.shape(kernel))} and {tuple(shape)}"
        )
    groups = sh.reshape(kernel, (*window, 1, channels * multiplier))
    return conv(inputs, groups, strides, padding, data_format, dilation_rate)


@composite(promote="common")
def separable_conv(
    inputs: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A depthwise convolution, then one across the channels.

    Args:
        inputs: as in `conv`.
        depthwise_kernel: `(*window, channels, multiplier)`.
        pointwise_kernel: `(*ones, channels * multiplier, filters)`.
        strides: those of the depthwise convolution, as are the padding and the dilation.
        padding: "valid" or "same".
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the kernel's elements.
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


# Blocks


def _block(name: str, x: Tensor, size: Any, data_format: str) -> tuple[tuple[Any, ...], bool]:
    """The shape of `x`, and whether its channels come last."""
    if not isinstance(size, int) or size < 2:
        raise ValueError(f"{name}: block_size must be an int of at least 2; got {size!r}")
    shape = sh.shape(x)
    if len(shape) != 4:
        raise ValueError(f"{name}: x must have 4 axes; got the shape {tuple(shape)}")
    return shape, config.standardize_data_format(data_format) == "channels_last"


@composite()
def depth_to_space(x: Tensor, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels laid out as blocks of `block_size` by `block_size` pixels.

    Args:
        x: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
        block_size: b, at least 2; `b * b` divides the channels.
        data_format: where the channels are. Last: they are read as `(b, b, channels / b²)`; first:
            as `(channels / b², b, b)`, as in torch's `pixel_shuffle`.

    Returns:
        `(batch, height * b, width * b, channels / b²)`, or with the channels on the second axis.
    """
    shape, last = _block("depth_to_space", x, block_size, data_format)
    b, channels = block_size, shape[-1 if last else 1]
    if channels % (b * b):
        raise ValueError(
            f"depth_to_space: block_size {b} squared must divide the {channels} channels of x, "
            f"whose shape is {tuple(shape)}"
        )
    depth = channels // (b * b)
    if last:
        n, h, w, _ = shape
        y = sh.transpose(sh.reshape(x, (n, h, w, b, b, depth)), (0, 1, 3, 2, 4, 5))
        return sh.reshape(y, (n, h * b, w * b, depth))
    n, _, h, w = shape
    y = sh.transpose(sh.reshape(x, (n, depth, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    return sh.reshape(y, (n, depth, h * b, w * b))


@composite()
def space_to_depth(x: Tensor, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of `block_size` by `block_size` pixels laid out as channels.

    The inverse of `depth_to_space`; `block_size` divides the height and the width.
    """
    shape, last = _block("space_to_depth", x, block_size, data_format)
    b = block_size
    for side in shape[1:3] if last else shape[2:]:
        if isinstance(side, int) and side % b:
            raise ValueError(
                f"space_to_depth: block_size {b} must divide the height and the width of x, "
                f"whose shape is {tuple(shape)}"
            )
    if last:
        n, h, w, c = shape
        y = sh.transpose(sh.reshape(x, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
        return sh.reshape(y, (n, h // b, w // b, c * b * b))
    n, c, h, w = shape
    y = sh.transpose(sh.reshape(x, (n, c, h // b, b, w // b, b)), (0, 1, 3, 5, 2, 4))
    return sh.reshape(y, (n, c * b * b, h // b, w // b))


# Patches as columns


def _pair(name: str, argument: str, value: Any, least: int) -> tuple[int, int]:
    values = (value, value) if isinstance(value, int) else tuple(value)
    if len(values) != 2 or any(not isinstance(v, int) or v < least for v in values):
        raise ValueError(
            f"{name}: {argument} must be an int of at least {least}, or two; got {value!r}"
        )
    return values


@composite()
def unfold(
    x: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The patches of images as columns, as torch's `unfold`.

    Args:
        x: `(batch, channels, height, width)`.
        kernel_size: the patches' size, an int or two.
        dilation: the distance between a patch's elements.
        padding: how many zeros to add on both sides of each axis.
        stride: the step from patch to patch.

    Returns:
        `(batch, channels * kernel_height * kernel_width, patches)`.

    >>> unfold(np.ones((1, 3, 5, 6), "float32"), 2).shape
    (1, 12, 20)
    """
    if len(sh.shape(x)) != 4:
        raise ValueError(f"unfold: x must have 4 axes; got the shape {tuple(sh.shape(x))}")
    k, d, s, counts, x = _slid(x, kernel_size, dilation, padding, stride)
    batch, channels, *_ = sh.shape(x)
    rows = [
        getitem(x, (Ellipsis, _steps(i * d[0], counts[0], s[0]), slice(None))) for i in range(k[0])
    ]
    x = rows[0] if k[0] == 1 else sh.stack(rows, 2)
    columns = [getitem(x, (Ellipsis, _steps(j * d[1], counts[1], s[1]))) for j in range(k[1])]
    y = columns[0] if k[1] == 1 else sh.stack(columns, -3)
    return sh.reshape(y, (batch, channels * k[0] * k[1], counts[0] * counts[1]))


def _slid(x: Tensor, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """The window, its dilation and steps, how many there are along each axis, `x` padded."""
    k, d = _pair("unfold", "kernel_size", kernel_size, 1), _pair("unfold", "dilation", dilation, 1)
    p, s = _pair("unfold", "padding", padding, 0), _pair("unfold", "stride", stride, 1)
    if any(p):
        x = sh.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    sizes = sh.shape(x)[2:]
    counts = [_positions(*v) for v in zip(sizes, k, d, s, strict=True)]
    if any(isinstance(c, int) and c < 1 for c in counts):
        raise ValueError(
            f"unfold: a patch of {k} with dilation {d} does not fit into the padded sizes {sizes}"
        )
    return k, d, s, counts, x


def _positions(size: Any, window: int, dilation: int, stride: int) -> Any:
    return (size - (window - 1) * dilation - 1) // stride + 1


def _steps(start: int, count: Any, stride: int) -> slice:
    return slice(start, start + (count - 1) * stride + 1, stride)


@composite()
def fold(
    x: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Columns summed into the images that `unfold` would take them from, as torch's `fold`.

    Args:
        x: `(batch, channels * kernel_height * kernel_width, patches)`.
        output_size: the height and the width of the images, or one int for both.
        kernel_size: as in `unfold`, and so the others.
        dilation: the distance between a patch's elements.
        padding: how many elements to leave out on both sides of each axis.
        stride: the step from patch to patch.

    Returns:
        `(batch, channels, *output_size)`.
    """
    size, k = (
        _pair("fold", "output_size", output_size, 1),
        _pair("fold", "kernel_size", kernel_size, 1),
    )
    d, p = _pair("fold", "dilation", dilation, 1), _pair("fold", "padding", padding, 0)
    s = _pair("fold", "stride", stride, 1)
    shape = sh.shape(x)
    full = [n + 2 * q for n, q in zip(size, p, strict=True)]
    counts = [_positions(*v) for v in zip(full, k, d, s, strict=True)]
    if len(shape) != 3 or shape[1] % (k[0] * k[1]) or shape[2] != counts[0] * counts[1]:
        raise ValueError(
            f"fold: x must be (batch, channels * {k[0] * k[1]}, {counts[0] * counts[1]}) for "
            f"kernel_size {k} and output_size {size}; got the shape {tuple(shape)}"
        )
    x = sh.reshape(x, (shape[0], -1, *k, *counts))
    x = _placed(sh.moveaxis(x, 3, 0), full[1], d[1], s[1])  # (batch, channels, kh, oh, width)
    x = _placed(sh.moveaxis(sh.swapaxes(x, -1, -2), 2, 0), full[0], d[0], s[0])
    x = sh.swapaxes(x, -1, -2)
    cut = tuple(slice(q, q + n) for n, q in zip(size, p, strict=True))
    return getitem(x, (Ellipsis, *cut)) if any(p) else x


def _placed(rows: Tensor, size: int, dilation: int, stride: int) -> Tensor:
    """`(window, ..., count)` summed into `(..., size)`: every `stride`, from `dilation` times i."""
    rows = _dilated(rows, stride)
    length = sh.shape(rows)[-1]
    total = None
    for i, row in enumerate(sh.unstack(rows)):
        start = i * dilation
        pairs = [(0, 0)] * (len(sh.shape(row)) - 1) + [(start, size - length - start)]
        row = sh.pad(row, pairs)
        total = row if total is None else ew.add(total, row)
    return total


def _dilated(x: Tensor, stride: int) -> Tensor:
    """`x` with `stride - 1` zeros between its elements along the last axis."""
    if stride == 1:
        return x
    *outer, count = sh.shape(x)
    wide = sh.pad(sh.expand_dims(x, -1), [(0, 0)] * (len(outer) + 1) + [(0, stride - 1)])
    wide = sh.reshape(wide, (*outer, count * stride))
    return getitem(wide, (Ellipsis, slice(0, (count - 1) * stride + 1)))


# Pooling to a size


def _targets(name: str, inputs: Tensor, output_size: Any, data_format: str | None) -> list[Any]:
    """`(axis, size)` for each spatial axis that changes its size."""
    rank = len(sh.shape(inputs)) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{name}: inputs must have 3, 4 or 5 axes; got the shape {tuple(sh.shape(inputs))}"
        )
    whole = isinstance(output_size, (list, tuple))
    sizes = tuple(output_size) if whole else (output_size,) * rank
    if len(sizes) != rank or any(
        n is not None and (not isinstance(n, int) or n < 1) for n in sizes
    ):
        raise ValueError(
            f"{name}: output_size must be a positive int, or {rank} of them or None; "
            f"got {output_size!r}"
        )
    first = 1 if config.standardize_data_format(data_format) == "channels_last" else 2
    return [(first + i, n) for i, n in enumerate(sizes) if n is not None]


@functools.lru_cache(1024)
def _bounds(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of `count` bins of an axis starts and ends; neighbours may share an element."""
    places = np.arange(count)
    return places * size // count, -(-(places + 1) * size // count)


@functools.lru_cache(256)
def _shares(size: int, count: int) -> np.ndarray:
    """`(count, size)`: the share of each element in the mean of each bin."""
    start, stop = _bounds(size, count)
    places = np.arange(size)
    inside = (places >= start[:, None]) & (places < stop[:, None])
    return inside / (stop - start)[:, None]


def _inside(size: Any, count: int) -> Tensor:
    """`(count, size)`: which elements of an axis of open size belong to each bin."""
    bins, places = sh.expand_dims(new.arange(count), 1), sh.expand_dims(new.arange(size), 0)
    size = ew.cast(size, "int32")
    start = ew.floor_divide(bins * size, count)
    stop = ew.floor_divide(bins * size + size + (count - 1), count)
    return ew.logical_and(ew.greater_equal(places, start), ew.less(places, stop))


def _binned(x: Tensor, axis: int, count: int) -> Tensor:
    """`axis` cut into two, of `count` bins and of their elements."""
    shape = sh.shape(x)
    return sh.reshape(x, (*shape[:axis], count, shape[axis] // count, *shape[axis + 1 :]))


def _divides(size: Any, count: int) -> bool:
    return isinstance(size, int) and size > 0 and size % count == 0


@composite(promote="float")
def adaptive_average_pool(
    inputs: Tensor, output_size: Any, data_format: str | None = None
) -> Tensor:
    """The means of as many bins of each spatial axis as `output_size` says.

    Bin i of m on an axis of n has the elements from `floor(i * n / m)` up to but without
    `ceil((i + 1) * n / m)`.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)`.
        output_size: an int, or for each spatial axis an int or None, which keeps its size.
        data_format: "channels_last", "channels_first", or None for the configured one.
    """
    x, dtype = inputs, dtypes.standardize_dtype(inputs.dtype)
    wide = "float64" if dtype == "float64" else "float32"
    letters = "abcde"[: len(sh.shape(x))]
    for axis, count in _targets("adaptive_average_pool", x, output_size, data_format):
        size = sh.shape(x)[axis]
        if _divides(size, count):
            x = red.mean(_binned(x, axis, count), axis + 1)
            continue
        if isinstance(size, int):
            shares = sh.convert_to_tensor(_shares(size, count), wide)
        else:
            inside = ew.cast(_inside(size, count), wide)
            shares = inside / red.sum(inside, 1, True)
        out = letters.replace(letters[axis], "z")
        x = einsum(f"z{letters[axis]},{letters}->{out}", shares, x)
    return ew.cast(x, dtype)


@composite()
def adaptive_max_pool(inputs: Tensor, output_size: Any, data_format: str | None = None) -> Tensor:
    """The largest elements of as many bins of each spatial axis as `output_size` says.

    Arguments and bins as in `adaptive_average_pool`.
    """
    x = inputs
    for axis, count in _targets("adaptive_max_pool", x, output_size, data_format):
        size = sh.shape(x)[axis]
        if _divides(size, count):
            x = red.max(_binned(x, axis, count), axis + 1)
        elif isinstance(size, int):
            start, stop = _bounds(size, count)
            steps = np.arange(builtins.max(stop - start))
            places = np.minimum(start[:, None] + steps, stop[:, None] - 1).astype("int32")
            x = red.max(take(x, places, axis), axis + 1)
        else:
            x = red.max(_masked(x, axis, _inside(size, count)), axis + 1)
    return x


def _masked(x: Tensor, axis: int, inside: Tensor) -> Tensor:
    """`x` once for each row of `inside`, the least value where that is false."""
    dtype = dtypes.standardize_dtype(x.dtype)
    low = -float("inf") if dtypes.is_float(dtype) else dtypes.bounds(dtype)[0]
    after: Sequence[int] = range(2, 1 + len(sh.shape(x)) - axis)
    mask = sh.expand_dims(inside, tuple(after)) if after else inside
    return ew.where(mask, sh.expand_dims(x, axis), ew.cast(low, dtype))
