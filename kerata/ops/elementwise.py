"""Operations on each element: arithmetic, comparison, logic, the elementary functions."""

from __future__ import annotations

from typing import Any

from kerata.backends import dtypes
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "add", "subtract", "multiply", "true_divide", "divide", "divide_no_nan", "floor_divide",
    "mod", "power", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or", "logical_not", "where", "negative",
    "absolute", "abs", "sign", "floor", "ceil", "round", "exp", "expm1", "log", "log1p", "sqrt",
    "rsqrt", "sin", "cos", "tanh", "erf", "erfinv", "square", "reciprocal", "clip", "isnan",
    "isfinite", "isinf", "cast", "stop_gradient",
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
    """The largest integer not above `x1 / x2`."""


@primitive(promote="common", scalars=True)
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    """The remainder of floor division; it has the sign of `x2`."""


@primitive(promote="common", scalars=True)
def power(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1` raised to `x2`."""


@primitive(promote="common")
def maximum(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of two elements; NaN where either is NaN."""


@primitive(promote="common")
def minimum(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of two elements; NaN where either is NaN."""


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
def where(condition: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    """`x1` where `condition` holds and `x2` elsewhere, all three broadcast together."""


@primitive()
def negative(x: Tensor) -> Tensor:
    """`-x`."""


@primitive()
def absolute(x: Tensor) -> Tensor:
    """The absolute value."""


@composite()
def abs(x: Tensor) -> Tensor:
    """The absolute value, as `absolute`."""
    return absolute(x)


@primitive()
def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of `x`."""


@primitive()
def floor(x: Tensor) -> Tensor:
    """The largest integer not above `x`, in the dtype of `x`."""


@primitive()
def ceil(x: Tensor) -> Tensor:
    """The smallest integer not below `x`, in the dtype of `x`."""


@primitive()
def round(x: Tensor, decimals: int = 0) -> Tensor:
    """Rounded to `decimals` places, halves to even."""


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
def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent."""


@primitive(promote="float")
def erf(x: Tensor) -> Tensor:
    """The error function, 2/√π · ∫₀ˣ exp(-t²) dt."""


@primitive(promote="float")
def erfinv(x: Tensor) -> Tensor:
    """The inverse of the error function on (-1, 1)."""


@composite()
def square(x: Tensor) -> Tensor:
    """`x * x`."""
    return multiply(x, x)


@composite(promote="float")
def reciprocal(x: Tensor) -> Tensor:
    """`1 / x`."""
    return true_divide(1.0, x)


@composite()
def clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    """`x` limited to the interval from `x_min` to `x_max`, in the dtype of `x`."""
    dtype = dtypes.standardize_dtype(x.dtype)
    return minimum(maximum(x, cast(x_min, dtype)), cast(x_max, dtype))


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
    """`x` in another dtype; floats become integers by dropping the fraction."""


@primitive()
def stop_gradient(variable: Tensor) -> Tensor:
    """The same values, through which no gradient flows."""
