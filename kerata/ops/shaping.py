"""Operations that make tensors, and that move elements without changing them."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from kerata.backends import dtypes
from kerata.backends.geometry import MIRRORED, axes_tuple, pad_pairs
from kerata.backends.registry import ensure
from kerata.backends.state import operations, state
from kerata.ops.dispatch import Tensor, composite, is_symbolic, primitive, to_tensor

__all__ = (
    "shape", "convert_to_tensor", "convert_to_numpy", "reshape", "transpose", "broadcast_to",
    "expand_dims", "squeeze", "concatenate", "stack", "unstack", "split", "pad", "flip",
    "repeat", "tile", "ravel", "swapaxes", "moveaxis",
)  # fmt: skip

Shape: TypeAlias = Any


def shape(x: Tensor) -> tuple[Any, ...]:
    """The sizes of `x`: ints where they are known, else the backend's own dynamic sizes.

    A symbolic tensor answers None for a size that is open. Calculate with sizes and pass them on as
    shapes; a branch on one would tie the program to the sizes it was built with.
    """
    if is_symbolic(x):
        return tuple(x.shape)
    backend = state.backend or ensure()
    return backend.shape_of(to_tensor(x, backend))


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """`x` (a scalar, list, array, variable, or another engine's tensor) as a tensor.

    Args:
        x: what to convert; lists may hold tensors.
        dtype: the dtype to have; None keeps an array's own. Python floats become
            `config.floatx()`, ints int32.
        sparse: accepted for compatibility; every tensor is dense.
        ragged: accepted for compatibility.
    """
    if is_symbolic(x):
        return x if dtype is None else operations["cast"](x, dtype)
    backend = state.backend or ensure()
    wanted = None if dtype is None else dtypes.standardize_dtype(dtype)
    if not hasattr(type(x), "__kerata_value__") and not isinstance(
        x, (*backend.tensor_types, list, tuple)
    ):
        return backend.convert(x, wanted)
    tensor = to_tensor(x, backend)
    if wanted is None or backend.dtype_of(tensor) == wanted:
        return tensor
    return backend.kernels["cast"](tensor, wanted)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The values of a tensor or variable as a NumPy array."""
    if isinstance(x, np.ndarray):
        return x
    backend = state.backend or ensure()
    return backend.to_numpy(to_tensor(x, backend))


@primitive()
def reshape(x: Tensor, newshape: Shape) -> Tensor:
    """The same elements, in row-major order, in another shape; one size may be -1."""


@primitive()
def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order, reversed where `axes` is None."""


@primitive()
def broadcast_to(x: Tensor, shape: Shape) -> Tensor:
    """`x` repeated along new and size-1 axes to have `shape`."""


@primitive()
def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """`x` with an axis of size 1 put in at each place of `axis` in the result."""


@primitive()
def squeeze(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """`x` without the axes of size 1 named by `axis` (all of them where None)."""


@primitive(promote="common")
def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    """The tensors one after the other along an existing `axis`."""


@primitive(promote="common")
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """The tensors one after the other along a new `axis`."""


@primitive()
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of `x` along `axis`, as a list."""


@primitive()
def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """`x` cut along `axis` into equal sections (an int) or before each index (a sequence)."""


@composite()
def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """`x` with `(before, after)` elements added to each axis.

    Args:
        x: the tensor.
        pad_width: one number, one pair, or a pair for each axis; ints, not negative.
        mode: what is added:

            - "constant" (or "empty"): `constant_values`;
            - "edge": the element at the edge;
            - "reflect", "symmetric": the elements mirrored, without or with the one at the edge;
            - "wrap": the elements from the other end;
            - "maximum", "minimum", "mean", "median": that of the whole axis;
            - "linear_ramp": numbers that fall evenly from the edge to 0.
        constant_values: what "constant" adds, 0 where None.

    Raises:
        ValueError: the mode is none of these, a width is negative, `constant_values` are given with
            another mode, or an axis without elements is to be extended by elements of its own.

    >>> pad([1, 2, 3], 2, "reflect").tolist()
    [3, 2, 1, 2, 3, 2, 1]
    """
    for axis, pair in enumerate(pad_pairs(pad_width, len(shape(x)))):
        if pair != (0, 0):
            x = _padded(x, axis, pair, mode, constant_values)
    return x


def _padded(x: Tensor, axis: int, pair: tuple[int, int], mode: str, fill: Any) -> Tensor:
    """One axis padded."""
    sizes = shape(x)
    if mode in MIRRORED:
        return operations["take"](x, _mirrored(pair, sizes[axis], mode), axis)
    if mode == "linear_ramp":
        ends = [_ramp(x, axis, width, i) if width else None for i, width in enumerate(pair)]
    else:
        value = _statistic(x, axis, mode, fill)
        ends = [
            broadcast_to(value, [width if a == axis else s for a, s in enumerate(sizes)])
            if width
            else None
            for width in pair
        ]
    return concatenate([part for part in (ends[0], x, ends[1]) if part is not None], axis)


def _mirrored(pair: tuple[int, int], size: Any, mode: str) -> Tensor:
    """For each place of the padded axis the one of `size` that it repeats."""
    places = operations["arange"](-pair[0], size + pair[1])
    last = operations["subtract"](size, 1)
    if mode == "edge":
        return operations["maximum"](operations["minimum"](places, last), 0)
    if mode == "wrap":
        return operations["mod"](places, size)
    period = operations["maximum"](last * 2, 1) if mode == "reflect" else last * 2 + 2
    turned = operations["mod"](places, period)
    return operations["minimum"](turned, (last * 2 if mode == "reflect" else last * 2 + 1) - turned)


def _statistic(x: Tensor, axis: int, mode: str, fill: Any) -> Tensor:
    """What a padding repeats, of size 1 along its axis or without axes."""
    kind = dtypes.standardize_dtype(x.dtype)
    if mode in ("constant", "empty"):
        return operations["cast"](0 if fill is None else fill, kind)
    found = operations[{"maximum": "max", "minimum": "min"}.get(mode, mode)](x, axis, True)
    return operations["cast"](operations["round"](found) if _is_whole(kind) else found, kind)


def _ramp(x: Tensor, axis: int, width: int, end: int) -> Tensor:
    """From 0 up to the edge, without it, before the first element; back from it after the last."""
    kind, rank = dtypes.standardize_dtype(x.dtype), len(shape(x))
    edge = slice(-1, None) if end else slice(0, 1)
    steps = np.arange(width) / width
    heights = (steps[::-1] if end else steps).reshape((-1,) + (1,) * (rank - axis - 1))
    value = x[(slice(None),) * axis + (edge,)]
    if not _is_whole(kind):
        return operations["multiply"](value, convert_to_tensor(heights, kind))
    found = operations["multiply"](value, convert_to_tensor(heights, "float32"))
    return operations["cast"](operations["floor"](found), kind)


def _is_whole(kind: str) -> bool:
    return kind == "bool" or dtypes.is_integer(kind)


@primitive()
def flip(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """`x` reversed along `axis` (all axes where None)."""


@primitive()
def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element `repeats` times in a row along `axis`; flattened first where None.

    `repeats` is one number or one for each place of the axis. As a tensor it makes a size that
    depends on values: then the call runs at once and under TensorFlow's `jit` alone.

    >>> repeat([1, 2, 3], [2, 0, 1]).tolist()
    [1, 1, 3]
    """


@primitive()
def tile(x: Tensor, repeats: Any) -> Tensor:
    """The whole of `x` repeated `repeats` times along each axis."""


@composite()
def ravel(x: Tensor) -> Tensor:
    """The elements of `x` in one axis."""
    return reshape(x, (-1,))


@composite()
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    first, second = axes_tuple((axis1, axis2), len(shape(x)))
    axes = list(builtins.range(len(shape(x))))
    axes[first], axes[second] = second, first
    return transpose(x, axes)


@composite()
def moveaxis(x: Tensor, source: Any, destination: Any) -> Tensor:
    """The axes `source` moved to the places `destination`, the others keeping their order."""
    rank = len(shape(x))
    sources, targets = axes_tuple(source, rank), axes_tuple(destination, rank)
    order = [a for a in builtins.range(rank) if a not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(x, order)
