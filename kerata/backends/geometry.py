"""Axes, windows and paddings, solved as integer problems before a tensor is touched."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from kerata import config


class Window(NamedTuple):
    """The plan of a convolution or pooling over `rank` spatial axes.

    Attributes:
        rank: the number of spatial axes.
        size: the window.
        strides: the steps.
        dilation: the distances between the window's elements.
        same: whether the padding is "same".
        channels_last: whether channels are the last axis.
    """

    rank: int
    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    same: bool
    channels_last: bool

    def pads(self, sizes: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """What to add before and after each spatial axis of these sizes."""
        if not self.same:
            return ((0, 0),) * self.rank
        found = []
        for n, k, s, d in zip(sizes, self.size, self.strides, self.dilation, strict=True):
            total = max((math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0)
            found.append((total // 2, total - total // 2))
        return tuple(found)

    def output(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """The spatial sizes that come out."""
        if self.same:
            return tuple(-(-n // s) for n, s in zip(sizes, self.strides, strict=True))
        return tuple(
            (n - (k - 1) * d - 1) // s + 1
            for n, k, s, d in zip(sizes, self.size, self.strides, self.dilation, strict=True)
        )

    def spatial(self, shape: Sequence[Any]) -> tuple[Any, ...]:
        """The spatial sizes out of a whole shape."""
        return tuple(shape[1:-1] if self.channels_last else shape[2:])


def spread(value: Any, rank: int, name: str) -> tuple[int, ...]:
    """One int for each spatial axis, from an int or a sequence of that length."""
    values = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(values) != rank or any(not isinstance(v, int) or v < 1 for v in values):
        raise ValueError(f"{name} must be a positive int, or {rank} of them; got {value!r}")
    return values


@functools.lru_cache(4096)
def _window(
    rank: int, size: Any, strides: Any, padding: str, data_format: str, dilation: Any
) -> Window:
    if padding not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same'; got {padding!r}")
    steps = spread(strides, rank, "strides")
    rates = spread(dilation, rank, "dilation_rate")
    return Window(
        rank,
        spread(size, rank, "pool_size"),
        steps,
        rates,
        padding == "same",
        data_format == "channels_last",
    )


def window(
    ndim: int, size: Any, strides: Any, padding: str, data_format: str | None, dilation: Any = 1
) -> Window:
    """The plan for a tensor of `ndim` axes; arguments as in `kerata.ops.conv` and `max_pool`."""
    size = tuple(size) if isinstance(size, (list, tuple)) else size
    strides = tuple(strides) if isinstance(strides, (list, tuple)) else strides
    dilation = tuple(dilation) if isinstance(dilation, (list, tuple)) else dilation
    return _window(
        ndim - 2,
        size,
        size if strides is None else strides,
        str(padding).lower(),
        config.standardize_data_format(data_format),
        dilation,
    )


def axes_tuple(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes, none negative; all of them where `axis` is None.

    Raises:
        ValueError: an axis is out of range.
    """
    if axis is None:
        return tuple(range(rank))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -rank <= a < rank:
            raise ValueError(f"axis {a} is out of range for a tensor of {rank} axes")
    return tuple(a % rank for a in axes)


def pad_pairs(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """A (before, after) pair for each axis, from what `kerata.ops.pad` takes."""
    if isinstance(pad_width, int):
        return ((pad_width, pad_width),) * rank
    pairs: list[Any] = [tuple(p) if isinstance(p, (list, tuple)) else p for p in pad_width]
    if len(pairs) == 2 and all(isinstance(p, int) for p in pairs):
        return ((pairs[0], pairs[1]),) * rank
    if len(pairs) == 1 and rank > 1:
        pairs = pairs * rank
    if len(pairs) != rank:
        raise ValueError(f"pad_width must have a pair for each of {rank} axes; got {pad_width!r}")
    return tuple((p, p) if isinstance(p, int) else (p[0], p[1]) for p in pairs)


def cut_points(indices_or_sections: Any, size: int) -> list[int]:
    """Where `split` cuts an axis of `size`: the inner boundaries.

    Raises:
        ValueError: the axis can't be cut into that many equal sections.
    """
    if isinstance(indices_or_sections, int):
        if indices_or_sections < 1 or size % indices_or_sections:
            raise ValueError(
                f"split: an axis of {size} can't be cut into {indices_or_sections} equal sections"
            )
        step = size // indices_or_sections
        return [step * i for i in range(1, indices_or_sections)]
    return [min(i if i >= 0 else size + i, size) for i in indices_or_sections]


def summed(dtype: str) -> str:
    """The dtype of a sum or product: 32 bits at least for integers."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in ("uint8", "uint16") else dtype
