"""What shape and dtype operations on each element give, and the bits of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kerata.backends import dtypes
from kerata.backends.abstract.tensor import AbstractTensor as T


def describe(*tensors: T) -> str:
    """`(32, 784) float32, (784, 128) float32`."""
    return ", ".join(f"{tuple(t.shape)} {t.dtype}" for t in tensors)


def broadcast(name: str, *shapes: Sequence[Any]) -> tuple[Any, ...]:
    """The shape that shapes broadcast to.

    Raises:
        ValueError: two sizes differ and neither is 1.
    """
    rank = max(len(s) for s in shapes)
    result = []
    for i in range(-rank, 0):
        found = 1
        for shape in shapes:
            size = shape[i] if -i <= len(shape) else 1
            if size != 1:
                if found not in (1, size):
                    listed = " and ".join(str(tuple(s)) for s in shapes)
                    raise ValueError(
                        f"{name}: the shapes {listed} don't broadcast: "
                        f"axis {i} has {found} and {size}"
                    )
                found = size
        result.append(found)
    return tuple(result)


# What an operation refuses, and why.
_WITHOUT: dict[str, tuple[Callable[[str], bool], str]] = {
    "complex": (lambda d: d in dtypes.COMPLEX, "complex numbers"),
    "bool": (lambda d: d == "bool", "booleans"),
    "other": (lambda d: d != "bool" and not dtypes.is_integer(d), "anything but integers"),
}


def _elementwise(
    name: str, dtype: Callable[[str], str] = lambda d: d, without: str | None = None
) -> Callable[..., T]:
    """A kernel whose result broadcasts its operands and has the dtype that `dtype` finds."""
    refused, what = _WITHOUT[without] if without else (None, "")

    def kernel(*xs: Any, **_: Any) -> T:
        tensors = [x for x in xs if isinstance(x, T)]
        first = tensors[0]
        if refused and refused(first.dtype):
            raise TypeError(f"{name} is not defined for {what}; got {describe(*tensors)}")
        shape = first.shape if len(tensors) == 1 else broadcast(name, *(x.shape for x in tensors))
        return T(shape, dtype(first.dtype))

    return kernel


def _counted(dtype: str) -> str:
    return "int32" if dtype == "bool" else dtype


def _size(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def _where(condition: T, x1: T, x2: T) -> T:
    return T(broadcast("where", condition.shape, x1.shape, x2.shape), x1.dtype)


def _cast(x: T, dtype: Any) -> T:
    return T(x.shape, dtypes.standardize_dtype(dtype))


def _view(x: T, dtype: Any = None) -> T:
    target = x.dtype if dtype is None else dtypes.standardize_dtype(dtype)
    old, new = dtypes.size(x.dtype), dtypes.size(target)
    if old == new:
        return T(x.shape, target)
    if not x.shape:
        raise ValueError(
            f"view: a tensor without axes keeps its size; got dtype {target} for {describe(x)}"
        )
    length = x.shape[-1] * old
    if length % new:
        raise ValueError(
            f"view: the {old}-byte entries of the last axis of {describe(x)} don't divide into "
            f"{new} bytes each, as dtype {target} has"
        )
    return T((*x.shape[:-1], length // new), target)


def _view_as_complex(x: T) -> T:
    if x.dtype in dtypes.COMPLEX:
        raise TypeError(f"view_as_complex: x must be real; got {describe(x)}")
    if not x.shape or x.shape[-1] != 2:
        raise ValueError(
            f"view_as_complex: the last axis of x must have two entries; got {describe(x)}"
        )
    return T(x.shape[:-1], "complex128" if x.dtype == "float64" else "complex64")


def _view_as_real(x: T) -> T:
    return T((*x.shape, 2), _size(x.dtype))


_KEEP = (
    "add", "multiply", "maximum", "minimum", "true_divide", "sign", "exp", "expm1", "log", "log1p",
    "sqrt", "rsqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
    "arcsinh", "arccosh", "arctanh", "round",
)  # fmt: skip
_REAL = ("arctan2", "erf", "erfc", "erfinv", "floor", "ceil")
_BITS = ("bitwise_and", "bitwise_or", "bitwise_xor")
_SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")
_BOOL = (
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and",
    "logical_or", "logical_not", "isnan",
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {
    **{n: _elementwise(n) for n in _KEEP},
    **{n: _elementwise(n, without="complex") for n in _REAL},
    **{n: _elementwise(n, without="bool") for n in ("subtract", "negative")},
    **{n: _elementwise(n, _counted, "complex") for n in ("floor_divide", "mod")},
    **{n: _elementwise(n, without="other") for n in _BITS},
    **{n: _elementwise(n, _counted, "other") for n in _SHIFTS},
    **{n: _elementwise(n, lambda _: "bool") for n in _BOOL},
    "power": _elementwise("power", _counted), "absolute": _elementwise("absolute", _size),
    "where": _where, "cast": _cast, "stop_gradient": lambda variable: variable, "view": _view,
    "view_as_complex": _view_as_complex, "view_as_real": _view_as_real,
}  # fmt: skip
# Those that calculate: one operation for each element of the result.
WORKING = set(KERNELS) - {"cast", "stop_gradient", "view", "view_as_complex", "view_as_real"}
