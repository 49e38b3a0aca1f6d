"""Resizing images: each axis is a product with a matrix of interpolation weights.

The weights follow from sizes alone. Where these are known they are computed on the host, once, and
kept; where a size is open they are computed by the program.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerata.ops import creation as new
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.layout import finished, name_of, number, one_of, sides, working
from kerata.ops.indexing import take
from kerata.ops.products import einsum

__all__ = ("resize", "scale_and_translate")

_FEW = 2  # so many elements behind one are gathered; for more there is a matrix product
_LARGEST = 2**24  # the largest matrix that is made


# Kernels: functions of a distance that is not negative, in NumPy (`m` is numpy) or in operations


def _triangle(x: Any, m: Any) -> Any:
    return m.maximum(1.0 - x, 0.0)


def _cubic(x: Any, m: Any) -> Any:
    """Keys' cubic convolution (1981), a = -1/2."""
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return m.where(x < 1.0, near, m.where(x < 2.0, far, 0.0))


def _sinc(x: Any, m: Any) -> Any:
    zero = m.equal(x, 0.0)
    angle = math.pi * m.where(zero, 1.0, x)
    return m.where(zero, 1.0, m.sin(angle) / angle)


def _lanczos(radius: int) -> Callable[[Any, Any], Any]:
    """A sinc under the main lobe of a sinc `radius` times as wide (Duchon, 1979)."""

    def kernel(x: Any, m: Any) -> Any:
        return m.where(x < radius, _sinc(x, m) * _sinc(x / radius, m), 0.0)

    return kernel


def _gaussian(x: Any, m: Any) -> Any:
    """A bell whose standard deviation is half a pixel."""
    return m.where(x < 1.5, m.exp(-2.0 * x * x), 0.0)


def _mitchell(x: Any, m: Any) -> Any:
    """Mitchell and Netravali's cubic (1988), B = C = 1/3."""
    near = ((7.0 * x - 12.0) * x) * x + 16.0 / 3.0
    far = ((-7.0 / 3.0 * x + 12.0) * x - 20.0) * x + 32.0 / 3.0
    return m.where(x < 1.0, near, m.where(x < 2.0, far, 0.0)) / 6.0


_KERNELS: dict[str, tuple[float, Callable[[Any, Any], Any]]] = {
    "bilinear": (1, _triangle),
    "bicubic": (2, _cubic),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
    "gaussian": (1.5, _gaussian),
    "mitchellcubic": (2, _mitchell),
}


class _Span(NamedTuple):
    """One axis: `extent` places from the element `start` on become `out`.

    Places before the first element and after the last of the `size` are there to be filled.
    `bound` is a size no less than `extent`, which may be a tensor.
    """

    size: Any
    start: Any
    extent: Any
    bound: Any
    out: Any

    @property
    def known(self) -> bool:
        return all(isinstance(v, int) for v in (self.size, self.start, self.extent, self.out))

    @property
    def same(self) -> bool:
        return self.known and self.start == 0 and self.size == self.extent == self.out


@composite()
def resize(
    images: Tensor,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images in another size. Pixels are areas: their centres lie at halves.

    Args:
        images: `(height, width, channels)`, `(batch, height, width, channels)`, or these with the
            channels before the height.
        size: the height and the width to have; where they are open, sizes as `shape` gives them.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "gaussian",
            "mitchellcubic", or "area" (the mean over what a pixel covers).
        antialias: widen the kernel when shrinking, so that every pixel counts.
        crop_to_aspect_ratio: cut the middle of the images, in the ratio of `size`, to begin with.
        pad_to_aspect_ratio: extend the images to the ratio of `size` to begin with.
        fill_mode: "constant", what is added then.
        fill_value: its value.
        data_format: where the channels are.

    Returns:
        Images of that size, in the same dtype; halves are rounded to even where that is of ints.

    >>> resize(np.ones((1, 10, 12, 3), "uint8"), (5, 4)).shape
    (1, 5, 4, 3)
    """
    y = resized(
        images, size, interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio,
        fill_mode, fill_value, data_format,
    )  # fmt: skip
    return y if interpolation == "nearest" else finished(y, name_of(images))


def resized(
    images: Tensor,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """`resize` without the last step: in the float dtype that it is computed in, not rounded.

    With "nearest" nothing is computed, and the dtype is that of `images`.
    """
    height, width, _ = sides("resize", images, data_format)
    one_of("resize", "interpolation", interpolation, ("nearest", *_KERNELS, "area"))
    one_of("resize", "fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True"
        )
    target = tuple(size) if isinstance(size, (list, tuple)) else (size,)
    if len(target) != 2 or any(_refused(n) for n in target):
        raise ValueError(f"resize: size must be two positive ints; got {size!r}")
    shape = sh.shape(images)
    before = (shape[height], shape[width])
    spans = _spans(before, target, crop_to_aspect_ratio, pad_to_aspect_ratio)
    axes = dict(zip((height, width), spans, strict=True))
    if interpolation == "nearest":
        return _nearest(images, axes, fill_value if pad_to_aspect_ratio else None)
    wide = working(name_of(images))
    weights = {a: _weights(s, interpolation, antialias, wide) for a, s in axes.items()}
    y = images
    for axis in sorted(axes, key=lambda a: _growth(axes[a])):
        if not axes[axis].same:
            y = _applied(y, weights[axis], axis, wide)
    y = ew.cast(y, wide)
    if pad_to_aspect_ratio:
        covered = [_row_sums(w, a, len(shape)) for a, w in weights.items()]
        y = y + (1.0 - covered[0] * covered[1]) * fill_value
    return y


def _refused(size: Any) -> bool:
    """Whether `size` is neither a positive int nor one that is open."""
    return size < 1 if isinstance(size, int) else isinstance(size, (float, str, type(None)))


def _growth(span: _Span) -> float:
    return span.out / span.extent if span.known and span.extent else 1.0


def _spans(before: Any, after: Any, crop: bool, pad: bool) -> list[_Span]:
    """What each axis is resized from: all of it, or what has the aspect ratio of `after`."""
    spans = []
    for i in (0, 1):
        size, out = before[i], after[i]
        fitting = before[1 - i] * out // after[1 - i] if crop or pad else size
        if crop:
            extent = _clipped(number(fitting), 1, number(size))
            spans.append(_Span(size, _half(number(size) - extent), extent, size, out))
        elif pad:  # by as many on both sides
            more = _half(_clipped(number(fitting) - number(size), 0, None))
            spans.append(_Span(size, -more, number(size) + more * 2, size + fitting, out))
        else:
            spans.append(_Span(size, 0, size, size, out))
    return spans


def _clipped(n: Any, low: int, high: Any) -> Any:
    """`n` within its limits: an int where all are, else a tensor."""
    if isinstance(n, int) and (high is None or isinstance(high, int)):
        return max(n if high is None else min(n, high), low)
    n = ew.maximum(n, low)
    return n if high is None else ew.minimum(n, high)


def _half(n: Any) -> Any:
    return n // 2 if isinstance(n, int) else ew.floor_divide(n, 2)


def _nearest(x: Tensor, axes: dict[int, _Span], fill: float | None) -> Tensor:
    inside: Any = None
    for axis, span in axes.items():
        if span.same:
            continue
        if span.known:
            steps = (2 * np.arange(span.out) + 1) * span.extent // (2 * span.out)
            places: Any = (steps + span.start).astype("int32")
        else:
            odd = 2 * new.arange(span.out) + 1
            steps = ew.floor_divide(odd * number(span.extent), 2 * number(span.out))
            places = steps + number(span.start)
        if fill is not None:
            there = ew.logical_and(ew.greater_equal(places, 0), ew.less(places, number(span.size)))
            there = _along(there, axis, len(sh.shape(x)))
            inside = there if inside is None else ew.logical_and(inside, there)
            places = ew.maximum(places, 0)
        x = take(x, places, axis)
    return x if inside is None else ew.where(inside, x, ew.cast(fill, name_of(x)))


def _along(vector: Any, axis: int, rank: int) -> Tensor:
    """A vector with axes of size 1 around it, to lie along `axis`."""
    shape = [1] * rank
    shape[axis] = -1
    return sh.reshape(vector, tuple(shape))


# Weights


@functools.lru_cache(256)
def _taps(span: _Span, method: str, antialias: bool) -> tuple[np.ndarray, np.ndarray]:
    """`(out, taps)`: the elements behind each place of the result, and their weights."""
    ratio = span.extent / span.out
    rows = np.arange(span.out)[:, None]
    if method == "area":
        low = rows * ratio
        places = np.floor(low) + np.arange(math.ceil(ratio) + 1)
        weights = np.minimum(low + ratio, places + 1) - np.maximum(low, places)
        weights = np.maximum(weights, 0.0)
    else:
        radius, kernel = _KERNELS[method]
        scale = max(ratio, 1.0) if antialias else 1.0
        centre = (rows + 0.5) * ratio - 0.5
        first = np.floor(centre - radius * scale) + 1
        places = first + np.arange(math.ceil(2 * radius * scale))
        weights = kernel(np.abs(places - centre) / scale, np)
    weights = np.where((places >= 0) & (places < span.extent), weights, 0.0)
    weights = weights / weights.sum(1, keepdims=True)
    places = places.astype(np.int64) + span.start
    inside = (places >= 0) & (places < span.size)
    return np.clip(places, 0, span.size - 1).astype("int32"), np.where(inside, weights, 0.0)


@functools.lru_cache(64)
def _matrix(span: _Span, method: str, antialias: bool) -> np.ndarray:
    """The weights of `_taps` as a matrix `(out, size)`."""
    places, weights = _taps(span, method, antialias)
    matrix = np.zeros((span.out, span.size))
    np.add.at(matrix, (np.arange(span.out)[:, None], places), weights)
    return matrix


def _weights(span: _Span, method: str, antialias: bool, dtype: str) -> Any:
    """The weights of an axis: a matrix, or elements and weights where few are behind each place."""
    if not span.known:
        return _open_weights(span, method, antialias, dtype)
    places, weights = _taps(span, method, antialias)
    if places.shape[1] <= _FEW or span.out * span.size > _LARGEST:
        return places, weights.astype(dtype)
    return _matrix(span, method, antialias).astype(dtype)


def _open_weights(span: _Span, method: str, antialias: bool, dtype: str) -> Tensor:
    """The matrix `(out, size)` where sizes are open: `_taps` in operations."""
    extent = ew.cast(span.extent, dtype)
    ratio = extent / ew.cast(span.out, dtype)
    rows = sh.expand_dims(ew.cast(new.arange(span.out), dtype), 1)
    columns = sh.expand_dims(ew.cast(new.arange(span.bound), dtype), 0)
    if method == "area":
        low = rows * ratio
        weights = ew.minimum(low + ratio, columns + 1.0) - ew.maximum(low, columns)
        weights = ew.maximum(weights, 0.0)
    else:
        scale = ew.maximum(ratio, 1.0) if antialias else 1.0
        weights = _at(method, columns - ((rows + 0.5) * ratio - 0.5), scale)
    weights = ew.where(ew.less(columns, extent), weights, 0.0)
    weights = weights / red.sum(weights, 1, True)
    if span.extent is span.size:
        return weights
    places = new.arange(span.size) - number(span.start)
    inside = ew.logical_and(ew.greater_equal(places, 0), ew.less(places, number(span.extent)))
    return ew.where(inside, take(weights, ew.maximum(places, 0), 1), 0.0)


def _at(method: str, distance: Tensor, scale: Any) -> Tensor:
    return _KERNELS[method][1](ew.absolute(distance) / scale, ew)


def _applied(x: Tensor, weights: Any, axis: int, dtype: str) -> Tensor:
    """`x` with `axis` replaced by sums of its elements, in a float dtype."""
    rank = len(sh.shape(x))
    if isinstance(weights, tuple):
        places, factors = weights
        total = None
        for place, factor in zip(places.T, factors.T, strict=True):
            part = ew.cast(take(x, place, axis), dtype) * _along(factor, axis, rank)
            total = part if total is None else total + part
        return total
    letters = "abcdefghij"[:rank]
    equation = f"z{letters[axis]},{letters}->{letters.replace(letters[axis], 'z')}"
    return einsum(equation, weights, ew.cast(x, dtype))


def _row_sums(weights: Any, axis: int, rank: int) -> Any:
    """How much of each place of the result comes from the image."""
    if isinstance(weights, tuple):
        weights = weights[1]
    sums = weights.sum(1) if isinstance(weights, np.ndarray) else red.sum(weights, 1)
    return _along(sums, axis, rank)


_METHODS = {
    "linear": "bilinear", "bilinear": "bilinear", "trilinear": "bilinear", "cubic": "bicubic",
    "bicubic": "bicubic", "tricubic": "bicubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip


@composite(promote="float", operands=("images",))
def scale_and_translate(
    images: Tensor,
    output_shape: Any,
    scale: Tensor,
    translation: Tensor,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled, then moved, along some axes: place x goes to `x * scale + translation`.

    Args:
        images: any shape.
        output_shape: the shape to have; axes that are not among `spatial_dims` keep their size.
        scale: one number for each of `spatial_dims`.
        translation: the same, in elements of the result.
        spatial_dims: the axes.
        method: "linear", "cubic", "lanczos3" or "lanczos5".
        antialias: widen the kernel when shrinking.

    Returns:
        `output_shape`; 0 where a place comes from outside of `images`.
    """
    one_of("scale_and_translate", "method", method, tuple(_METHODS))
    shape = sh.shape(images)
    if len(output_shape) != len(shape):
        raise ValueError(
            f"scale_and_translate: output_shape must have a size for each axis of images; "
            f"got {tuple(output_shape)} for the shape {tuple(shape)}"
        )
    dtype = name_of(images)
    wide = working(dtype)
    y = ew.cast(images, wide)
    factors, shifts = ew.cast(scale, wide), ew.cast(translation, wide)
    for i, dim in enumerate(spatial_dims):
        axis = dim % len(shape)
        weights = _moved(shape[axis], output_shape[axis], factors[i], shifts[i], method, antialias)
        y = _applied(y, weights, axis, wide)
    return ew.cast(y, dtype)


def _moved(size: Any, out: int, scale: Tensor, shift: Tensor, method: str, wider: bool) -> Tensor:
    """The matrix `(out, size)` of one axis."""
    dtype = name_of(scale)
    inverse = 1.0 / scale
    rows = sh.expand_dims(ew.cast(new.arange(out), dtype), 1)
    centre = (rows + 0.5 - shift) * inverse - 0.5
    columns = sh.expand_dims(ew.cast(new.arange(size), dtype), 0)
    weights = _at(_METHODS[method], columns - centre, ew.maximum(inverse, 1.0) if wider else 1.0)
    total = red.sum(weights, 1, True)
    none = ew.less(ew.absolute(total), 1e-4)
    weights = ew.where(none, 0.0, weights / ew.where(none, 1.0, total))
    inside = ew.logical_and(
        ew.greater_equal(centre, -0.5), ew.less_equal(centre, ew.cast(size, dtype) - 0.5)
    )
    return ew.where(inside, weights, 0.0)
