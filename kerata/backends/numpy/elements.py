"""NumPy's kernels for operations on each element, and the bits of arrays."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.backends import dtypes

_dtype = dtypes.numpy_dtype


def wrap(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """NumPy gives scalars for results without axes; ours stay arrays."""

    def kernel(*args: Any, **kwargs: Any) -> np.ndarray:
        y = function(*args, **kwargs)
        return y if type(y) is np.ndarray else np.asarray(y)

    return kernel


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` without NumPy's warnings: infinities and NaN come in the ordinary course."""

    @functools.wraps(function)
    def kernel(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return kernel


def cast(x: np.ndarray, dtype: Any) -> np.ndarray:
    kind = _dtype(dtypes.standardize_dtype(dtype))
    if x.dtype.kind == "c" and kind.kind not in "cb":
        x = x.real
    return x.astype(kind)


def _counting(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of numbers; booleans count as int32."""

    def kernel(x1: Any, x2: Any) -> Any:
        if getattr(x1, "dtype", None) == np.bool_:
            x1, x2 = x1.astype(np.int32), x2.astype(np.int32)
        return function(x1, x2)

    return kernel


def _power(x1: Any, x2: Any) -> Any:
    """Negative powers of integers drop their fractions, where NumPy would raise an error."""
    if np.asarray(x2).dtype.kind != "i" or np.asarray(x1).dtype.kind not in "iu":
        return np.power(x1, x2)
    below = np.less(x2, 0)
    if not below.any():
        return np.power(x1, x2)
    inverse = np.where(np.abs(x1) == 1, np.power(x1, np.abs(x2) % 2), 0)
    return np.where(below, inverse, np.power(x1, np.where(below, 0, x2)))


def _number(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of numbers; booleans are what they are."""
    return lambda x: x if x.dtype.kind == "b" else function(x)


def _rounding(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of floats; integers and booleans are what they are."""
    return lambda x: x if x.dtype.kind in "iub" else function(x)


def _round(x: np.ndarray, decimals: int = 0) -> Any:
    return x if x.dtype.kind == "b" else np.round(x, decimals)


_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def erf(x: np.ndarray) -> np.ndarray:
    return np.asarray(_erf(x)).astype(x.dtype) if x.size else x


def erfc(x: np.ndarray) -> np.ndarray:
    return np.asarray(_erfc(x)).astype(x.dtype) if x.size else x


def erfinv(x: np.ndarray) -> np.ndarray:
    """Giles' first guess (2010), then two steps of Halley on `math.erf`."""
    y = x.astype(np.float64)
    w = np.log1p(-y * y)
    a = 2 / (math.pi * 0.147) + w / 2
    z = np.sign(y) * np.sqrt(np.sqrt(a * a - w / 0.147) - a)
    for _ in range(2):
        finite = np.isfinite(z)
        error = np.where(finite, np.asarray(_erf(np.where(finite, z, 0.0))) - y, 0.0)
        slope = 2 / math.sqrt(math.pi) * np.exp(-z * z)
        step = np.where(slope > 0, error / np.where(slope > 0, slope, 1.0), 0.0)
        z = np.where(finite, z - step / (1 + z * step), z)
    z = np.where(np.abs(y) == 1, np.sign(y) * np.inf, z)
    return np.where(np.abs(y) > 1, np.nan, z).astype(x.dtype)


def view(x: np.ndarray, dtype: Any = None) -> np.ndarray:
    if dtype is None:
        return x
    kind = _dtype(dtypes.standardize_dtype(dtype))
    return x.view(kind) if kind.itemsize == x.itemsize else np.asarray(x, order="C").view(kind)


def view_as_complex(x: np.ndarray) -> np.ndarray:
    if x.shape[-1] != 2 or x.dtype.kind == "c":
        raise ValueError(x.shape)
    wide = x if x.dtype == np.float64 else x.astype(np.float32, copy=False)
    kind = np.complex128 if x.dtype == np.float64 else np.complex64
    return np.ascontiguousarray(wide).view(kind)[..., 0]


def view_as_real(x: np.ndarray) -> np.ndarray:
    return np.stack([x.real, x.imag], -1)


_PLAIN: dict[str, Callable[..., Any]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "maximum": np.maximum,
    "minimum": np.minimum, "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_not": np.logical_not,
    "logical_xor": np.logical_xor, "where": np.where, "negative": np.negative,
    "absolute": np.absolute, "sign": _number(np.sign), "tanh": np.tanh, "arctan": np.arctan,
    "arcsinh": np.arcsinh, "isnan": np.isnan, "signbit": np.signbit, "real": np.real,
    "imag": np.imag, "angle": np.angle, "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor, "bitwise_invert": np.invert,
    "bitwise_not": np.invert, "gcd": np.gcd, "lcm": np.lcm, "view": view,
    "view_as_complex": view_as_complex, "view_as_real": view_as_real,
    "stop_gradient": lambda variable: variable,
}  # fmt: skip
_QUIET: dict[str, Callable[..., Any]] = {
    "true_divide": np.true_divide, "floor_divide": _counting(np.floor_divide),
    "mod": _counting(np.mod), "power": _counting(_power), "fmod": _counting(np.fmod),
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
    "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt, "cbrt": np.cbrt, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin, "arccos": np.arccos,
    "arctan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "arccosh": np.arccosh,
    "arctanh": np.arctanh, "hypot": np.hypot, "logaddexp": np.logaddexp,
    "logaddexp2": np.logaddexp2, "nextafter": np.nextafter, "floor": _rounding(np.floor),
    "ceil": _rounding(np.ceil), "trunc": _rounding(np.trunc), "round": _round,
    "bitwise_left_shift": _counting(np.left_shift),
    "bitwise_right_shift": _counting(np.right_shift),
    "rsqrt": lambda x: (1 / np.sqrt(x)).astype(x.dtype),
    "cast": cast, "erf": erf, "erfc": erfc, "erfinv": erfinv,
}  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {
    **{n: wrap(f) for n, f in _PLAIN.items()},
    **{n: quiet(wrap(f)) for n, f in _QUIET.items()},
}
