"""TensorFlow's kernels for operations on each element, and the bits of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record

from kerata.backends import dtypes
from kerata.backends.tensorflow.kernels import (
    UNSIGNED,
    as_dtype,
    binary,
    cast,
    raw,
    reshape,
    shape_of,
    unary,
    widened,
)

_HALF = {"float16": "float32", "bfloat16": "float32"}


def _tensors(x1: Any, x2: Any) -> tuple[Any, Any]:
    dtype = x1.dtype if isinstance(x1, tf.Tensor) else x2.dtype
    return tf.convert_to_tensor(x1, dtype), tf.convert_to_tensor(x2, dtype)


def _is(x: Any, kind: Any) -> bool:
    return isinstance(x, tf.Tensor) and x.dtype == kind


def _scalar(value: Any, like: Any) -> Any:
    return tf.constant(value, like.dtype)


# Arithmetic


def _by_kind(function: Callable[..., Any], logic: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Numbers by arithmetic, booleans by logic."""
    arithmetic = binary(function)

    def kernel(x1: Any, x2: Any) -> Any:
        return logic(x=x1, y=x2) if _is(x1, tf.bool) else arithmetic(x1, x2)

    return kernel


def _counting(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """`function` of numbers; booleans count as int32."""

    def kernel(x1: Any, x2: Any) -> Any:
        if _is(x1, tf.bool):
            x1, x2 = as_dtype(x1, tf.int32), as_dtype(x2, tf.int32)
        return function(x1, x2)

    return kernel


def _division(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Integers divided by 0 give 0, as in NumPy."""

    def kernel(x1: Any, x2: Any) -> Any:
        x1, x2 = _tensors(x1, x2)
        if not x2.dtype.is_integer:
            return function(x1, x2)
        zero = raw.Equal(x=x2, y=_scalar(0, x2))
        found = function(x1, tf.where(zero, _scalar(1, x2), x2))
        return tf.where(zero, _scalar(0, x2), found)

    return _counting(kernel)


def _floor_divide(x1: Any, x2: Any) -> Any:
    if x1.dtype.is_integer:
        return raw.FloorDiv(x=x1, y=x2)
    rest = raw.Mod(x=x1, y=x2)
    lower = (rest != 0) & ((rest < 0) != (x2 < 0))
    found = tf.round((x1 - rest) / x2 - tf.cast(lower, x1.dtype))
    return tf.where(raw.Equal(x=x2, y=0), x1 / x2, found)


_pow = widened(binary(raw.Pow), **UNSIGNED)


def _power(x1: Any, x2: Any) -> Any:
    """Negative powers of integers drop their fractions, where TensorFlow would raise an error."""
    kind = x1.dtype if isinstance(x1, tf.Tensor) else x2.dtype
    if not kind.is_integer or kind.is_unsigned or (isinstance(x2, int) and x2 >= 0):
        return _pow(x1, x2)
    x1, x2 = _tensors(x1, x2)
    zero, one = _scalar(0, x2), _scalar(1, x2)
    below = raw.Less(x=x2, y=zero)
    parity = raw.FloorMod(x=x2, y=_scalar(2, x2))
    inverse = tf.where(raw.Equal(x=raw.Abs(x=x1), y=one), _pow(x1, parity), zero)
    return tf.where(below, inverse, _pow(x1, tf.where(below, zero, x2)))


# Order


def _smaller(x1: Any, x2: Any) -> Any:
    """Complex numbers by their real parts, equal ones by their imaginary parts."""
    same = raw.Equal(x=real(x1), y=real(x2)) & raw.Less(x=imag(x1), y=imag(x2))
    return raw.Less(x=real(x1), y=real(x2)) | same


def _compared(function: Callable[..., Any], lexical: Callable[..., Any]) -> Callable[..., Any]:
    """Comparison of order; booleans as integers."""
    plain = binary(function)

    def kernel(x1: Any, x2: Any) -> Any:
        dtype = x1.dtype if isinstance(x1, tf.Tensor) else x2.dtype
        if dtype.is_complex:
            return lexical(*_tensors(x1, x2))
        if dtype == tf.bool:
            x1, x2 = as_dtype(x1, tf.int32), tf.cast(x2, tf.int32)
        return plain(x1, x2)

    return kernel


def _extreme(function: Callable[..., Any], lexical: Callable[..., Any]) -> Callable[..., Any]:
    """Where both are equal each gets half of the gradient; TensorFlow gives it all to the first."""

    def kernel(x1: Any, x2: Any) -> Any:
        if x1.dtype.is_complex:
            return tf.where(lexical(x1, x2) | isnan(x2), x2, x1)
        found = function(x=x1, y=x2)
        recorded = not tf.executing_eagerly() or record.could_possibly_record()
        if not recorded or not x1.dtype.is_floating:
            return found
        return found * 0.5 + function(x=x2, y=x1) * 0.5

    return widened(kernel, bool="int32")


def _truths(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda x1, x2: function(x=as_dtype(x1, tf.bool), y=as_dtype(x2, tf.bool))


def where(condition: Any, x1: Any, x2: Any) -> Any:
    return raw.SelectV2(condition=as_dtype(condition, tf.bool), t=x1, e=x2)


# One operand


def floating(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """`function` of floats; integers are what they are."""
    return lambda x: x if x.dtype.is_integer or x.dtype == tf.bool else function(x=x)


def absolute(x: Any) -> Any:
    if x.dtype.is_complex:
        return tf.abs(x)
    return x if x.dtype.is_unsigned or x.dtype == tf.bool else raw.Abs(x=x)


def round(x: Any, decimals: int = 0) -> Any:
    if x.dtype.is_complex:
        return tf.complex(round(real(x), decimals), round(imag(x), decimals))
    if not decimals or (decimals > 0 and not x.dtype.is_floating):
        return floating(raw.Round)(x)
    if not x.dtype.is_floating:
        return as_dtype(round(as_dtype(x, tf.float64), decimals), x.dtype)
    scale = 10.0 ** abs(decimals)
    return raw.Round(x=x * scale) / scale if decimals > 0 else raw.Round(x=x / scale) * scale


def isnan(x: Any) -> Any:
    return raw.IsNan(x=x) if x.dtype.is_floating else raw.NotEqual(x=x, y=x)


# Bits


def _bits(function: Callable[..., Any], logic: Callable[..., Any]) -> Callable[..., Any]:
    """Integers by their bits, booleans by logic."""
    return lambda x, y: (logic if x.dtype == tf.bool else function)(x=x, y=y)


def bitwise_invert(x: Any) -> Any:
    return raw.LogicalNot(x=x) if x.dtype == tf.bool else raw.Invert(x=x)


def _shift(function: Callable[..., Any], left: bool) -> Callable[[Any, Any], Any]:
    """TensorFlow leaves open what a shift by too many bits gives."""

    def kernel(x: Any, y: Any) -> Any:
        last = 8 * x.dtype.size - 1
        inside = raw.LessEqual(x=y, y=_scalar(last, y))
        if not y.dtype.is_unsigned:
            inside &= raw.GreaterEqual(x=y, y=_scalar(0, y))
        found = function(x=x, y=tf.where(inside, y, _scalar(last, y)))
        if not left and not x.dtype.is_unsigned:
            return found
        return tf.where(inside, found, _scalar(0, x))

    return _counting(kernel)


def view(x: Any, dtype: Any = None) -> Any:
    if dtype is None:
        return x
    name = dtypes.standardize_dtype(dtype)
    x = raw.StopGradient(input=as_dtype(x, tf.uint8) if x.dtype == tf.bool else x)
    kind = tf.uint8 if name == "bool" else tf.as_dtype(dtypes.numpy_dtype(name))
    old, new = x.dtype.size, kind.size
    if old < new:
        *outer, last = shape_of(x)
        if isinstance(last, int) and last % (new // old):
            raise ValueError(f"{last} entries")
        x = reshape(x, (*outer, last // (new // old), new // old))
    y = raw.Bitcast(input=x, type=kind)
    if old > new:
        *outer, last, parts = shape_of(y)
        y = reshape(y, (*outer, last * parts))
    return as_dtype(y, tf.bool) if name == "bool" else y


# Complex numbers


def view_as_complex(x: Any) -> Any:
    if x.shape[-1] != 2 or x.dtype.is_complex:
        raise ValueError(f"{x}")
    wide = x if x.dtype == tf.float64 else as_dtype(x, tf.float32)
    parts = raw.Unpack(value=wide, num=2, axis=-1)
    kind = tf.complex128 if x.dtype == tf.float64 else tf.complex64
    return raw.Complex(real=parts[0], imag=parts[1], Tout=kind)


def _part(x: Any) -> Any:
    return tf.float64 if x.dtype == tf.complex128 else tf.float32


def real(x: Any) -> Any:
    return raw.Real(input=x, Tout=_part(x)) if x.dtype.is_complex else x


def imag(x: Any) -> Any:
    return raw.Imag(input=x, Tout=_part(x)) if x.dtype.is_complex else tf.zeros_like(x)


def conj(x: Any) -> Any:
    return raw.Conj(input=x) if x.dtype.is_complex else x


def view_as_real(x: Any) -> Any:
    return raw.Pack(values=[real(x), imag(x)], axis=-1)


KERNELS: dict[str, Callable[..., Any]] = {
    "cast": cast, "where": where, "add": _by_kind(raw.AddV2, raw.LogicalOr),
    "multiply": _by_kind(raw.Mul, raw.LogicalAnd), "subtract": binary(raw.Sub),
    "true_divide": binary(raw.RealDiv),
    "floor_divide": _division(widened(_floor_divide, **_HALF)),
    "mod": _division(binary(raw.FloorMod)), "power": _counting(_power),
    "maximum": _extreme(raw.Maximum, _smaller),
    "minimum": _extreme(raw.Minimum, lambda a, b: _smaller(b, a)),
    "equal": binary(raw.Equal), "not_equal": binary(raw.NotEqual),
    "less": _compared(raw.Less, _smaller),
    "less_equal": _compared(raw.LessEqual, lambda a, b: _smaller(a, b) | raw.Equal(x=a, y=b)),
    "greater": _compared(raw.Greater, lambda a, b: _smaller(b, a)),
    "greater_equal": _compared(raw.GreaterEqual, lambda a, b: _smaller(b, a) | raw.Equal(x=a, y=b)),
    "logical_and": _truths(raw.LogicalAnd), "logical_or": _truths(raw.LogicalOr),
    "logical_xor": _truths(raw.NotEqual),
    "logical_not": lambda x: raw.LogicalNot(x=as_dtype(x, tf.bool)), "absolute": absolute,
    "negative": widened(unary(raw.Neg), **UNSIGNED),
    "sign": widened(unary(raw.Sign), bool="int32", **UNSIGNED),
    "floor": floating(raw.Floor), "ceil": floating(raw.Ceil), "round": round, "isnan": isnan,
    "exp": unary(raw.Exp), "expm1": unary(raw.Expm1), "log": unary(raw.Log),
    "log1p": unary(raw.Log1p), "sqrt": unary(raw.Sqrt), "rsqrt": unary(raw.Rsqrt),
    "sin": unary(raw.Sin), "cos": unary(raw.Cos), "tan": unary(raw.Tan),
    "arcsin": unary(raw.Asin), "arccos": unary(raw.Acos), "arctan": unary(raw.Atan),
    "arctan2": lambda x1, x2: raw.Atan2(y=x1, x=x2), "sinh": unary(raw.Sinh),
    "cosh": unary(raw.Cosh), "tanh": unary(raw.Tanh), "arcsinh": unary(raw.Asinh),
    "arccosh": unary(raw.Acosh), "arctanh": unary(raw.Atanh), "erf": unary(raw.Erf),
    "erfc": unary(raw.Erfc),
    # In float32 TensorFlow's is 20 % off near 0.
    "erfinv": widened(unary(raw.Erfinv), **dict.fromkeys(dtypes.FLOATS[2:5], "float64")),
    "i0": widened(unary(raw.BesselI0), bfloat16="float32"),
    "stop_gradient": lambda variable: raw.StopGradient(input=variable),
    "bitwise_and": _bits(raw.BitwiseAnd, raw.LogicalAnd),
    "bitwise_or": _bits(raw.BitwiseOr, raw.LogicalOr),
    "bitwise_xor": _bits(raw.BitwiseXor, raw.NotEqual), "bitwise_invert": bitwise_invert,
    "bitwise_not": bitwise_invert, "bitwise_left_shift": _shift(raw.LeftShift, True),
    "bitwise_right_shift": _shift(raw.RightShift, False), "view": view,
    "view_as_complex": view_as_complex, "view_as_real": view_as_real, "real": real, "imag": imag,
    "conj": conj, "conjugate": conj,
}  # fmt: skip
