"""What reductions, running products, paddings and repetitions give, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral
from typing import Any

from kerata.backends import dtypes
from kerata.backends.abstract.kernels import counted, describe, reduced
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.geometry import axes_tuple, padding, reduced_axes, repeated, summed


def _among(name: str, x: T, axis: Any) -> None:
    """Refuse to look for an extreme among no elements."""
    if any(x.shape[a] == 0 for a in reduced_axes(axis, len(x.shape))):
        raise ValueError(f"{name}: there is no element to find over axis {axis} of {describe(x)}")


def _ordered(name: str, x: T) -> None:
    if dtypes.is_complex(x.dtype):
        raise TypeError(f"{name}: complex numbers have no order; got {describe(x)}")


def _extreme(name: str) -> Callable[..., T]:
    def kernel(x: T, axis: Any = None, keepdims: bool = False, initial: Any = None) -> T:
        _ordered(name, x)
        if initial is None:
            _among(name, x, axis)
        return T(reduced(x.shape, axis, keepdims), x.dtype)

    return kernel


def _place(name: str) -> Callable[..., T]:
    def kernel(x: T, axis: Any = None, keepdims: bool = False) -> T:
        _ordered(name, x)
        _among(name, x, axis)
        return T(reduced(x.shape, axis, keepdims), "int32")

    return kernel


def _cumprod(x: T, axis: Any = None, dtype: Any = None) -> T:
    axes_tuple(axis, len(x.shape))
    shape = (math.prod(x.shape),) if axis is None else x.shape
    return T(shape, dtypes.standardize_dtype(dtype or summed(x.dtype)))


def _pad(x: T, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> T:
    pairs = padding(x.shape, pad_width, mode, constant_values)
    return T(tuple(s + a + b for s, (a, b) in zip(x.shape, pairs, strict=True)), x.dtype)


def _repeat(x: T, repeats: Any, axis: int | None = None) -> T:
    if isinstance(repeats, T):
        raise TypeError(
            "repeat: the size of the result depends on the values of repeats, which are not known "
            "while the program is built or compiled; give repeats as numbers"
        )
    shape = [math.prod(x.shape)] if axis is None else list(x.shape)
    place = 0 if axis is None else axes_tuple(axis, len(shape))[0]
    if isinstance(repeats, Integral):
        if repeats < 0:
            raise ValueError(f"repeat: repeats must not be negative; got {repeats}")
        shape[place] = shape[place] * repeats
    elif len(repeats) == 1:
        shape[place] = shape[place] * int(repeats[0])
    else:
        shape[place] = sum(repeated(repeats, shape[place]))
    return T(tuple(shape), x.dtype)


_PLAIN: dict[str, Callable[..., Any]] = {
    **{n: _extreme(n) for n in ("max", "min")}, **{n: _place(n) for n in ("argmax", "argmin")},
    "cumprod": _cumprod, "pad": _pad, "repeat": _repeat,
}  # fmt: skip
_REDUCING = ("max", "min", "argmax", "argmin", "cumprod")


def _work(out: Any, x: T, *_: Any, **__: Any) -> int:
    return math.prod(x.shape)


KERNELS = {n: counted(n, k, _work if n in _REDUCING else None) for n, k in _PLAIN.items()}
