"""The tools of the `onnx` kernels, and those that work on each element by itself."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import onnx

from kerata.backends import dtypes
from kerata.backends.numpy.backend import to_array
from kerata.backends.onnx.graph import (
    OPSET,
    OnnxValue,
    Size,
    Unsupported,
    constant,
    element_type,
    emit,
)

_NARROW = ("bool", "int8", "int16", "uint8", "uint16")

# Tools


def tensor(x: Any, dtype: str | None = None) -> OnnxValue:
    """`x` (a value, size, variable, number, list or array) as a value of the graph."""
    if isinstance(x, Size):
        x = cast(x.scalar(), "int32")
    elif hasattr(type(x), "__kerata_value__"):
        x = x.__kerata_value__()
    elif not isinstance(x, OnnxValue):
        x = constant(to_array(x, dtype))
    return x if dtype is None else cast(x, dtype)


@functools.cache
def carrier(op: str, dtype: str) -> str:
    """The dtype in which `op` is done for `dtype`: its own, or one that ONNX defines it for.

    Small integers are done in int32, as runtimes saturate where NumPy wraps around.
    """
    if dtype == "string" or dtype.startswith("complex"):
        raise Unsupported(f"{op} of {dtype}")
    schema = onnx.defs.get_schema(op, OPSET, "")
    types = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    allowed = types[schema.inputs[0].type_str]
    first = "int32" if dtype in _NARROW else "int64" if dtype[:4] == "uint" else dtype
    for name in (first, "float32"):
        short = {"float32": "float", "float64": "double"}.get(name, name)
        if f"tensor({short})" in allowed:
            return name
    raise Unsupported(f"{op} of {dtype}")


def apply(
    op: str,
    xs: Sequence[OnnxValue],
    shape: Sequence[Any],
    *more: OnnxValue,
    dtype: str | None = None,
    **attributes: Any,
) -> OnnxValue:
    """`op` on operands of one dtype, brought to one that ONNX defines it for, and back.

    `more` are inputs of other dtypes; `dtype` is the result's where it differs from the operands'.
    """
    kind = xs[0].dtype
    way = carrier(op, kind)
    y = emit(op, [*(cast(x, way) for x in xs), *more], shape, dtype or way, **attributes)
    return y if dtype else cast(y, kind)


def broadcast(*shapes: Sequence[Any]) -> tuple[Any, ...]:
    """The shape that shapes broadcast to; None for a size that only the graph can tell.

    Raises:
        ValueError: two known sizes differ and neither is 1.
    """
    rank, result = max(len(s) for s in shapes), []
    for i in range(-rank, 0):
        sizes = [s[i] for s in shapes if -i <= len(s)]
        known = {s for s in sizes if not isinstance(s, Size) and s != 1}
        if len(known) > 1:
            listed = " and ".join(str(tuple(s)) for s in shapes)
            raise ValueError(f"The shapes {listed} don't broadcast: axis {i} has {sorted(known)}")
        opened = [s for s in sizes if isinstance(s, Size)]
        if known or not opened:
            result.append(known.pop() if known else 1)
        else:
            result.append(opened[0] if all(o.is_same(opened[0]) for o in opened) else None)
    return tuple(result)


def _pair(x1: Any, x2: Any) -> list[OnnxValue]:
    """Two operands, one of which may be a Python number."""
    kind = x1.dtype if isinstance(x1, OnnxValue) else x2.dtype
    return [x if isinstance(x, OnnxValue) else tensor(x, kind) for x in (x1, x2)]


# Elements


def unary(op: str, dtype: str | None = None) -> Callable[[OnnxValue], OnnxValue]:
    return lambda x: apply(op, [x], x.shape, dtype=dtype)


def binary(op: str, dtype: str | None = None) -> Callable[..., OnnxValue]:
    def kernel(x1: Any, x2: Any) -> OnnxValue:
        pair = _pair(x1, x2)
        return apply(op, pair, broadcast(pair[0].shape, pair[1].shape), dtype=dtype)

    return kernel


add, subtract, multiply = binary("Add"), binary("Sub"), binary("Mul")
true_divide, equal, less = binary("Div"), binary("Equal", "bool"), binary("Less", "bool")
less_equal = binary("LessOrEqual", "bool")
maximum, minimum = binary("Max"), binary("Min")
absolute, negative, sqrt = unary("Abs"), unary("Neg"), unary("Sqrt")
exp, log, sinh, atanh = unary("Exp"), unary("Log"), unary("Sinh"), unary("Atanh")
erf = unary("Erf")


def logical(op: str) -> Callable[..., OnnxValue]:
    def kernel(*xs: OnnxValue) -> OnnxValue:
        return emit(op, [cast(x, "bool") for x in xs], broadcast(*(x.shape for x in xs)), "bool")

    return kernel


logical_and, logical_or, logical_not = logical("And"), logical("Or"), logical("Not")


def bitwise(op: str, logic: Callable[..., OnnxValue]) -> Callable[..., OnnxValue]:
    """Integers by their bits, booleans by logic."""
    bits = binary(op)
    return lambda x, y: logic(x, y) if x.dtype == "bool" else bits(x, y)


def bitwise_invert(x: OnnxValue) -> OnnxValue:
    return logical_not(x) if x.dtype == "bool" else apply("BitwiseNot", [x], x.shape)


def cast(x: OnnxValue, dtype: Any) -> OnnxValue:
    dtype = dtypes.standardize_dtype(dtype)
    if x.dtype == dtype:
        return x
    if x.array is not None and x.array.size <= 1024:
        return constant(x.array.astype(dtypes.numpy_dtype(dtype)))
    if dtype == "bool":
        return logical_not(equal(x, 0))
    return emit("Cast", [x], x.shape, dtype, to=element_type(dtype))


def where(condition: OnnxValue, x1: Any, x2: Any) -> OnnxValue:
    a, b = _pair(x1, x2)
    shape = broadcast(condition.shape, a.shape, b.shape)
    return emit("Where", [cast(condition, "bool"), a, b], shape, a.dtype)


def mod(x1: Any, x2: Any) -> OnnxValue:
    a, b = _pair(x1, x2)
    if dtypes.is_float(a.dtype):
        rest = apply("Mod", [a, b], broadcast(a.shape, b.shape), fmod=1)
    else:  # runtimes compute Mod of integers in floats, and don't agree on Div of negative ones
        rest = subtract(a, multiply(true_divide(a, b), b))
    wrong = logical_and(not_equal(rest, 0), not_equal(less(rest, 0), less(b, 0)))
    return where(wrong, add(rest, b), rest)


def floor_divide(x1: Any, x2: Any) -> OnnxValue:
    a, b = _pair(x1, x2)
    whole = true_divide(subtract(a, mod(a, b)), b)
    if not dtypes.is_float(a.dtype):
        return whole
    return where(equal(b, 0), true_divide(a, b), round(whole))


def not_equal(x1: Any, x2: Any) -> OnnxValue:
    return logical_not(equal(x1, x2))


def rounding(op: str) -> Callable[[OnnxValue], OnnxValue]:
    return lambda x: apply(op, [x], x.shape) if dtypes.is_float(x.dtype) else x


def round(x: OnnxValue, decimals: int = 0) -> OnnxValue:
    if not dtypes.is_float(x.dtype):
        return x
    if decimals == 0:
        return apply("Round", [x], x.shape)
    return true_divide(round(multiply(x, 10.0**decimals)), 10.0**decimals)


def rsqrt(x: OnnxValue) -> OnnxValue:
    return apply("Reciprocal", [sqrt(x)], x.shape)


def expm1(x: OnnxValue) -> OnnxValue:
    """`2 sinh(x / 2) exp(x / 2)`, exact for small `x`, and -1 where that is 0 times infinity."""
    half = multiply(maximum(x, tensor(-100.0, x.dtype)), 0.5)
    return multiply(sinh(half), multiply(exp(half), 2.0))


def log1p(x: OnnxValue) -> OnnxValue:
    """`2 atanh(x / (2 + x))`, exact for small `x`; `log(1 + x)` for the others."""
    small = less(absolute(x), 0.5)
    near = where(small, x, 0.0)
    return where(small, multiply(atanh(true_divide(near, add(near, 2.0))), 2.0), log(add(x, 1.0)))


_CENTRAL = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip


def erfinv(x: OnnxValue) -> OnnxValue:
    """Giles' polynomials (2010) in `log(1 - x²)`."""

    def polynomial(factors: Sequence[float], w: OnnxValue) -> OnnxValue:
        y = tensor(factors[0], x.dtype)
        for factor in factors[1:]:
            y = add(multiply(y, w), factor)
        return y

    w = negative(log(multiply(subtract(1.0, x), add(x, 1.0))))
    central = polynomial(_CENTRAL, subtract(w, 2.5))
    tail = polynomial(_TAIL, subtract(sqrt(w), 3.0))
    y = multiply(x, where(less(w, 5.0), central, tail))
    return where(equal(absolute(x), 1.0), multiply(x, float("inf")), y)


def arctan2(x1: OnnxValue, x2: OnnxValue) -> OnnxValue:
    angle = apply("Atan", [true_divide(x1, x2)], broadcast(x1.shape, x2.shape))
    turned = where(less(x1, 0.0), subtract(angle, math.pi), add(angle, math.pi))
    angle = where(less(x2, 0.0), turned, angle)
    return where(logical_and(equal(x1, 0.0), equal(x2, 0.0)), 0.0, angle)


KERNELS: dict[str, Callable[..., Any]] = {
    "add": add, "subtract": subtract, "multiply": multiply, "true_divide": true_divide,
    "floor_divide": floor_divide, "mod": mod, "power": binary("Pow"), "maximum": maximum,
    "minimum": minimum, "equal": equal, "not_equal": not_equal, "less": less,
    "less_equal": less_equal, "greater": binary("Greater", "bool"),
    "greater_equal": binary("GreaterOrEqual", "bool"), "logical_and": logical_and,
    "logical_or": logical_or, "logical_not": logical_not, "where": where, "cast": cast,
    "negative": negative, "absolute": absolute, "sign": unary("Sign"), "floor": rounding("Floor"),
    "ceil": rounding("Ceil"), "round": round, "exp": exp, "expm1": expm1, "log": log,
    "log1p": log1p, "sqrt": sqrt, "rsqrt": rsqrt, "sin": unary("Sin"), "cos": unary("Cos"),
    "tan": unary("Tan"), "arcsin": unary("Asin"), "arccos": unary("Acos"), "arctan": unary("Atan"),
    "arctan2": arctan2, "sinh": sinh, "cosh": unary("Cosh"), "arcsinh": unary("Asinh"),
    "arccosh": unary("Acosh"), "arctanh": atanh, "erfc": lambda x: subtract(1.0, erf(x)),
    "bitwise_and": bitwise("BitwiseAnd", logical_and),
    "bitwise_or": bitwise("BitwiseOr", logical_or),
    "bitwise_xor": bitwise("BitwiseXor", logical("Xor")), "bitwise_invert": bitwise_invert,
    "bitwise_not": bitwise_invert, "tanh": unary("Tanh"), "erf": erf, "erfinv": erfinv,
    "isnan": unary("IsNaN", "bool"),
    "isinf": unary("IsInf", "bool"), "stop_gradient": lambda variable: variable,
}  # fmt: skip
