"""JAX's kernels for operations on each element, and the bits of arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from kerata.backends.jax.kernels import native


def _kind(x1: Any, x2: Any) -> str:
    """NumPy's letter for the kind of two operands' dtype, one of which may be a number."""
    kind: str = (x1 if hasattr(x1, "dtype") else x2).dtype.kind
    return kind


def _counting(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of numbers; booleans count as int32."""

    def kernel(x1: Any, x2: Any) -> Any:
        if _kind(x1, x2) == "b":
            x1, x2 = x1.astype(jnp.int32), x2.astype(jnp.int32)
        return function(x1, x2)

    return kernel


def _division(function: Callable[..., Any]) -> Callable[..., Any]:
    """Integers divided by 0 give 0, as in NumPy."""

    def kernel(x1: Any, x2: Any) -> Any:
        if _kind(x1, x2) not in "iu":
            return function(x1, x2)
        zero = x2 == 0
        return jnp.where(zero, 0, function(x1, jnp.where(zero, 1, x2)))

    return _counting(kernel)


def _power(x1: Any, x2: Any) -> Any:
    """Negative powers of integers drop their fractions, which JAX leaves to chance."""
    kind = _kind(x1, x2)
    if kind == "c":
        return jnp.where((x1 == 0) & (jnp.real(x2) > 0), 0, jnp.power(x1, x2))
    if kind != "i" or (type(x2) is int and x2 >= 0):
        return jnp.power(x1, x2)
    x2 = jnp.asarray(x2)
    below = x2 < 0
    inverse = jnp.where(jnp.abs(x1) == 1, jnp.power(x1, jnp.abs(x2) % 2), 0)
    return jnp.where(below, inverse, jnp.power(x1, jnp.where(below, 0, x2)))


def _same(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """`function` of floats; integers and booleans are what they are."""
    return lambda x: x if x.dtype.kind in "biu" else function(x)


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which JAX has for complex numbers and NumPy has not, of real ones alone."""

    def kernel(x1: Any, x2: Any) -> Any:
        if x1.dtype.kind == "c":
            raise TypeError("complex numbers")
        return function(x1, x2)

    return kernel


def absolute(x: Any) -> Any:
    """JAX's own has the gradient 1 at 0."""
    return jnp.abs(x) if x.dtype.kind in "biuc" else lax.sign(x) * x


def i0(x: Any) -> Any:
    half = jnp.exp(0.5 * absolute(x))  # twice, as its square may overflow
    return half * lax.bessel_i0e(x) * half


def sign(x: Any) -> Any:
    return x if x.dtype.kind == "b" else jnp.sign(x)


def round(x: Any, decimals: int = 0) -> Any:
    if x.dtype.kind not in "biu":
        return jnp.round(x, decimals)
    if decimals >= 0 or x.dtype.kind == "b":
        return x
    step = 10**-decimals
    if step > 2**30:
        return jnp.zeros_like(x)
    wide = x.astype(jnp.int32) if x.dtype.itemsize < 4 else x
    whole, rest = jnp.divmod(wide, jnp.asarray(step, wide.dtype))
    up = (2 * rest > step) | ((2 * rest == step) & (whole % 2 == 1))
    return ((whole + up) * step).astype(x.dtype)


def view(x: Any, dtype: Any = None) -> Any:
    return x if dtype is None else lax.stop_gradient(x).view(native(dtype))


def view_as_complex(x: Any) -> Any:
    if x.shape[-1] != 2 or x.dtype.kind == "c":
        raise ValueError(x.shape)
    wide = x if x.dtype == jnp.float64 else x.astype(jnp.float32)
    real, imag = jnp.unstack(wide, axis=-1)
    return lax.complex(real, imag)


def view_as_real(x: Any) -> Any:
    return jnp.stack([jnp.real(x), jnp.imag(x)], -1)


KERNELS: dict[str, Callable[..., Any]] = {
    "floor_divide": _division(operator.floordiv), "mod": _division(operator.mod),
    "power": _counting(_power), "floor": _same(jnp.floor), "ceil": _same(jnp.ceil),
    "trunc": _same(jnp.trunc), "round": round, "sign": sign, "absolute": absolute, "tan": lax.tan,
    "arcsin": jnp.arcsin, "arccos": jnp.arccos, "arctan": jnp.arctan,
    "arctan2": _real(jnp.arctan2), "sinh": lax.sinh, "cosh": lax.cosh,
    "arcsinh": lax.asinh, "arccosh": lax.acosh, "arctanh": lax.atanh,
    "erfc": lax.erfc, "bitwise_and": jnp.bitwise_and, "bitwise_or": jnp.bitwise_or,
    "bitwise_xor": jnp.bitwise_xor, "bitwise_invert": jnp.invert, "bitwise_not": jnp.invert,
    "bitwise_left_shift": _counting(jnp.left_shift),
    "bitwise_right_shift": _counting(jnp.right_shift), "view": view,
    "view_as_complex": view_as_complex, "view_as_real": view_as_real, "real": jnp.real,
    "imag": jnp.imag, "conj": jnp.conj, "conjugate": jnp.conj, "signbit": jnp.signbit,
    "nextafter": jnp.nextafter, "gcd": jnp.gcd, "lcm": jnp.lcm, "logical_xor": jnp.logical_xor,
    "i0": i0, "log2": jnp.log2, "log10": jnp.log10, "deg2rad": jnp.deg2rad,
    "rad2deg": jnp.rad2deg, "logaddexp": _real(jnp.logaddexp), "logaddexp2": _real(jnp.logaddexp2),
}  # fmt: skip
