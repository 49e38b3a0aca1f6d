"""Axes, windows and paddings, solved as integer problems before a tensor is touched."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

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

    def check(self, shape: Sequence[Any]) -> None:
        """Refuse an input of this shape that no window fits into, as far as its sizes are known."""
        sizes = self.spatial(shape)
        if None not in sizes and min(self.output(sizes)) < 1:
            raise ValueError(f"The window {self.size} is larger than the input {tuple(shape)}")

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


def shapes_agree(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether two shapes are the same, as far as their sizes are known (as ints)."""
    return len(first) == len(second) and all(
        a == b
        for a, b in zip(first, second, strict=True)
        if isinstance(a, int) and isinstance(b, int)
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


def reduced_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes to reduce, none negative; all of them where `axis` is None.

    Raises:
        ValueError: an axis is out of range, or named twice.
    """
    axes = axes_tuple(axis, rank)
    if len(set(axes)) < len(axes):
        raise ValueError(f"axis {axis} names one axis twice")
    return axes


MIRRORED = ("reflect", "symmetric", "edge", "wrap")  # modes of `pad` that repeat elements
FILLED = ("constant", "empty")
PAD_MODES = (*FILLED, *MIRRORED, "maximum", "minimum", "mean", "median", "linear_ramp")


def pad_pairs(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """A (before, after) pair for each axis, from what `kerata.ops.pad` takes.

    Raises:
        ValueError: it is no number, pair, or pair for each axis; or one is negative.
    """
    widths = pad_width.tolist() if isinstance(pad_width, np.ndarray) else pad_width
    pairs: list[Any] = list(widths) if isinstance(widths, (list, tuple)) else [widths]
    if len(pairs) == 2 and all(isinstance(p, Integral) for p in pairs):
        pairs = [pairs]
    if len(pairs) == 1:
        pairs = pairs * rank
    pairs = [tuple(p) if isinstance(p, (list, tuple)) else (p, p) for p in pairs]
    flat = [n for pair in pairs for n in pair]
    if (
        len(pairs) != rank
        or any(len(p) != 2 for p in pairs)
        or not all(isinstance(n, Integral) for n in flat)
    ):
        raise ValueError(f"pad_width must have a pair for each of {rank} axes; got {pad_width!r}")
    if any(n < 0 for n in flat):
        raise ValueError(f"pad_width must not be negative; got {pad_width!r}")
    return tuple(pairs)


def padding(
    shape: Sequence[Any], pad_width: Any, mode: str, constant_values: Any
) -> tuple[tuple[int, int], ...]:
    """The pairs of `pad_pairs`, the other arguments of `pad` checked.

    Raises:
        ValueError: `kerata.ops.pad` says when.
    """
    if mode not in PAD_MODES:
        raise ValueError(f"mode must be one of {', '.join(PAD_MODES)}; got {mode!r}")
    if mode != "constant" and constant_values is not None:
        raise ValueError(
            f"constant_values are for the mode 'constant'; got {constant_values!r} with {mode!r}"
        )
    pairs = pad_pairs(pad_width, len(shape))
    for size, pair in zip(shape, pairs, strict=True):
        if isinstance(size, int) and size == 0 and pair != (0, 0) and mode not in FILLED:
            raise ValueError(f"the mode {mode!r} can't extend an axis without elements")
    return pairs


def repeated(repeats: Any, size: int) -> list[int]:
    """How often each of `size` places comes, from a sequence of ints that `repeat` takes.

    Raises:
        ValueError: there are neither one nor `size` numbers, or one is negative.
    """
    counts = [int(n) for n in repeats]
    if len(counts) not in (1, size):
        raise ValueError(f"repeat: repeats must have one number or {size}; got {len(counts)}")
    if any(n < 0 for n in counts):
        raise ValueError(f"repeat: repeats must not be negative; got {counts}")
    return counts * (size if len(counts) == 1 else 1)


def places_of(repeats: Any, size: int) -> list[int]:
    """Which of `size` places comes where when each is repeated."""
    return [i for i, n in enumerate(repeated(repeats, size)) for _ in range(n)]


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


def check_number(num: int | None, size: int) -> None:
    """Refuse a number of slices for `unstack` that is not the axis' size.

    Raises:
        ValueError: it is another.
    """
    if num is not None and num != size:
        raise ValueError(f"num must be the size of the axis, {size}; got {num}")


def summed(dtype: str) -> str:
    """The dtype of a sum or product: 32 bits at least for integers."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in ("uint8", "uint16") else dtype


def same_shape(real: Any, imaginary: Any) -> None:
    """Refuse two parts of a complex tensor that engines would broadcast.

    Raises:
        ValueError: the shapes differ.
    """
    if tuple(real.shape) != tuple(imaginary.shape):
        raise ValueError(
            f"the real part's shape {tuple(real.shape)} and the imaginary part's "
            f"{tuple(imaginary.shape)} differ"
        )


def check_numbers(*counts: int | None) -> None:
    """Refuse transforms of nothing, which some engines make.

    Raises:
        ValueError: a count is known and not positive.
    """
    if any(n is not None and n < 1 for n in counts):
        raise ValueError("there is nothing to transform")


def transform_length(count: Any, fft_length: int | None) -> Any:
    """How many real numbers an inverse transform of `count` frequencies gives.

    Raises:
        ValueError: none.
    """
    length = 2 * (count - 1) if fft_length is None else fft_length
    if isinstance(length, int) and length < 1:
        raise ValueError(
            f"fft_length must be positive; got {fft_length} for the last axis' size {count}"
        )
    return length
