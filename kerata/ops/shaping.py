"""Operations that make tensors, and that move elements without changing them."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from kerata.backends import dtypes
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


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None) -> Tensor:
    """`x` (a scalar, list, array, variable, or another engine's tensor) as a tensor.

    Args:
        x: what to convert; lists may hold tensors.
        dtype: the dtype to have; None keeps an array's own. Python floats become
            `config.floatx()`, ints int32.
        sparse: accepted for compatibility; every tensor is dense.
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


@primitive()
def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """`x` with `(before, after)` elements added to each axis.

    Args:
        x: the tensor.
        pad_width: one number, one pair, or a pair for each axis; ints, not negative.
        mode: "constant", "reflect" or "symmetric".
        constant_values: what "constant" adds, 0 where None.
    """


@primitive()
def flip(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """`x` reversed along `axis` (all axes where None)."""


@primitive()
def repeat(x: Tensor, repeats: int, axis: int | None = None) -> Tensor:
    """Each element `repeats` times in a row along `axis`; flattened first where None."""


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
    axes = list(builtins.range(len(shape(x))))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return transpose(x, axes)


@composite()
def moveaxis(x: Tensor, source: Any, destination: Any) -> Tensor:
    """The axes `source` moved to the places `destination`, the others keeping their order."""
    rank = len(shape(x))
    sources = [a % rank for a in ([source] if isinstance(source, int) else source)]
    targets = [a % rank for a in ([destination] if isinstance(destination, int) else destination)]
    order = [a for a in builtins.range(rank) if a not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(x, order)
