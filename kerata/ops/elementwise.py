"""Operations on each element: arithmetic, comparison, logic, the elementary functions."""

from __future__ import annotations

import math
from typing import Any

from kerata.backends import dtypes
from kerata.backends.state import operations
from kerata.ops.dispatch import Tensor, composite, primitive
from kerata.ops.shaping import convert_to_tensor

__all__ = (
    "add", "subtract", "multiply", "true_divide", "divide", "divide_no_nan", "floor_divide",
    "mod", "power", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or", "logical_not", "where", "negative",
    "absolute", "abs", "sign", "floor", "ceil", "round", "exp", "expm1", "log", "log1p", "sqrt",
    "rsqrt", "sin", "cos", "tanh", "erf", "erfinv", "square", "reciprocal", "clip", "isnan",
    "isfinite", "isinf", "cast", "stop_gradient", "tan", "arcsin", "arccos", "arctan", "arctan2",
    "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "log2", "log10", "exp2", "logaddexp",
    "logaddexp2", "cbrt", "hypot", "deg2rad", "rad2deg", "trunc", "fabs", "fmax", "fmin", "fmod",
    "logical_xor", "isneginf", "isposinf", "isclose", "allclose", "nan_to_num", "saturate_cast",
)  # fmt: skip


@primitive(promote="common", scalars=True)
def add(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 + x2`, with broadcasting; booleans add as logical or.

    >>> add(1, 2.5).item()
    3.5
    """


@primitive(promote="common", scalars=True)
def subtract(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 - x2`, with broadcasting."""


@primitive(promote="common", scalars=True)
def multiply(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 * x2`, with broadcasting."""


@primitive(promote="float", scalars=True)
def true_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 / x2`, with broadcasting; integers are divided as floats."""


@composite(promote="float", scalars=True)
def divide(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 / x2`, with broadcasting; integers are divided as floats."""
    return true_divide(x1, x2)


@composite(promote="float")
def divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 / x2`, and 0 where `x2` is 0; its gradient is finite there too."""
    zero = equal(x2, 0.0)
    return where(zero, 0.0, true_divide(x1, where(zero, 1.0, x2)))


@primitive(promote="common", scalars=True)
def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """The largest integer not above `x1 / x2`; 0 for integers divided by 0.

    The sign of a zero is the engine's, here and in `mod`.
    """


@primitive(promote="common", scalars=True)
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    """The remainder of floor division, with the sign of `x2`; 0 for integers divided by 0."""


@primitive(promote="common", scalars=True)
def power(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1` raised to `x2`; negative powers of integers drop their fractions."""


@primitive(promote="common")
def maximum(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of two elements; NaN where either is NaN.

    Where they are equal each gets half of the gradient. Complex numbers are ordered by their real
    parts, then by their imaginary parts.
    """


@primitive(promote="common")
def minimum(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of two elements; NaN where either is NaN. See `maximum` for equal ones."""


@primitive(promote="common", scalars=True)
def equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether `x1 == x2`, as bool."""


@primitive(promote="common", scalars=True)
def not_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether `x1 != x2`, as bool."""


@primitive(promote="common", scalars=True)
def less(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether `x1 < x2`, as bool."""


@primitive(promote="common", scalars=True)
def less_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether `x1 <= x2`, as bool."""


@primitive(promote="common", scalars=True)
def greater(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether `x1 > x2`, as bool."""


@primitive(promote="common", scalars=True)
def greater_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether `x1 >= x2`, as bool."""


@primitive()
def logical_and(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether both are true (not 0)."""


@primitive()
def logical_or(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether at least one is true (not 0)."""


@primitive()
def logical_not(x: Tensor) -> Tensor:
    """Whether `x` is false (0)."""


@primitive(promote="common", operands=("x1", "x2"))
def where(condition: Tensor, x1: Tensor | None = None, x2: Tensor | None = None) -> Tensor:
    """`x1` where `condition` holds and `x2` elsewhere, all three broadcast together.

    With `condition` alone, the places where it holds: `nonzero`.
    """


@primitive()
def negative(x: Tensor) -> Tensor:
    """`-x`."""


@primitive()
def absolute(x: Tensor) -> Tensor:
    """The absolute value, real for complex numbers; its gradient at 0 is 0."""


@composite()
def abs(x: Tensor) -> Tensor:
    """The absolute value, as `absolute`."""
    return absolute(x)


@primitive()
def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of `x`, NaN for NaN; of complex numbers `x / |x|`."""


@primitive()
def floor(x: Tensor) -> Tensor:
    """The largest integer not above `x`, in the dtype of `x`."""


@primitive()
def ceil(x: Tensor) -> Tensor:
    """The smallest integer not below `x`, in the dtype of `x`."""


@primitive()
def round(x: Tensor, decimals: int = 0) -> Tensor:
    """Rounded to `decimals` places, halves to even; -1 rounds to tens."""


@primitive(promote="float")
def exp(x: Tensor) -> Tensor:
    """E to the `x`."""


@primitive(promote="float")
def expm1(x: Tensor) -> Tensor:
    """`exp(x) - 1`, exact for small `x`."""


@primitive(promote="float")
def log(x: Tensor) -> Tensor:
    """The natural logarithm."""


@primitive(promote="float")
def log1p(x: Tensor) -> Tensor:
    """`log(1 + x)`, exact for small `x`."""


@primitive(promote="float")
def sqrt(x: Tensor) -> Tensor:
    """The square root."""


@primitive(promote="float")
def rsqrt(x: Tensor) -> Tensor:
    """`1 / sqrt(x)`."""


@primitive(promote="float")
def sin(x: Tensor) -> Tensor:
    """The sine of an angle in radians."""


@primitive(promote="float")
def cos(x: Tensor) -> Tensor:
    """The cosine of an angle in radians."""


@primitive(promote="float")
def tan(x: Tensor) -> Tensor:
    """The tangent of an angle in radians."""


@primitive(promote="float")
def arcsin(x: Tensor) -> Tensor:
    """The angle from -π/2 to π/2 whose sine is `x`; NaN outside [-1, 1]."""


@primitive(promote="float")
def arccos(x: Tensor) -> Tensor:
    """The angle from 0 to π whose cosine is `x`; NaN outside [-1, 1]."""


@primitive(promote="float")
def arctan(x: Tensor) -> Tensor:
    """The angle from -π/2 to π/2 whose tangent is `x`."""


@primitive(promote="float")
def arctan2(x1: Tensor, x2: Tensor) -> Tensor:
    """The angle from -π to π of the point with the ordinate `x1` and the abscissa `x2`."""


@primitive(promote="float")
def sinh(x: Tensor) -> Tensor:
    """The hyperbolic sine."""


@primitive(promote="float")
def cosh(x: Tensor) -> Tensor:
    """The hyperbolic cosine."""


@primitive(promote="float")
def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""


@primitive(promote="float")
def arcsinh(x: Tensor) -> Tensor:
    """The inverse of `sinh`."""


@primitive(promote="float")
def arccosh(x: Tensor) -> Tensor:
    """The inverse of `cosh`, not negative; NaN below 1."""


@primitive(promote="float")
def arctanh(x: Tensor) -> Tensor:
    """The inverse of `tanh`; NaN outside [-1, 1]."""


@primitive(promote="float")
def erf(x: Tensor) -> Tensor:
    """The error function, 2/√π · ∫₀ˣ exp(-t²) dt."""


@primitive(promote="float")
def erfinv(x: Tensor) -> Tensor:
    """The inverse of the error function on (-1, 1)."""


@composite()
def square(x: Tensor) -> Tensor:
    """`x * x`; booleans count as int32."""
    x = cast(x, "int32") if dtypes.standardize_dtype(x.dtype) == "bool" else x
    return multiply(x, x)


@composite(promote="float")
def reciprocal(x: Tensor) -> Tensor:
    """`1 / x`."""
    return true_divide(1.0, x)


@composite()
def clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    """`x` limited to the interval from `x_min` to `x_max`, in the dtype of `x`.

    The gradient flows to `x` on the bounds too, and to a bound where it is the result.
    """
    dtype = dtypes.standardize_dtype(x.dtype)
    low, high = convert_to_tensor(x_min, dtype), convert_to_tensor(x_max, dtype)
    found = where(less(x, low), low, x)
    return where(greater(found, high), high, found)


@primitive()
def isnan(x: Tensor) -> Tensor:
    """Whether an element is NaN, as bool."""


@composite()
def isfinite(x: Tensor) -> Tensor:
    """Whether an element is neither infinite nor NaN, as bool."""
    return less(absolute(x), float("inf"))


@composite()
def isinf(x: Tensor) -> Tensor:
    """Whether an element is infinite, as bool."""
    return equal(absolute(x), float("inf"))


@primitive()
def cast(x: Tensor, dtype: Any) -> Tensor:
    """`x` in another dtype; floats become integers by dropping the fraction.

    Integers that the dtype can't hold wrap around. What becomes of floats that are NaN or out of
    the range of an integer dtype is the engine's: `saturate_cast` gives the nearest bound.
    """


@primitive()
def stop_gradient(variable: Tensor) -> Tensor:
    """The same values, through which no gradient flows."""


# Composites of the above


@composite(promote="float")
def log2(x: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return multiply(log(x), 1.0 / math.log(2.0))


@composite(promote="float")
def log10(x: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return multiply(log(x), 1.0 / math.log(10.0))


@composite(promote="float")
def exp2(x: Tensor) -> Tensor:
    """2 to the `x`."""
    return power(2.0, x)


@composite(promote="float")
def logaddexp(x1: Tensor, x2: Tensor) -> Tensor:
    """`log(exp(x1) + exp(x2))`, which does not overflow."""
    check_real("logaddexp", x1, x2)
    same = equal(x1, x2)  # infinities have no difference
    gap = absolute(where(same, 0.0, subtract(x1, where(same, 0.0, x2))))
    return add(maximum(x1, x2), where(same, math.log(2.0), log1p(exp(negative(gap)))))


@composite(promote="float")
def logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    """`log2(2**x1 + 2**x2)`, which does not overflow."""
    check_real("logaddexp2", x1, x2)
    scale = math.log(2.0)
    return multiply(logaddexp(multiply(x1, scale), multiply(x2, scale)), 1.0 / scale)


@composite(promote="float")
def cbrt(x: Tensor) -> Tensor:
    """The cube root, negative where `x` is; its gradient at 0 is given as 1, not infinity."""
    check_real("cbrt", x)
    size = absolute(x)
    plain = logical_and(greater(size, 0.0), isfinite(x))
    size = where(plain, size, 1.0)
    root = power(size, 1.0 / 3.0)
    # One step of Newton's makes up for the rounding of 1/3.
    root = multiply(add(multiply(root, 2.0), true_divide(size, square(root))), 1.0 / 3.0)
    return where(plain, multiply(sign(x), root), x)


@composite(promote="float")
def hypot(x1: Tensor, x2: Tensor) -> Tensor:
    """`sqrt(x1**2 + x2**2)`, whose squares do not overflow; infinite where either is."""
    check_real("hypot", x1, x2)
    a, b = absolute(x1), absolute(x2)
    top, low = maximum(a, b), minimum(a, b)
    plain = logical_and(greater(top, 0.0), less(top, float("inf")))
    ratio = true_divide(where(plain, low, 0.0), where(plain, top, 1.0))
    length = where(plain, multiply(top, sqrt(add(square(ratio), 1.0))), top)
    return where(logical_or(isinf(x1), isinf(x2)), float("inf"), length)


@composite(promote="float")
def deg2rad(x: Tensor) -> Tensor:
    """Degrees as radians."""
    return multiply(x, math.pi / 180.0)


@composite(promote="float")
def rad2deg(x: Tensor) -> Tensor:
    """Radians as degrees."""
    return multiply(x, 180.0 / math.pi)


@composite()
def trunc(x: Tensor) -> Tensor:
    """`x` without its fraction, in the dtype of `x`."""
    check_real("trunc", x)
    return where(less(x, 0), ceil(x), floor(x))


@composite(promote="float")
def fabs(x: Tensor) -> Tensor:
    """The absolute value as a float."""
    return absolute(x)


@composite(promote="common")
def fmax(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of two elements; the other one where one is NaN."""
    return maximum(where(isnan(x1), x2, x1), where(isnan(x2), x1, x2))


@composite(promote="common")
def fmin(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of two elements; the other one where one is NaN."""
    return minimum(where(isnan(x1), x2, x1), where(isnan(x2), x1, x2))


@composite(promote="common")
def fmod(x1: Tensor, x2: Tensor) -> Tensor:
    """The remainder of division towards 0; it has the sign of `x1`. Integers by 0 give 0.

    >>> fmod(-7, 3).item(), mod(-7, 3).item()
    (-1, 2)
    """
    check_real("fmod", x1, x2)
    turned = operations["signbit"](x1)
    rest = mod(where(turned, negative(x1), x1), absolute(x2))
    return where(turned, negative(rest), rest)


@composite()
def logical_xor(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether exactly one is true (not 0)."""
    return not_equal(cast(x1, "bool"), cast(x2, "bool"))


@composite()
def isneginf(x: Tensor) -> Tensor:
    """Whether an element is negative infinity, as bool."""
    check_real("isneginf", x)
    return equal(x, float("-inf"))


@composite()
def isposinf(x: Tensor) -> Tensor:
    """Whether an element is positive infinity, as bool."""
    check_real("isposinf", x)
    return equal(x, float("inf"))


@composite(promote="float")
def isclose(
    x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether `|x1 - x2| <= atol + rtol * |x2|`, as bool; infinities are close to themselves.

    `equal_nan` makes NaN close to NaN.
    """
    near = less_equal(absolute(subtract(x1, x2)), add(multiply(absolute(x2), rtol), atol))
    close = logical_or(equal(x1, x2), logical_and(near, isfinite(x2)))
    return logical_or(close, logical_and(isnan(x1), isnan(x2))) if equal_nan else close


@composite(promote="float")
def allclose(
    x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether all elements are close, as one bool; see `isclose`."""
    return operations["all"](isclose(x1, x2, rtol, atol, equal_nan))


@composite()
def nan_to_num(x: Tensor, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """`x` with NaN and the infinities replaced, its real and imaginary parts each.

    Args:
        x: the tensor; integers are returned as they are.
        nan: what stands for NaN.
        posinf: what stands for infinity; None for the largest finite number of the dtype.
        neginf: what stands for negative infinity; None for the least finite number.
    """
    dtype = dtypes.standardize_dtype(x.dtype)
    if dtype in dtypes.COMPLEX:
        parts = operations["view_as_real"](x)
        return operations["view_as_complex"](nan_to_num(parts, nan, posinf, neginf))
    if not dtypes.is_float(dtype):
        return x
    low, high = dtypes.bounds(dtype)
    found = where(isnan(x), convert_to_tensor(nan, dtype), x)
    high = convert_to_tensor(high if posinf is None else posinf, dtype)
    low = convert_to_tensor(low if neginf is None else neginf, dtype)
    return where(equal(x, float("-inf")), low, where(equal(x, float("inf")), high, found))


@composite()
def saturate_cast(x: Tensor, dtype: Any) -> Tensor:
    """`x` in another dtype, out of whose range it takes the nearest bound.

    As an integer NaN is 0, as a real number a complex one its real part.

    >>> saturate_cast([-3.7, 300.5], "uint8").tolist()
    [0, 255]
    """
    source = dtypes.standardize_dtype(x.dtype)
    target = dtypes.standardize_dtype(convert_to_tensor(0, dtype).dtype)  # as the backend keeps it
    if source in dtypes.COMPLEX and target not in dtypes.COMPLEX:
        return saturate_cast(operations["real"](x), target)
    if source == target or source == "bool" or target in dtypes.COMPLEX:
        return cast(x, target)
    low, high = (0, 1) if target == "bool" else dtypes.bounds(target)
    least, most = dtypes.bounds(source)
    if least >= low and most <= high:
        return cast(x, target)
    if not dtypes.is_float(source) or dtypes.is_float(target):
        return cast(clip(x, max(low, least), min(high, most)), target)
    # In `x`'s dtype the bounds may round to numbers that the integers lack.
    inside = logical_and(greater(x, float(low)), less(x, float(high)))
    found = cast(where(inside, x, 0.0), target)
    found = where(less_equal(x, float(low)), convert_to_tensor(low, target), found)
    return where(greater_equal(x, float(high)), convert_to_tensor(high, target), found)


def check_real(name: str, *xs: Tensor) -> None:
    """Refuse complex tensors, as NumPy does."""
    kinds = [dtypes.standardize_dtype(x.dtype) for x in xs]
    if any(kind in dtypes.COMPLEX for kind in kinds):
        raise TypeError(f"{name} is not defined for complex numbers; got {', '.join(kinds)}")
