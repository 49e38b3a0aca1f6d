"""Geometric transformations of images: each pixel of the result is taken from another place."""

from __future__ import annotations

from typing import Any

from kerata.ops import creation as new
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.filters import blurred, gaussian
from kerata.ops.image.layout import (
    as_before,
    finished,
    last_and_batched,
    name_of,
    one_of,
    sides,
    working,
)  # fmt: skip
from kerata.ops.image.sampling import FILL_MODES, interpolated
from kerata.ops.products import matmul
from kerata.ops.random import random_normal

__all__ = ("affine_transform", "perspective_transform", "elastic_transform")

_ORDERS = {"nearest": 0, "bilinear": 1}


@composite()
def affine_transform(
    images: Tensor,
    transform: Tensor,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images under affine (or projective) maps of their coordinates.

    The pixel at (x, y) of the result is what `images` has at
    `((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`, where `k = c0 x + c1 y + 1`.

    Args:
        images: `(height, width, channels)`, or a batch of them.
        transform: `[a0, a1, a2, b0, b1, b2, c0, c1]`, for all images or one for each.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies beyond the edges, as in `map_coordinates`.
        fill_value: the value for "constant".
        data_format: where the channels are.
    """
    name = "affine_transform"
    one_of(name, "fill_mode", fill_mode, FILL_MODES)
    shape, given = sh.shape(images), sh.shape(transform)
    sides(name, images, data_format)
    batch = shape[0] if len(shape) == 4 else 1
    if len(given) not in (1, 2) or given[-1] != 8 or _differ(given[:-1], batch):
        raise ValueError(
            f"{name}: transform must have 8 numbers, for all images or for each; "
            f"got the shapes {tuple(given)} and {tuple(shape)}"
        )
    wide = working(name_of(images), name_of(transform))
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        sh.reshape(t, (-1, 1, 1)) for t in sh.unstack(ew.cast(transform, wide), axis=-1)
    )
    x, y = grid(name, images, data_format, wide)
    k = c0 * x + c1 * y + 1.0
    return warped(
        name, images, (b0 * x + b1 * y + b2) / k, (a0 * x + a1 * y + a2) / k, interpolation,
        fill_mode, fill_value, data_format,
    )  # fmt: skip


def _differ(outer: tuple[Any, ...], batch: Any) -> bool:
    """Whether there is a known number of transforms, and not one for each of a known batch."""
    known = bool(outer) and isinstance(outer[0], int) and isinstance(batch, int)
    return known and outer[0] not in (1, batch)


def grid(name: str, images: Tensor, data_format: str | None, dtype: str) -> tuple[Any, Any]:
    """The columns `(1, 1, width)` and the rows `(1, height, 1)` of the pixels."""
    height, width, _ = sides(name, images, data_format)
    shape = sh.shape(images)
    x, y = (ew.cast(new.arange(shape[axis]), dtype) for axis in (width, height))
    return sh.expand_dims(x, (0, 1)), sh.expand_dims(y, (0, 2))


def warped(
    name: str,
    images: Tensor,
    rows: Tensor,
    columns: Tensor,
    interpolation: str,
    fill_mode: str,
    fill_value: Any,
    data_format: str | None,
) -> Tensor:
    """The pixels at `rows` and `columns`, `(batch or 1, height, width)`."""
    one_of(name, "interpolation", interpolation, tuple(_ORDERS))
    _, _, channels = sides(name, images, data_format)
    dtype = name_of(images)
    x = ew.cast(last_and_batched(images, channels), name_of(rows))
    places = (rows, columns)
    y = interpolated(x, places, _ORDERS[interpolation], fill_mode, fill_value, batch=True)
    return finished(as_before(y, channels, len(sh.shape(images))), dtype, "away")


@composite()
def perspective_transform(
    images: Tensor,
    start_points: Tensor,
    end_points: Tensor,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images seen so that four of their points come to lie at four others.

    Args:
        images: `(height, width, channels)`, or a batch of them.
        start_points: four (x, y) in the images, `(4, 2)` or one such for each image; no three of
            them on a line.
        end_points: where these lie in the result, in the same shape.
        interpolation: "nearest" or "bilinear".
        fill_value: what lies beyond the edges.
        data_format: where the channels are.
    """
    name = "perspective_transform"
    shape, start, end = sh.shape(images), sh.shape(start_points), sh.shape(end_points)
    sides(name, images, data_format)
    batch = shape[0] if len(shape) == 4 else 1
    wrong = len(start) not in (2, 3) or len(end) != len(start) or start[-2:] != (4, 2)
    if wrong or end[-2:] != (4, 2) or _differ(start[:-2], batch) or _differ(end[:-2], batch):
        raise ValueError(
            f"{name}: start_points and end_points must both be (4, 2), for all images or for each; "
            f"got the shapes {tuple(start)}, {tuple(end)} and {tuple(shape)}"
        )
    wide = working(name_of(images), name_of(start_points))
    x, y = grid(name, images, data_format, wide)
    points = [sh.reshape(ew.cast(p, wide), (-1, 4, 2)) for p in (start_points, end_points)]
    back = perspective_map(points[1], points[0])  # from the result's places to the images'
    u, v, k = (
        m[:, 0] * x + m[:, 1] * y + m[:, 2]
        for m in sh.unstack(sh.reshape(back, (-1, 3, 3, 1, 1)), axis=1)
    )
    return warped(name, images, v / k, u / k, interpolation, "constant", fill_value, data_format)


def perspective_map(source: Tensor, target: Tensor) -> Tensor:
    """`(batch, 3, 3)`: the projective map that takes four points `(batch, 4, 2)` to four others."""
    return matmul(_frame(target), adjugate(_frame(source)))


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """The cross product of vectors `(..., 3)`."""
    (a0, a1, a2), (b0, b1, b2) = sh.unstack(a, axis=-1), sh.unstack(b, axis=-1)
    return sh.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], -1)


def _frame(points: Tensor) -> Tensor:
    """`(batch, 3, 3)`: the projective map that takes the standard frame to four points.

    Its columns are the first three points, in such lengths that the fourth is their sum.
    """
    ones = new.ones_like(points[:, :, :1])
    p0, p1, p2, p3 = sh.unstack(sh.concatenate([points, ones], -1), axis=1)
    columns = []
    for p, q, r in ((p0, p1, p2), (p1, p2, p0), (p2, p0, p1)):
        # The triangle of the fourth point with the other two over that of all three.
        share = _dot(p3, _cross(q, r)) / _dot(p, _cross(q, r))
        columns.append(p * share)
    return sh.stack(columns, -1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """The inner product of vectors `(..., 3)`, its axis kept."""
    a0, a1, a2 = sh.unstack(a * b, axis=-1)
    return sh.expand_dims(a0 + a1 + a2, -1)


def adjugate(matrix: Tensor) -> Tensor:
    """The inverse of matrices `(batch, 3, 3)` but for a factor."""
    a, b, c = sh.unstack(matrix, axis=-1)
    return sh.stack([_cross(b, c), _cross(c, a), _cross(a, b)], 1)


def elastic_transform(
    images: Tensor,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixels are displaced at random, smoothly (Simard, Steinkraus and Platt, 2003).

    Args:
        images: `(height, width, channels)`, or a batch of them.
        alpha: how far: normal noise of the deviation `sigma`, smoothed, is multiplied by it.
        sigma: how smoothly, the deviation of the Gaussian in pixels.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies beyond the edges, as in `map_coordinates`.
        fill_value: the value for "constant".
        seed: as in `kerata.random`.
        data_format: where the channels are.
    """
    from kerata.core.seeds import draw_seed  # core stands above the operations

    return random_elastic_transform(
        images, alpha, sigma, interpolation, fill_mode, fill_value, draw_seed(seed), data_format
    )


@composite()
def random_elastic_transform(
    images: Tensor,
    alpha: float,
    sigma: float,
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    seed: Tensor,
    data_format: str | None = None,
) -> Tensor:
    """`elastic_transform` as a function of a seed: two int32 numbers."""
    name = "elastic_transform"
    one_of(name, "fill_mode", fill_mode, FILL_MODES)
    height, width, _ = sides(name, images, data_format)
    shape, wide = sh.shape(images), working(name_of(images))
    batch = shape[0] if len(shape) == 4 else 1
    noise = random_normal((batch, shape[height], shape[width], 2), seed, wide)
    weights = gaussian(int(6 * sigma) | 1, sigma, wide)
    moved = blurred(noise * sigma, weights, weights) * alpha
    right, down = sh.unstack(moved, axis=-1)
    x, y = grid(name, images, data_format, wide)
    return warped(
        name, images, y + down, x + right, interpolation, fill_mode, fill_value, data_format
    )
