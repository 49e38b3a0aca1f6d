"""Operations that make tensors."""

from __future__ import annotations

from typing import Any

from kerata import config
from kerata.backends import dtypes
from kerata.backends.state import operations
from kerata.ops.dispatch import Tensor, composite, primitive
from kerata.ops.shaping import Shape, expand_dims, shape

__all__ = (
    "arange", "full", "zeros", "ones", "full_like", "zeros_like", "ones_like", "eye",
)  # fmt: skip


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
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the `k`-th diagonal of an `(N, M)` matrix of zeros."""
    rows, columns = arange(N), arange(N if M is None else M)
    on = operations["equal"](expand_dims(rows, 1) + k, expand_dims(columns, 0))
    return operations["cast"](on, dtypes.standardize_dtype(dtype or config.floatx()))
