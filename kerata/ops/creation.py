"""Operations that make tensors, and what a tensor is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata import config
from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.backends.state import operations, state
from kerata.ops import elementwise as ew
from kerata.ops.dispatch import Tensor, composite, is_symbolic, primitive, to_tensor
from kerata.ops.shaping import (
    Shape,
    broadcast_to,
    concatenate,
    convert_to_tensor,
    expand_dims,
    flip,
    moveaxis,
    ravel,
    reshape,
    shape,
)  # fmt: skip

__all__ = (
    "array", "copy", "dtype", "is_tensor", "ndim", "size", "arange", "full", "zeros", "ones",
    "empty", "full_like", "zeros_like", "ones_like", "empty_like", "eye", "identity", "linspace",
    "logspace", "geomspace", "meshgrid", "vander",
)  # fmt: skip


def array(x: Any, dtype: Any = None) -> Tensor:
    """`x` as a tensor, as `convert_to_tensor`."""
    return convert_to_tensor(x, dtype)


def dtype(x: Any) -> str:
    """The name of the dtype that `x` has as a tensor."""
    if is_symbolic(x):
        return str(x.dtype)
    backend = state.backend or ensure()
    return backend.dtype_of(to_tensor(x, backend))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of the active backend; symbolic tensors and variables are none."""
    return isinstance(x, (state.backend or ensure()).tensor_types)


def ndim(x: Any) -> int:
    """How many axes `x` has."""
    return len(shape(x))


def size(x: Any) -> Any:
    """How many elements `x` has.

    An int where the sizes are known, otherwise the backend's own dynamic size; of a symbolic tensor
    with open sizes a symbolic int32.
    """
    sizes = shape(x)
    if None in sizes:
        return operations["sum"](ones_like(x, "int32"))
    return math.prod(sizes)


@composite()
def copy(x: Tensor) -> Tensor:
    """The same values in memory of their own where tensors can be written to."""
    return x


@primitive()
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """The numbers from `start` up to but without `stop`, by `step`; sizes may be dynamic.

    int32 where all are ints, else `config.floatx()`, unless `dtype` is given.
    """


@primitive()
def full(shape: Shape, fill_value: Tensor, dtype: Any = None) -> Tensor:
    """A tensor of `shape` that holds `fill_value` everywhere."""


@composite()
def zeros(shape: Shape, dtype: Any = None) -> Tensor:
    """A tensor of zeros, `config.floatx()` where no dtype is given."""
    return full(shape, 0, dtypes.standardize_dtype(dtype or config.floatx()))


@composite()
def ones(shape: Shape, dtype: Any = None) -> Tensor:
    """A tensor of ones, `config.floatx()` where no dtype is given."""
    return full(shape, 1, dtypes.standardize_dtype(dtype or config.floatx()))


@composite()
def empty(shape: Shape, dtype: Any = None) -> Tensor:
    """A tensor whose values don't matter; they are 0, `config.floatx()` unless `dtype` is given."""
    return zeros(shape, dtype)


@composite()
def full_like(x: Tensor, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor of the shape (and dtype) of `x` that holds `fill_value` everywhere."""
    return full(shape(x), fill_value, dtypes.standardize_dtype(dtype or x.dtype))


@composite()
def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Zeros in the shape (and dtype) of `x`."""
    return full(shape(x), 0, dtypes.standardize_dtype(dtype or x.dtype))


@composite()
def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Ones in the shape (and dtype) of `x`."""
    return full(shape(x), 1, dtypes.standardize_dtype(dtype or x.dtype))


@composite()
def empty_like(x: Tensor, dtype: Any = None) -> Tensor:
    """A tensor of the shape (and dtype) of `x` whose values don't matter; they are 0."""
    return zeros_like(x, dtype)


@composite()
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the `k`-th diagonal of an `(N, M)` matrix of zeros."""
    rows, columns = arange(N), arange(N if M is None else M)
    on = operations["equal"](expand_dims(rows, 1) + k, expand_dims(columns, 0))
    return operations["cast"](on, dtypes.standardize_dtype(dtype or config.floatx()))


@composite()
def identity(n: int, dtype: Any = None) -> Tensor:
    """The `(n, n)` identity matrix."""
    return eye(n, dtype=dtype)


# Numbers in steps. Those between Python's numbers are found on the host, in 64 bits.


def _plain(*values: Any) -> bool:
    return all(isinstance(v, (int, float, complex, np.number)) for v in values)


def _given(*values: Any) -> list[Any]:
    """Numbers as they are, all else as tensors."""
    return [v if _plain(v) else convert_to_tensor(v) for v in values]


def _float_of(*ends: Any) -> str:
    return dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in ends), float)


def _even(ends: Sequence[Any], num: int, endpoint: bool) -> tuple[Tensor, Tensor, Tensor]:
    """`num` numbers along a new first axis, their distance, and the last end in their shape."""
    kind = dtypes.promote(_float_of(*ends), "float32")
    first, last = (ew.cast(convert_to_tensor(v), kind) for v in ends)
    rest = ew.add(zeros_like(first), zeros_like(last))
    first, last = ew.add(first, rest), ew.add(last, rest)
    parts = num - 1 if endpoint else num
    delta = ew.subtract(last, first)
    step = ew.true_divide(delta, parts) if parts > 0 else full_like(delta, float("nan"))
    places = reshape(ew.cast(arange(num), kind), (num,) + (1,) * len(shape(first)))
    found = ew.add(first, ew.multiply(places, step if parts > 0 else delta))
    return (_ending(found, last) if endpoint and num > 1 else found), step, last


def _ending(numbers: Tensor, last: Tensor) -> Tensor:
    """The numbers, the last of them exactly `last`."""
    return concatenate([numbers[:-1], expand_dims(last, 0)], 0)


def _count(name: str, num: Any) -> int:
    if not isinstance(num, (int, np.integer)) or num < 0:
        raise ValueError(f"{name}: num must be an int, not negative; got {num!r}")
    return int(num)


@composite()
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` numbers at equal distances from `start` to `stop`.

    Args:
        start: the first number; a tensor of them gives as many rows.
        stop: the last number, left out where `endpoint` is False.
        num: how many.
        endpoint: whether `stop` is one of them.
        retstep: whether to return `(numbers, step)`; the step is NaN where there is none.
        dtype: of the numbers, a float where None; ints are rounded down.
        axis: where they lie in the result.

    >>> linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    num, ends = _count("linspace", num), _given(start, stop)
    real = _float_of(*ends)
    kind = real if dtype is None else dtypes.standardize_dtype(dtype)
    whole = dtypes.is_integer(kind)
    if _plain(*ends):
        values, gap = np.linspace(start, stop, num, endpoint, retstep=True)
        numbers = convert_to_tensor(np.floor(values) if whole else values, kind)
        step = convert_to_tensor(np.asarray(gap), real)
    else:
        found, step, _ = _even(ends, num, endpoint)
        found = moveaxis(ew.floor(found) if whole else found, 0, axis)
        numbers, step = ew.cast(found, kind), ew.cast(step, real)
    return (numbers, step) if retstep else numbers


@composite()
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """`base` raised to the numbers that `linspace` gives.

    >>> logspace(0, 2, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    num, ends = _count("logspace", num), _given(start, stop, base)
    kind = _float_of(*ends) if dtype is None else dtypes.standardize_dtype(dtype)
    if _plain(*ends):
        return convert_to_tensor(np.logspace(start, stop, num, endpoint, base), kind)
    exponents, _, _ = _even(ends[:2], num, endpoint)
    return ew.cast(moveaxis(ew.power(ends[2], exponents), 0, axis), kind)


@composite()
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before it.

    The ends have one sign; between those that don't lies NaN.

    >>> geomspace(1, 8, 4).tolist()
    [1.0, 2.0, 4.0, 8.0]
    """
    num, ends = _count("geomspace", num), _given(start, stop)
    kind = _float_of(*ends) if dtype is None else dtypes.standardize_dtype(dtype)
    if _plain(*ends):
        if not all(ends):
            raise ValueError(f"geomspace: start and stop must not be 0; got {start} and {stop}")
        with np.errstate(invalid="ignore"):
            return convert_to_tensor(np.geomspace(start, stop, num, endpoint), kind)
    wide = dtypes.promote(_float_of(*ends), "float32")
    first, last = (ew.cast(convert_to_tensor(v), wide) for v in ends)
    ratio = ew.log(ew.true_divide(last, first))
    powers, _, _ = _even([zeros_like(ratio), ratio], num, endpoint)
    found = ew.multiply(first, ew.exp(powers))
    if endpoint and num > 1:
        found = _ending(found, ew.add(last, zeros_like(ratio)))
    return ew.cast(moveaxis(found, 0, axis), kind)


# Grids


def _meshgrid(xs: Sequence[Tensor], indexing: str = "xy") -> list[Tensor]:
    """`meshgrid`, the tensors as a sequence."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij'; got {indexing!r}")
    rows = [ravel(x) for x in xs]
    order = list(range(len(rows)))
    if indexing == "xy" and len(rows) > 1:
        order[:2] = [1, 0]
    sizes = [shape(rows[i])[0] for i in order]
    grids = []
    for i, row in enumerate(rows):
        others = [a for a in range(len(rows)) if a != order.index(i)]
        grids.append(broadcast_to(expand_dims(row, others), sizes))
    return grids


_meshgrid.__name__ = "meshgrid"  # what is recorded and what errors begin with
_recorded = composite()(_meshgrid)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of every point of a grid, from those along each of its axes.

    Args:
        *x: one tensor for each axis, flattened.
        indexing: "ij" for grids of shape `(n1, n2, ...)`, "xy" for `(n2, n1, ...)`.

    Returns:
        a list of as many tensors of the grid's shape.

    >>> [grid.tolist() for grid in meshgrid([1, 2], [3, 4, 5])]
    [[[1, 2], [1, 2], [1, 2]], [[3, 3], [4, 4], [5, 5]]]
    """
    return _recorded(list(x), indexing) if x else []


@composite()
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of each element of a vector: `N` columns (as many as rows where None).

    >>> vander([2, 3], 3).tolist()
    [[4, 2, 1], [9, 3, 1]]
    """
    if len(shape(x)) != 1:
        raise ValueError(f"vander: x must have one axis; got the shape {shape(x)}")
    base = ew.cast(x, "int32") if dtypes.standardize_dtype(x.dtype) == "bool" else x
    places = arange(shape(x)[0] if N is None else N)
    exponents = places if increasing else flip(places)
    base = ew.where(ew.equal(exponents, 0), ew.cast(1, base.dtype), expand_dims(base, 1))
    return ew.power(base, ew.cast(exponents, base.dtype))
