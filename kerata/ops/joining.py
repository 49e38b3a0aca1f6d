"""Stacking and splitting by NumPy's older names, turning, rolling, and rearranging by pattern."""

from __future__ import annotations

import builtins
import functools
import math
import re
from collections.abc import Sequence
from typing import Any

from kerata.backends.geometry import axes_tuple
from kerata.ops.creation import arange
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.elementwise import mod
from kerata.ops.indexing import take
from kerata.ops.shaping import (
    concatenate,
    expand_dims,
    flip,
    ravel,
    reshape,
    shape,
    split,
    swapaxes,
    transpose,
)  # fmt: skip

__all__ = (
    "append", "hstack", "vstack", "dstack", "array_split", "hsplit", "vsplit", "dsplit", "fliplr",
    "flipud", "roll", "rot90", "rearrange",
)  # fmt: skip


@composite(promote="common")
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Tensor:
    """`x2` after `x1` along `axis`; both flattened where None."""
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)])
    return concatenate([x1, x2], axis)


def _with_axes(x: Tensor, rank: int) -> Tensor:
    """`x` with axes of size 1 before its own, up to `rank`."""
    missing = rank - len(shape(x))
    return expand_dims(x, tuple(builtins.range(missing))) if missing > 0 else x


@composite(promote="common")
def hstack(xs: Sequence[Tensor]) -> Tensor:
    """The tensors side by side: along their second axis, vectors along their only one."""
    rows = [_with_axes(x, 1) for x in xs]
    return concatenate(rows, 0 if len(shape(rows[0])) == 1 else 1)


@composite(promote="common")
def vstack(xs: Sequence[Tensor]) -> Tensor:
    """The tensors one below the other: along their first axis, vectors as rows."""
    return concatenate([_with_axes(x, 2) for x in xs], 0)


@composite(promote="common")
def dstack(xs: Sequence[Tensor]) -> Tensor:
    """The tensors one behind the other: along their third axis, which matrices get as their last.

    >>> dstack([[1, 2], [3, 4]]).tolist()
    [[[1, 3], [2, 4]]]
    """
    rows = [_with_axes(x, 2) for x in xs]
    return concatenate([expand_dims(x, -1) if len(shape(x)) == 2 else x for x in rows], 2)


@composite()
def array_split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """`x` cut along `axis` as by `split`, into sections that may differ by one element in size.

    The first ones are the larger. A sequence of indices cuts before each.

    >>> [part.tolist() for part in array_split([1, 2, 3, 4, 5], 3)]
    [[1, 2], [3, 4], [5]]
    """
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    count = indices_or_sections
    if count < 1:
        raise ValueError(f"array_split: indices_or_sections must be positive; got {count}")
    sizes = shape(x)
    (place,) = axes_tuple(axis, len(sizes))
    parts, start = [], 0
    for i in builtins.range(count):
        stop = start + (sizes[place] + count - 1 - i) // count
        parts.append(x[(slice(None),) * place + (slice(start, stop),)])
        start = stop
    return parts


def _split(name: str, x: Tensor, indices_or_sections: Any, axis: int) -> list[Tensor]:
    rank = len(shape(x))
    if rank <= axis:
        raise ValueError(f"{name}: x must have {axis + 1} axes or more; got the shape {shape(x)}")
    return split(x, indices_or_sections, axis)


@composite()
def hsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """`split` along the second axis, of a vector along its only one."""
    return _split("hsplit", x, indices_or_sections, 0 if len(shape(x)) == 1 else 1)


@composite()
def vsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """`split` along the first axis of two or more."""
    if len(shape(x)) == 1:
        raise ValueError(f"vsplit: x must have 2 axes or more; got the shape {shape(x)}")
    return _split("vsplit", x, indices_or_sections, 0)


@composite()
def dsplit(x: Tensor, indices_or_sections: Any) -> list[Tensor]:
    """`split` along the third axis."""
    return _split("dsplit", x, indices_or_sections, 2)


# Turning


@composite()
def fliplr(x: Tensor) -> Tensor:
    """`x` reversed along its second axis."""
    if len(shape(x)) < 2:
        raise ValueError(f"fliplr: x must have 2 axes or more; got the shape {shape(x)}")
    return flip(x, 1)


@composite()
def flipud(x: Tensor) -> Tensor:
    """`x` reversed along its first axis."""
    return flip(x, 0)


@composite()
def roll(x: Tensor, shift: Any, axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved on by `shift` places along `axis`; what leaves at the end comes in first.

    Args:
        x: the tensor.
        shift: one number for all axes, or one for each.
        axis: one axis or several; None rolls the flattened tensor and restores its shape.

    >>> roll([1, 2, 3, 4], 1).tolist()
    [4, 1, 2, 3]
    """
    if axis is None:
        total = sum(shift) if isinstance(shift, (list, tuple)) else shift
        return reshape(roll(ravel(x), total, 0), shape(x))
    for distance, place in shifts(shift, axis, len(shape(x))):
        size = shape(x)[place]
        x = take(x, mod(arange(size) - distance, size), place)
    return x


def shifts(shift: Any, axis: int | Sequence[int], rank: int) -> list[tuple[Any, int]]:
    """How far to roll along which axis, from what `roll` takes.

    Raises:
        ValueError: there are several shifts, not as many as axes.
    """
    places = axes_tuple(axis, rank)
    distances = list(shift) if isinstance(shift, (list, tuple)) else [shift]
    if len(distances) == 1:
        distances *= len(places)
    if len(places) == 1:
        places *= len(distances)
    if len(places) != len(distances):
        raise ValueError(f"roll: shift must have one number for each axis {axis}; got {shift}")
    return list(zip(distances, places, strict=True))


@composite()
def rot90(array: Tensor, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """`array` turned `k` quarters from the first of `axes` towards the second.

    >>> rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    rank = len(shape(array))
    if rank < 2:
        raise ValueError(f"rot90: array must have 2 axes or more; got the shape {shape(array)}")
    first, second = axes_tuple(tuple(axes), rank)
    if first == second:
        raise ValueError(f"rot90: axes must be two different ones; got {tuple(axes)}")
    turns = k % 4
    if turns == 2:
        return flip(array, (first, second))
    if turns == 1:
        return swapaxes(flip(array, second), first, second)
    return flip(swapaxes(array, first, second), second) if turns else array


# Patterns

_MERGED = "(...)"  # an ellipsis in parentheses
_TOKEN = re.compile(r"\s*(\(|\)|\.\.\.|1(?!\w)|[A-Za-z]\w*)")


def _terms(side: str, pattern: str) -> list[list[str]]:
    """The groups of one side of a pattern: `"b (h w) 1"` is `[["b"], ["h", "w"], []]`."""
    groups: list[list[str]] = []
    inside, at = False, 0
    side = side.strip()
    while at < len(side):
        match = _TOKEN.match(side, at)
        token = match.group(1) if match else side[at:].strip()[0]
        if match is None or (token == "(" and inside) or (token == ")" and not inside):
            raise ValueError(f"rearrange: {token!r} is out of place in {pattern!r}")
        at = match.end()
        if token == "(":
            groups.append([])
        elif token != ")":
            name = [] if token == "1" else [token]
            if inside:
                groups[-1] += [_MERGED if n == "..." else n for n in name]
            else:
                groups.append(name)
        inside = token == "(" or (inside and token != ")")
    if inside:
        raise ValueError(f"rearrange: a parenthesis is left open in {pattern!r}")
    return groups


@functools.lru_cache(1024)
def _sides(pattern: str) -> tuple[list[list[str]], list[list[str]]]:
    """The groups left and right of the arrow; both sides have the same names."""
    parts = pattern.split("->")
    if len(parts) != 2:
        raise ValueError(f"rearrange: pattern must be 'from -> to'; got {pattern!r}")
    left, right = (_terms(part, pattern) for part in parts)
    names = [[n.strip("()") for group in side for n in group] for side in (left, right)]
    for found in names:
        twice = sorted({n for n in found if found.count(n) > 1})
        if twice:
            raise ValueError(f"rearrange: {twice[0]!r} is twice on one side of {pattern!r}")
    lone = sorted(set(names[0]) ^ set(names[1]))
    if lone:
        raise ValueError(f"rearrange: {lone[0]!r} is on one side only of {pattern!r}")
    if any(_MERGED in group for group in left):
        raise ValueError(f"rearrange: '...' can't be taken apart, left in {pattern!r}")
    return left, right


def _spelled(groups: list[list[str]], dots: list[str]) -> list[list[str]]:
    """The groups with the ellipsis spelled out, as groups of its own or within one."""
    found: list[list[str]] = []
    for group in groups:
        if group == ["..."]:
            found += [[d] for d in dots]
        else:
            found.append([n for g in group for n in (dots if g == _MERGED else [g])])
    return found


def _sizes(
    groups: list[list[str]], sizes: Sequence[Any], lengths: dict[str, int], pattern: str
) -> dict[str, Any]:
    """The size of each name, one unknown in a group following from the others."""
    found: dict[str, Any] = {}
    for group, size in zip(groups, sizes, strict=True):
        unknown = [n for n in group if n not in lengths]
        if len(unknown) > 1:
            raise ValueError(f"rearrange: give all lengths but one of {group} in {pattern!r}")
        known = math.prod(lengths[n] for n in group if n in lengths)
        if isinstance(size, int):
            fits = known and size % known == 0 if unknown else size == known
            if not fits:
                raise ValueError(
                    f"rearrange: an axis of {size} is not ({' '.join(group) or 1}) with {lengths} "
                    f"({pattern!r}, shape {tuple(sizes)})"
                )
        found.update({n: lengths[n] for n in group if n in lengths})
        found.update({n: size // known if known else 0 for n in unknown})
    return found


def _rearrange(tensor: Tensor, pattern: str, lengths: dict[str, int]) -> Tensor:
    """`rearrange`, the lengths of axes as a dictionary."""
    left, right = _sides(pattern)
    sizes = shape(tensor)
    spread = ["..."] in left
    count = len(sizes) - len(left) + spread
    if count < 0 or (count and not spread):
        raise ValueError(
            f"rearrange: {pattern!r} is for {len(left) - spread} axes"
            f"{' or more' if spread else ''}; got the shape {tuple(sizes)}"
        )
    names = {n for group in left for n in group}
    strange = sorted(set(lengths) - names)
    if strange:
        raise ValueError(f"rearrange: {strange[0]!r} is not in {pattern!r}")
    dots = [f".{i}" for i in range(count)]
    left, right = _spelled(left, dots), _spelled(right, dots)
    size_of = _sizes(left, sizes, lengths, pattern)
    before = [n for group in left for n in group]
    after = [n for group in right for n in group]
    apart = reshape(tensor, [size_of[n] for n in before])
    turned = transpose(apart, [before.index(n) for n in after])
    return reshape(turned, [math.prod(size_of[n] for n in group) for group in right])


_rearrange.__name__ = "rearrange"  # what is recorded and what errors begin with
_recorded = composite()(_rearrange)


def rearrange(tensor: Tensor, pattern: str, **axes_lengths: int) -> Tensor:
    """The axes of `tensor` named, taken apart, put in another order and merged.

    Args:
        tensor: the tensor.
        pattern: `"from -> to"`, where each side names the axes; several names in parentheses share
            one axis (the last varies fastest), `1` is an axis of size 1, `...` stands for all axes
            that are not named.
        axes_lengths: the sizes of names that share an axis; one of them may be left out.

    Raises:
        ValueError: the pattern is not well formed, or does not fit the shape.

    The notation is that of einops (Rogozhnikov, 2022).

    >>> x = ops.arange(12).reshape((1, 4, 3))
    >>> rearrange(x, "b (h w) c -> b c h w", h=2).shape
    (1, 3, 2, 2)
    """
    return _recorded(tensor, pattern, axes_lengths)
