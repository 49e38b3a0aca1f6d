"""Values between the elements of a tensor, by splines of the orders 0 to 5."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.ops import creation as new
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.convolution import conv
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.image.layout import finished, name_of, number, one_of, working
from kerata.ops.indexing import take

__all__ = ("map_coordinates",)

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_FAR = 2.0**30  # coordinates are cut off here, so that they fit into int32
_MARGIN = 12  # how far the coefficients of a spline reach beyond edges that go on as a constant


@composite()
def map_coordinates(
    inputs: Tensor,
    coordinates: Tensor,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Tensor:
    """The values of `inputs` at `coordinates`, between its elements.

    A spline of `order` goes through the elements: 0 takes the nearest (halves upwards), 1 is
    linear, 3 cubic. Beyond the edges, for the elements `a b c d`, it goes on with

    - "constant": `fill_value` (as SciPy's "grid-constant");
    - "nearest": `d d d d`;
    - "wrap": `a b c d` (SciPy's "grid-wrap");
    - "mirror": `c b a b`;
    - "reflect": `d c b a`.

    Args:
        inputs: any shape with at least one axis.
        coordinates: `(axes of inputs, ...)`, in elements.
        order: from 0 to 5.
        fill_mode: see above.
        fill_value: see above.

    Returns:
        A value for each coordinate, in the dtype of `inputs`; halves are rounded away from zero
        where that is of ints.

    >>> map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.75]], 1).tolist()
    [5.0, 17.5]
    """
    one_of("map_coordinates", "order", order, tuple(range(6)))
    one_of("map_coordinates", "fill_mode", fill_mode, FILL_MODES)
    sizes, count = sh.shape(inputs), sh.shape(coordinates)[:1]
    if not sizes or count != (len(sizes),):
        raise ValueError(
            "map_coordinates: coordinates must have a row for each axis of inputs; got the shapes "
            f"{tuple(sh.shape(coordinates))} and {tuple(sizes)}"
        )
    dtype = name_of(inputs)
    wide = working(dtype, name_of(coordinates))
    x, places = ew.cast(inputs, wide), sh.unstack(ew.cast(coordinates, wide))
    if order > 1:
        for axis in range(len(sizes)):
            x = _coefficients(x, axis, order, fill_mode, fill_value)
    y = interpolated(x, places, order, fill_mode, fill_value, _margin(order, fill_mode))
    return finished(y, dtype, "away")


def interpolated(
    x: Tensor,
    places: Sequence[Tensor],
    order: int,
    fill_mode: str,
    fill_value: Any,
    margin: int = 0,
    batch: bool = False,
) -> Tensor:
    """Sums over the elements around each place of spline coefficients times weights.

    Args:
        x: the coefficients; where `batch`, `(batch, *axes, vectors)`.
        places: the coordinates along each axis; where `batch`, with the batch first.
        order: of the spline.
        fill_mode: as in `map_coordinates`.
        fill_value: as in `map_coordinates`.
        margin: how many coefficients the axes have before the one at 0.
        batch: see above.
    """
    if fill_mode == "constant":  # one more element on each side stands for all beyond
        pairs = [(1, 1)] * len(places)
        x = sh.pad(x, [(0, 0), *pairs, (0, 0)] if batch else pairs, "constant", fill_value)
        margin, fill_mode = margin + 1, "nearest"
    shape = sh.shape(x)
    base: Any = 0
    if batch:
        first, *sizes, vectors = shape
        base = sh.expand_dims(new.arange(first), tuple(range(1, len(places) + 1)))
        x = sh.reshape(x, (-1, vectors))
    else:
        sizes = list(shape)
        x = sh.reshape(x, (-1,))
    around = [_taps(c, n, order, fill_mode, margin) for c, n in zip(places, sizes, strict=True)]
    total = None
    for taps in itertools.product(*around):
        index = base
        for (place, _), size in zip(taps, sizes, strict=True):
            index = index * number(size) + place
        value = take(x, index, 0)
        if order:
            weight = functools.reduce(ew.multiply, [t[1] for t in taps])
            value = value * (sh.expand_dims(weight, -1) if batch else weight)
        total = value if total is None else total + value
    return total


def _taps(c: Tensor, size: Any, order: int, mode: str, margin: int) -> list[tuple[Any, Any]]:
    """For each element around the coordinates: its index, and its weight."""
    c = ew.clip(c, -_FAR, _FAR)
    near = ew.stop_gradient(ew.floor(c if order % 2 else c + 0.5))
    rest = c - near
    first = ew.cast(near, "int32") + (margin - order // 2)
    return [
        (extended(first + k if k else first, size, mode), _polynomial(factors, rest))
        for k, factors in enumerate(_pieces(order))
    ]


def extended(place: Tensor, size: Any, mode: str) -> Tensor:
    """The index of the element that stands at a `place` that may lie beyond the edges."""
    n = number(size)
    if mode == "wrap":
        return ew.mod(place, n)
    if mode == "reflect":
        turn = ew.mod(place, 2 * n)
        return ew.minimum(turn, 2 * n - 1 - turn)
    if mode == "mirror":
        turn = ew.mod(place, ew.maximum(2 * n - 2, 1))
        return ew.minimum(turn, 2 * n - 2 - turn)
    return ew.minimum(ew.maximum(place, 0), n - 1)


# Splines


def _basis(order: int, x: np.ndarray) -> np.ndarray:
    """The B-spline of `order` around 0 (Schoenberg, 1946), a sum of truncated powers."""
    knots = range(order + 2)
    shifted = [np.maximum(x + (order + 1) / 2 - j, 0.0) ** order for j in knots]
    signed = [(-1) ** j * math.comb(order + 1, j) * s for j, s in zip(knots, shifted, strict=True)]
    return np.sum(signed, 0) / math.factorial(order)


@functools.cache
def _pieces(order: int) -> tuple[tuple[float, ...], ...]:
    """The weight of each element around a coordinate, as a polynomial in its distance to `near`.

    The factors of each, the highest power first.
    """
    if not order:
        return ((1.0,),)
    rest = (np.arange(order + 1) + 0.5) / (order + 1) - (0.0 if order % 2 else 0.5)
    powers = np.vander(rest, order + 1)
    values = [_basis(order, rest + order // 2 - k) for k in range(order + 1)]
    factors = np.linalg.solve(powers, np.stack(values, 1)).T
    return tuple(tuple(float(f) for f in row) for row in np.round(factors, 15))


def _polynomial(factors: Sequence[float], x: Tensor) -> Tensor:
    y: Any = factors[0]
    for factor in factors[1:]:
        y = y * x + factor if factor else y * x
    return y


@functools.cache
def _inverse(order: int) -> np.ndarray:
    """The filter that turns values into the coefficients of the spline through them.

    It undoes the convolution with the B-spline's values at the integers (Unser, Aldroubi and Eden,
    1993); it falls off exponentially, and is cut off where it is below 1e-10.
    """
    length, reach = 256, order // 2
    values = np.zeros(length)
    values[np.arange(-reach, reach + 1)] = _basis(order, np.arange(-reach, reach + 1.0))
    response = np.fft.ifft(1.0 / np.fft.fft(values).real).real
    count = int(np.argmax(np.abs(response[: length // 2]) < 1e-10))
    return response[np.arange(-count, count + 1)]


def _margin(order: int, mode: str) -> int:
    return _MARGIN if order > 1 and mode in ("constant", "nearest") else 0


def _coefficients(x: Tensor, axis: int, order: int, mode: str, fill: float) -> Tensor:
    """The coefficients along `axis` of the spline through `x`, gone on with beyond the edges."""
    response = _inverse(order)
    reach = len(response) // 2
    margin = _margin(order, mode)
    size = sh.shape(x)[axis]
    places = new.arange(size + 2 * (reach + margin)) - (reach + margin)
    x = sh.moveaxis(take(x, extended(places, size, mode), axis), axis, -1)
    if mode == "constant":
        inside = ew.logical_and(ew.greater_equal(places, 0), ew.less(places, number(size)))
        x = ew.where(inside, x, ew.cast(fill, name_of(x)))
    *outer, length = sh.shape(x)
    kernel = sh.convert_to_tensor(response.reshape(-1, 1, 1), name_of(x))
    y = conv(sh.reshape(x, (-1, length, 1)), kernel, data_format="channels_last")
    return sh.moveaxis(sh.reshape(y, (*outer, size + 2 * margin)), -1, axis)
