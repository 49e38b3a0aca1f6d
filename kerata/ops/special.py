"""Special functions, divisors and the makeup of floating-point numbers."""

from __future__ import annotations

import math

from kerata.backends import dtypes
from kerata.backends.state import operations
from kerata.ops import elementwise as ew
from kerata.ops.bitwise import bitwise_and
from kerata.ops.complex import view
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "erfc", "sinc", "i0", "heaviside", "gcd", "lcm", "signbit", "nextafter", "ldexp",
)  # fmt: skip


@primitive(promote="float")
def erfc(x: Tensor) -> Tensor:
    """`1 - erf(x)`, exact where that is small."""


@composite(promote="float")
def sinc(x: Tensor) -> Tensor:
    """`sin(πx) / (πx)`, 1 at 0."""
    z = ew.multiply(x, math.pi)
    squared = ew.square(z)
    near = ew.less(ew.absolute(squared), 0.25)
    small, far = ew.where(near, squared, 0.0), ew.where(near, 1.0, z)
    series = 1.0  # of the sine, whose derivative keeps its digits near 0
    for n in (12 * 13, 10 * 11, 8 * 9, 6 * 7, 4 * 5, 2 * 3):
        series = ew.subtract(1.0, ew.multiply(ew.multiply(small, series), 1.0 / n))
    return ew.where(near, series, ew.true_divide(ew.sin(far), far))


_NEAR, _NEAR_TERMS, _FAR_TERMS = 16.0, 44, 16


@composite(promote="float")
def i0(x: Tensor) -> Tensor:
    """The modified Bessel function of the first kind and order 0.

    By its power series up to 16, by its asymptotic one beyond (Abramowitz & Stegun, 1964, 9.6.12
    and 9.7.1).
    """
    ew.check_real("i0", x)
    size = ew.absolute(x)
    near = ew.less(size, _NEAR)
    quarter = ew.square(ew.multiply(ew.where(near, size, 0.0), 0.5))
    series = ew.multiply(quarter, 1.0 / _NEAR_TERMS**2) + 1.0
    for k in range(_NEAR_TERMS - 1, 0, -1):
        series = ew.multiply(ew.multiply(quarter, series), 1.0 / k**2) + 1.0
    far = ew.where(near, _NEAR, size)
    eighth = ew.true_divide(0.125, far)
    tail = 1.0
    for k in range(_FAR_TERMS, 0, -1):
        tail = ew.multiply(ew.multiply(eighth, tail), (2 * k - 1) ** 2 / k) + 1.0
    half = ew.exp(ew.multiply(far, 0.5))  # twice, as its square may overflow
    scale = ew.multiply(ew.multiply(half, ew.rsqrt(far)), 1.0 / math.sqrt(2.0 * math.pi))
    return ew.where(near, series, ew.multiply(ew.multiply(scale, tail), half))


@composite(promote="float")
def heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    """The step function: 0 for negative `x1`, 1 for positive, `x2` at 0."""
    ew.check_real("heaviside", x1, x2)
    step = ew.where(ew.greater(x1, 0.0), 1.0, ew.where(ew.equal(x1, 0.0), x2, 0.0))
    return ew.where(ew.isnan(x1), math.nan, step)


def _integers(name: str, *tensors: Tensor) -> None:
    for x in tensors:
        dtype = dtypes.standardize_dtype(x.dtype)
        if not dtypes.is_integer(dtype):
            raise TypeError(f"{name}: x1 and x2 must be integers; got {dtype}")


@composite(promote="common")
def gcd(x1: Tensor, x2: Tensor) -> Tensor:
    """The greatest common divisor of integers, by Euclid's algorithm; `|x1|` where `x2` is 0.

    >>> gcd(12, -18).item(), lcm(4, 6).item()
    (6, 12)

    Raises:
        TypeError: they are not integers.
    """
    _integers("gcd", x1, x2)
    nothing = ew.multiply(ew.multiply(x1, 0), x2)  # of the shape of both
    found, _ = operations["while_loop"](
        lambda a, b: operations["any"](ew.not_equal(b, 0)),
        lambda a, b: (ew.where(ew.equal(b, 0), a, b), ew.where(ew.equal(b, 0), b, ew.mod(a, b))),
        (ew.add(ew.absolute(x1), nothing), ew.add(ew.absolute(x2), nothing)),
    )
    return found


@composite(promote="common")
def lcm(x1: Tensor, x2: Tensor) -> Tensor:
    """The least common multiple of integers, not negative; 0 where either is 0.

    Raises:
        TypeError: they are not integers.
    """
    _integers("lcm", x1, x2)
    return ew.multiply(ew.floor_divide(ew.absolute(x1), gcd(x1, x2)), ew.absolute(x2))


def _bits(x: Tensor) -> Tensor:
    """The bits of floats as signed integers."""
    return view(x, f"int{8 * dtypes.size(dtypes.standardize_dtype(x.dtype))}")


@composite()
def signbit(x: Tensor) -> Tensor:
    """Whether the sign is negative, as bool: that of -0.0 is.

    Raises:
        TypeError: `x` is complex.
    """
    ew.check_real("signbit", x)
    floating = dtypes.is_float(dtypes.standardize_dtype(x.dtype))
    return ew.less(_bits(x) if floating else x, 0)


@composite(promote="float")
def nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    """The number of the dtype next to `x1` on the way to `x2`; no gradient flows.

    The magnitudes of floats are ordered as their bits are, so it is one integer up or down.
    """
    ew.check_real("nextafter", x1, x2)
    a, b = _bits(x1), _bits(x2)
    most = dtypes.bounds(dtypes.standardize_dtype(a.dtype))[1]
    place, aim = (
        ew.where(ew.less(i, 0), ew.negative(bitwise_and(i, most)), bitwise_and(i, most))
        for i in (a, b)
    )
    step = ew.cast(ew.less(place, aim), a.dtype) - ew.cast(ew.greater(place, aim), a.dtype)
    found = ew.add(place, step)
    negative = ew.logical_or(ew.less(found, 0), ew.logical_and(ew.equal(found, 0), ew.less(a, 0)))
    found = view(ew.where(negative, ew.subtract(-most - 1, found), found), x1.dtype)
    found = ew.where(ew.equal(place, aim), x2, found)
    return ew.where(ew.logical_or(ew.isnan(x1), ew.isnan(x2)), math.nan, found)


@composite(promote="float", operands=("x1",))
def ldexp(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 * 2**x2` for integers `x2`.

    Raises:
        TypeError: `x2` is not of integers.
    """
    dtype = dtypes.standardize_dtype(x2.dtype)
    if not dtypes.is_integer(dtype):
        raise TypeError(f"ldexp: x2 must be integers; got {dtype}")
    half = ew.floor_divide(x2, 2)  # 2**x2 itself may overflow where the product does not
    first, second = (ew.power(2.0, ew.cast(n, x1.dtype)) for n in (half, ew.subtract(x2, half)))
    return ew.multiply(ew.multiply(x1, first), second)
