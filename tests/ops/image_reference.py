"""Operations of images in NumPy and SciPy, written for clarity alone: pixel by pixel."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

# The names that SciPy has for what lies beyond the edges.
MODES = {
    "constant": "grid-constant", "nearest": "nearest", "wrap": "grid-wrap", "mirror": "mirror",
    "reflect": "reflect",
}  # fmt: skip


def batched(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A function of a batch of images, channels last, as one of all layouts."""

    @functools.wraps(function)
    def run(x: np.ndarray, *args: Any, data_format: str | None = None, **kwargs: Any) -> np.ndarray:
        if data_format == "channels_first":
            x = np.moveaxis(x, -3, -1)
        y = function(x, *args, **kwargs) if x.ndim == 4 else function(x[None], *args, **kwargs)[0]
        last = x.ndim - y.ndim - 1  # before what the function has put behind the channels
        return np.moveaxis(y, last, last - 2) if data_format == "channels_first" else y

    return run


def _kernel(method: str, x: float) -> float:
    if method in ("linear", "bilinear"):
        return max(1 - x, 0)
    if method in ("cubic", "bicubic"):
        near = 1.5 * x**3 - 2.5 * x**2 + 1
        return near if x < 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0
    radius = int(method[-1])
    return float(np.sinc(x) * np.sinc(x / radius)) if x < radius else 0


def _row(size: int, centre: float, scale: float, method: str) -> np.ndarray:
    weights = np.array([_kernel(method, abs(i - centre) / scale) for i in range(size)])
    return weights / weights.sum()


def _resized(size: int, out: int, method: str, antialias: bool) -> np.ndarray:
    """The weights `(out, size)` of one axis."""
    ratio, rows = size / out, []
    for o in range(out):
        low, high = o * ratio, (o + 1) * ratio
        if method == "nearest":
            rows.append(np.eye(size)[(2 * o + 1) * size // (2 * out)])
        elif method == "area":
            shares = [max(min(high, i + 1) - max(low, i), 0) for i in range(size)]
            rows.append(np.array(shares) / ratio)
        else:
            scale = max(ratio, 1) if antialias else 1
            rows.append(_row(size, (o + 0.5) * ratio - 0.5, scale, method))
    return np.stack(rows)


@batched
def resize(
    x: np.ndarray,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
) -> np.ndarray:
    height, width = x.shape[1:3]
    fitting = width * size[0] // size[1], height * size[1] // size[0]
    if crop_to_aspect_ratio:
        keep = [min(n, f) for n, f in zip((height, width), fitting, strict=True)]
        top, left = (height - keep[0]) // 2, (width - keep[1]) // 2
        x = x[:, top : top + keep[0], left : left + keep[1]]
    if pad_to_aspect_ratio:
        more = [max(f - n, 0) // 2 for n, f in zip((height, width), fitting, strict=True)]
        pairs = ((0, 0), (more[0],) * 2, (more[1],) * 2, (0, 0))
        x = np.pad(x, pairs, constant_values=fill_value)
    rows, columns = (
        _resized(n, m, interpolation, antialias) for n, m in zip(x.shape[1:3], size, strict=True)
    )
    y = np.einsum("ih,jw,nhwc->nijc", rows, columns, x.astype(float))
    return np.clip(np.round(y), 0, 255) if x.dtype == np.uint8 else y


def scale_and_translate(
    x: np.ndarray, shape: Any, scale: Any, translation: Any, dims: Any, method: str,
    antialias: bool = True,
) -> np.ndarray:  # fmt: skip
    for dim, s, t in zip(dims, scale, translation, strict=True):
        size, rows = x.shape[dim], []
        for o in range(shape[dim]):
            centre = (o + 0.5 - t) / s - 0.5
            inside = -0.5 <= centre <= size - 0.5
            wider = max(1 / s, 1) if antialias else 1
            rows.append(_row(size, centre, wider, method) if inside else np.zeros(size))
        x = np.moveaxis(np.tensordot(np.stack(rows), x, (1, dim)), 0, dim)
    return x


def map_coordinates(
    x: np.ndarray, coordinates: np.ndarray, order: int, fill_mode: str = "constant",
    fill_value: float = 0,
) -> np.ndarray:  # fmt: skip
    y = ndimage.map_coordinates(
        x.astype(float), list(coordinates), order=order, mode=MODES[fill_mode], cval=fill_value
    )
    return np.sign(y) * np.floor(np.abs(y) + 0.5) if x.dtype.kind in "iu" else y


def _warped(x: np.ndarray, back: Any, interpolation: str, mode: str, fill: float) -> np.ndarray:
    """Each image's pixels from where `back` (one for each) takes their (x, y)."""
    order = {"nearest": 0, "bilinear": 1}[interpolation]
    rows, columns = np.mgrid[: x.shape[1], : x.shape[2]].astype(float)
    out = np.empty(x.shape)
    for i, image in enumerate(x):
        u, v = back[i](columns, rows)
        for c in range(x.shape[-1]):
            out[i, ..., c] = map_coordinates(image[..., c], (v, u), order, mode, fill)
    return out


def _projective(t: np.ndarray) -> Callable[..., Any]:
    def back(x: np.ndarray, y: np.ndarray) -> Any:
        k = t[6] * x + t[7] * y + 1
        return (t[0] * x + t[1] * y + t[2]) / k, (t[3] * x + t[4] * y + t[5]) / k

    return back


@batched
def affine_transform(
    x: np.ndarray, transform: np.ndarray, interpolation: str = "bilinear",
    fill_mode: str = "constant", fill_value: float = 0,
) -> np.ndarray:  # fmt: skip
    each = np.broadcast_to(transform, (len(x), 8))
    return _warped(x, [_projective(t) for t in each], interpolation, fill_mode, fill_value)


@batched
def perspective_transform(
    x: np.ndarray, start: np.ndarray, end: np.ndarray, interpolation: str = "bilinear",
    fill_value: float = 0,
) -> np.ndarray:  # fmt: skip
    maps = []
    for s, e in zip(*(np.broadcast_to(p, (len(x), 4, 2)) for p in (start, end)), strict=True):
        rows, values = [], []
        for (u, v), (a, b) in zip(s, e, strict=True):
            rows += [[a, b, 1, 0, 0, 0, -u * a, -u * b], [0, 0, 0, a, b, 1, -v * a, -v * b]]
            values += [u, v]
        maps.append(_projective(np.linalg.solve(np.array(rows), np.array(values))))
    return _warped(x, maps, interpolation, "constant", fill_value)


def _gaussian(size: int, sigma: float) -> np.ndarray:
    weights = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return weights / weights.sum()


def _filtered(x: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """Only where the whole of `weights` fits."""
    windows = np.lib.stride_tricks.sliding_window_view(x, len(weights), axis)
    return windows @ weights


@batched
def gaussian_blur(x: np.ndarray, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0)) -> np.ndarray:
    y = x.astype(float)
    for axis, size, deviation in zip((2, 1), kernel_size, sigma, strict=True):
        pairs = [(0, 0)] * 4
        pairs[axis] = ((size - 1) // 2, size // 2)
        y = _filtered(np.pad(y, pairs), _gaussian(size, deviation), axis)
    return np.round(y) if x.dtype == np.uint8 else y


@batched
def sobel_edges(x: np.ndarray) -> np.ndarray:
    x = x.astype(float)
    changes = []
    for axis, other in ((1, 2), (2, 1)):
        change = ndimage.correlate1d(x, [-1, 0, 1], axis, mode="constant")
        changes.append(ndimage.correlate1d(change, [1, 2, 1], other, mode="constant"))
    return np.stack(changes, -1)


def _structural_similarity(
    a: np.ndarray, b: np.ndarray, max_val: float = 1.0, filter_size: int = 11,
    filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03,
) -> np.ndarray:  # fmt: skip
    weights = _gaussian(filter_size, filter_sigma)

    def mean(x: np.ndarray) -> np.ndarray:
        return _filtered(_filtered(x, weights, 1), weights, 2)

    ma, mb = mean(a), mean(b)
    va, vb, covariance = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    found = (2 * ma * mb + c1) * (2 * covariance + c2)
    return np.mean(found / ((ma**2 + mb**2 + c1) * (va + vb + c2)), (1, 2, 3))


def ssim(a: np.ndarray, b: np.ndarray, *args: Any, data_format: Any = None, **kw: Any) -> Any:
    if data_format == "channels_first":
        a, b = np.moveaxis(a, -3, -1), np.moveaxis(b, -3, -1)
    a, b = a.astype(float), b.astype(float)
    if a.ndim == 3:
        return _structural_similarity(a[None], b[None], *args, **kw)[0]
    return _structural_similarity(a, b, *args, **kw)


def psnr(a: np.ndarray, b: np.ndarray, max_val: float) -> np.ndarray:
    return 10 * np.log10(max_val**2 / np.mean((a.astype(float) - b) ** 2))


def extract_patches(
    x: np.ndarray, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> np.ndarray:  # fmt: skip
    """Over two axes, or over three where `x` or `size` says so."""
    first = data_format == "channels_first"
    single = x.ndim == (4 if isinstance(size, tuple) and len(size) == 3 else 3)
    x = x[None] if single else x
    x = np.moveaxis(x, 1, -1) if first else x
    rank = x.ndim - 2
    window = (size,) * rank if isinstance(size, int) else tuple(size)
    strides = window if strides is None else strides
    steps = (strides,) * rank if isinstance(strides, int) else tuple(strides)
    rates = (dilation_rate,) * rank if isinstance(dilation_rate, int) else tuple(dilation_rate)
    spans = [(k - 1) * d + 1 for k, d in zip(window, rates, strict=True)]
    pairs, counts = [(0, 0)], []
    for n, span, s in zip(x.shape[1:-1], spans, steps, strict=True):
        count = math.ceil(n / s) if padding == "same" else (n - span) // s + 1
        total = max((count - 1) * s + span - n, 0) if padding == "same" else 0
        pairs.append((total // 2, total - total // 2))
        counts.append(count)
    padded = np.pad(x, [*pairs, (0, 0)])
    depth = math.prod(window) * x.shape[-1]
    y = np.empty((len(x), *counts, depth), x.dtype)
    for place in np.ndindex(*counts):
        cut = tuple(
            slice(p * s, p * s + span, d)
            for p, s, span, d in zip(place, steps, spans, rates, strict=True)
        )
        y[(slice(None), *place)] = padded[(slice(None), *cut)].reshape(len(x), depth)
    y = np.moveaxis(y, -1, 1) if first else y
    return y[0] if single else y


def extract_patches_3d(x: np.ndarray, size: Any, *args: Any, **kwargs: Any) -> np.ndarray:
    return extract_patches(x, (size,) * 3 if isinstance(size, int) else size, *args, **kwargs)
