"""Transposed and depthwise convolution, blocks, columns of patches, pooling to a size."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from tests.ops import reference
from tests.ops.case import Case

_draw = np.random.default_rng(11)


def normal(*shape: int) -> np.ndarray:
    """Standard normal draws, float32."""
    return _draw.standard_normal(shape).astype("float32")


SIGNAL, IMAGE, VOLUME = normal(2, 5, 4), normal(2, 4, 5, 4), normal(2, 3, 2, 3, 4)
FIRST = {"data_format": "channels_first"}


def table() -> list[Case]:
    """The cases."""
    return [*_transposed(), *_depthwise(), *_blocks(), *_columns(), *_adaptive()]


def channels_last(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A function of `(batch, *spatial, channels)` as one of both layouts."""

    @functools.wraps(function)
    def run(x: np.ndarray, *args: Any, data_format: Any = None, **kwargs: Any) -> np.ndarray:
        if data_format != "channels_first":
            return function(x, *args, **kwargs)
        return np.moveaxis(function(np.moveaxis(x, 1, -1), *args, **kwargs), -1, 1)

    return run


def _each(value: Any, rank: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank


@channels_last
def conv_transpose(
    x: np.ndarray, kernel: np.ndarray, strides: Any = 1, padding: str = "valid",
    output_padding: Any = None, dilation_rate: Any = 1,
) -> np.ndarray:  # fmt: skip
    """Every element spread over the places that a convolution would have taken it from."""
    rank = x.ndim - 2
    steps, rates = _each(strides, rank), _each(dilation_rate, rank)
    more, cuts, lengths = _each(output_padding, rank), [], []
    spans = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:rank], rates, strict=True)]
    for n, s, k, p in zip(x.shape[1:-1], steps, spans, more, strict=True):
        covered = (n - 1) * s + k
        if padding == "same":
            length = n * s if p is None else covered - 2 * (k // 2) + p
        else:
            length = covered + (max(s - k, 0) if p is None else p)
        before = max(covered - length, 0) // 2 if padding == "same" else 0
        cuts.append(slice(before, before + length))
        lengths.append(max(covered, before + length))
    y = np.zeros((len(x), *lengths, kernel.shape[-2]))
    for place in np.ndindex(*x.shape[1:-1]):
        at = tuple(
            slice(p * s, p * s + k, d)
            for p, s, k, d in zip(place, steps, spans, rates, strict=True)
        )
        spread = np.tensordot(x[(slice(None), *place)].astype(float), kernel, (1, rank + 1))
        y[(slice(None), *at)] += spread
    return y[(slice(None), *cuts)]


def _transposed() -> list[Case]:
    name, cases = "conv_transpose", []
    for x, window in ((SIGNAL, (3,)), (IMAGE, (3, 2)), (VOLUME, (2, 1, 2))):
        kernel, first = normal(*window, 3, 4), np.moveaxis(x, -1, 1).copy()
        options: tuple[dict[str, Any], ...] = (
            {}, {"strides": 2, "padding": "same"}, {"strides": 3, "padding": "same", "dilation_rate": 2},
            {"strides": 2, "output_padding": 1}, {"strides": 2, "padding": "same", "output_padding": 0},
            {"strides": 4, "padding": "valid"},
        )  # fmt: skip
        for i in {3: range(6), 4: (1, 2, 4), 5: (1, 5)}[x.ndim]:
            option = options[i]
            y, option = (first, option | FIRST) if i % 2 else (x, option)
            grad = None if x.ndim == 3 or i == 1 else False
            rest: dict[str, Any] = {"tolerance": 2e-6, "grad": grad, "opens": (0,)}
            cases.append(Case(name, (y, kernel), conv_transpose, option, **rest))
    kernel, uneven = normal(3, 2, 2, 4), {"strides": (2, 1), "padding": "same"}
    narrow = [x.astype(ml_dtypes.bfloat16) for x in (IMAGE, kernel)]
    whole = [(x * 9).astype("int32") for x in (IMAGE, kernel)]
    return [
        *cases,
        Case(name, (IMAGE, kernel), conv_transpose, uneven | {"output_padding": (1, None)},
             tolerance=2e-6, grad=False, opens=(0,)),
        Case(name, narrow, conv_transpose, opens=(0,)),
        Case(name, whole, conv_transpose, {"strides": 2}, opens=(0,)),
    ]  # fmt: skip


def _depthwise_conv(x: np.ndarray, kernel: np.ndarray, *args: Any, **kwargs: Any) -> np.ndarray:
    """Each channel by itself, with the multiplier as its filters."""
    axis = 1 if kwargs.get("data_format") == "channels_first" else -1
    parts = [
        reference.conv(np.take(x, [c], axis), kernel[..., [c], :], *args, **kwargs)
        for c in range(kernel.shape[-2])
    ]
    return np.concatenate(parts, axis)


def _separable_conv(x: Any, depthwise: Any, pointwise: Any, *args: Any, **kwargs: Any) -> Any:
    y = _depthwise_conv(x, depthwise, *args, **kwargs)
    return reference.conv(y, pointwise, data_format=kwargs.get("data_format"))


def _depthwise() -> list[Case]:
    cases = []
    for x, window in ((SIGNAL, (3,)), (IMAGE, (3, 2)), (VOLUME, (2, 1, 2))):
        kernel, points = normal(*window, 4, 2), normal(*[1] * len(window), 8, 3)
        first = np.moveaxis(x, -1, 1).copy()
        light = None if x.ndim < 5 else False
        rest: dict[str, Any] = {"tolerance": 2e-6, "opens": (0,)}
        options = {"strides": 2, "padding": "same"}
        cases += [
            Case("depthwise_conv", (x, kernel), _depthwise_conv, grad=light, **rest),
            Case("depthwise_conv", (first, kernel), _depthwise_conv, options | FIRST, grad=False, **rest),
            Case("separable_conv", (x, kernel, points), _separable_conv, options, grad=light, **rest),
        ]  # fmt: skip
    kernel, wide = normal(2, 3, 4, 2), normal(1, 1, 8, 3)
    rest = {"tolerance": 2e-6, "opens": (0,)}
    uneven = {"strides": (1, 2), "padding": "same"}
    first = np.moveaxis(IMAGE, -1, 1).copy()
    return [
        *cases,
        Case("depthwise_conv", (IMAGE, kernel, 1, "same", None, 2), _depthwise_conv, **rest),
        Case("depthwise_conv", (IMAGE, kernel), _depthwise_conv, uneven, note="uneven", **rest),
        Case("separable_conv", (first, kernel, wide), _separable_conv, FIRST, grad=False, **rest),
    ]


@channels_last
def _depth_to_space_last(x: np.ndarray, size: int) -> np.ndarray:
    n, h, w, c = x.shape
    y = np.empty((n, h * size, w * size, c // size**2), x.dtype)
    for i, j in np.ndindex(size, size):
        block = (i * size + j) * y.shape[-1]
        y[:, i::size, j::size] = x[..., block : block + y.shape[-1]]
    return y


def _depth_to_space(x: np.ndarray, size: int, data_format: str = "channels_last") -> np.ndarray:
    if data_format == "channels_last":
        return _depth_to_space_last(x, size)
    n, c, h, w = x.shape
    y = np.empty((n, c // size**2, h * size, w * size), x.dtype)
    for i, j in np.ndindex(size, size):
        y[:, :, i::size, j::size] = x[:, i * size + j :: size**2]
    return y


def _space_to_depth(x: np.ndarray, size: int, data_format: str = "channels_last") -> np.ndarray:
    blocks = [(i, j) for i in range(size) for j in range(size)]
    if data_format == "channels_last":
        return np.concatenate([x[:, i::size, j::size] for i, j in blocks], -1)
    y = np.stack([x[:, :, i::size, j::size] for i, j in blocks], 2)
    return y.reshape(len(x), -1, *y.shape[3:])


def _blocks() -> list[Case]:
    deep, wide = normal(2, 2, 3, 12), normal(2, 4, 6, 3)
    cases = []
    for name, x, function in (
        ("depth_to_space", deep, _depth_to_space),
        ("space_to_depth", wide, _space_to_depth),
    ):
        first = np.moveaxis(x, -1, 1).copy()
        cases += [
            Case(name, (x, 2), function),
            Case(name, (first, 2, "channels_first"), function),
            Case(name, ((x * 9).astype("int8"), 2), function),
        ]
    return cases


def _unfold(
    x: np.ndarray, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> np.ndarray:
    k, d, p, s = (_each(v, 2) for v in (kernel_size, dilation, padding, stride))
    x = np.pad(x, ((0, 0), (0, 0), (p[0],) * 2, (p[1],) * 2))
    spans = [(a - 1) * b + 1 for a, b in zip(k, d, strict=True)]
    columns = [
        x[:, :, i : i + spans[0] : d[0], j : j + spans[1] : d[1]].reshape(len(x), -1)
        for i in range(0, x.shape[2] - spans[0] + 1, s[0])
        for j in range(0, x.shape[3] - spans[1] + 1, s[1])
    ]
    return np.stack(columns, -1)


def _fold(x: np.ndarray, output_size: Any, kernel_size: Any, *args: Any, **kwargs: Any) -> Any:
    """The transpose of `_unfold`, as a matrix."""
    size, k = _each(output_size, 2), _each(kernel_size, 2)
    channels = x.shape[1] // (k[0] * k[1])
    count = channels * size[0] * size[1]
    units = np.eye(count).reshape(count, channels, *size)
    matrix = _unfold(units, kernel_size, *args, **kwargs).reshape(count, -1)
    return (x.reshape(len(x), -1) @ matrix.T).reshape(len(x), channels, *size)


def _columns() -> list[Case]:
    x = normal(2, 2, 5, 4)
    options: tuple[dict[str, Any], ...] = (
        {"kernel_size": 2}, {"kernel_size": (2, 3), "stride": 2, "padding": (1, 0)},
        {"kernel_size": 2, "dilation": (1, 2), "padding": 1, "stride": (3, 1)},
    )  # fmt: skip
    cases = []
    for option in options:
        cases.append(Case("unfold", (x,), _unfold, option))
        if option != {"kernel_size": 2}:
            cases.append(Case("fold", (_unfold(x, **option), (5, 4)), _fold, option))
    ints = (x * 9).astype("int32")
    return [
        *cases,
        Case("unfold", (ints, 2), _unfold),
        Case("fold", (_unfold(ints, 2), (5, 4), 2), _fold),
    ]


def _bins(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    @channels_last
    def run(x: np.ndarray, output_size: Any) -> np.ndarray:
        sizes = [
            n if m is None else m
            for n, m in zip(x.shape[1:-1], _each(output_size, x.ndim - 2), strict=True)
        ]
        y = np.empty((len(x), *sizes, x.shape[-1]))
        for place in np.ndindex(*sizes):
            cut = tuple(
                slice(i * n // m, -(-(i + 1) * n // m))
                for i, n, m in zip(place, x.shape[1:-1], sizes, strict=True)
            )
            y[(slice(None), *place)] = function(x[(slice(None), *cut)], tuple(range(1, x.ndim - 1)))
        return y

    return run


def _adaptive() -> list[Case]:
    cases = []
    for name, function in (("average", _bins(np.mean)), ("max", _bins(np.max))):
        op = f"adaptive_{name}_pool"
        first = np.moveaxis(IMAGE, -1, 1).copy()
        dtype = "float32" if name == "average" else None
        cases += [
            Case(op, (SIGNAL, 3), function),
            Case(op, (SIGNAL, 7), function, note="more", grad=False),
            Case(op, (SIGNAL, (None,)), function, note="same-size", grad=False),
            Case(op, (IMAGE, (2, 3)), function),
            Case(op, (first, [3, None]), function, FIRST, grad=False),
            Case(op, (VOLUME, (2, 1, 2)), function, grad=False),
            Case(op, ((IMAGE * 99).astype("int32"), (2, 4)), function, dtype=dtype),
            Case(op, (IMAGE.astype(ml_dtypes.bfloat16), 3), function),
        ]
    return cases
