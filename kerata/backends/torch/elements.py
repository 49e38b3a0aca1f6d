"""PyTorch's kernels for operations on each element, and the bits of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerata.backends.state import body_of
from kerata.backends.torch.kernels import FLOATS, PRIMITIVES, Kernel, torch_dtype, widening

_COMPLEX = (torch.complex64, torch.complex128)


def _tensors(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    like = x1 if isinstance(x1, Tensor) else x2
    first, second = (
        x if isinstance(x, Tensor) else torch.full((), x, dtype=like.dtype, device=like.device)
        for x in (x1, x2)
    )
    return first, second


# Arithmetic


def _counting(function: Kernel) -> Kernel:
    """`function` of numbers; booleans count as int32."""

    def kernel(x1: Any, x2: Any) -> Tensor:
        if isinstance(x1, Tensor) and x1.dtype is torch.bool:
            x1, x2 = x1.to(torch.int32), x2.to(torch.int32)
        return function(x1, x2)

    return kernel


def _division(function: Kernel) -> Kernel:
    """Integers divided by 0 give 0, as in NumPy."""

    def kernel(x1: Any, x2: Any) -> Tensor:
        kind = x1.dtype if isinstance(x1, Tensor) else x2.dtype
        if kind in FLOATS or kind in _COMPLEX or (type(x2) is int and x2):
            return function(x1, x2)
        x1, x2 = _tensors(x1, x2)
        zero, divisor = x2 == 0, torch.where(x2 == 0, torch.ones_like(x2), x2)
        return torch.where(zero, torch.zeros_like(x2), function(x1, divisor))

    return _counting(kernel)


def _mod(x1: Any, x2: Any) -> Tensor:
    """By the exact `fmod`; torch's own loses the digits of large quotients."""
    x1, x2 = _tensors(x1, x2)
    if x1.dtype not in FLOATS:
        return PRIMITIVES["mod"](x1, x2)
    rest = torch.fmod(x1, x2)
    return torch.where((rest != 0) & ((rest < 0) != (x2 < 0)), rest + x2, rest)


def _power(x1: Any, x2: Any) -> Tensor:
    """Negative powers of integers drop their fractions, which torch has for tensors alone."""
    if type(x2) is int and x2 < 0 and x1.dtype not in FLOATS and x1.dtype not in _COMPLEX:
        x1, x2 = _tensors(x1, x2)
    return PRIMITIVES["power"](x1, x2)


# Order


def _smaller(x1: Tensor, x2: Tensor) -> Tensor:
    """Complex numbers by their real parts, equal ones by their imaginary parts."""
    same = (x1.real == x2.real) & (x1.imag < x2.imag)
    return (x1.real < x2.real) | same


def _ordered(name: str, lexical: Kernel) -> Kernel:
    """The kernel of that name, which torch lacks for complex numbers."""
    plain = PRIMITIVES[name]

    def kernel(x1: Any, x2: Any) -> Tensor:
        try:
            return plain(x1, x2)
        except RuntimeError:
            x1, x2 = _tensors(x1, x2)
            if x1.dtype not in _COMPLEX:
                raise
            return lexical(x1, x2)

    return kernel


def _extreme(lexical: Kernel) -> Kernel:
    return lambda x1, x2: torch.where(lexical(x1, x2) | torch.isnan(x2), x2, x1)


# One operand


def floating(function: Kernel) -> Kernel:
    """`function` of floats; integers and booleans are what they are."""
    return lambda x: function(x) if x.dtype in FLOATS or x.dtype in _COMPLEX else x


def round(x: Tensor, decimals: int = 0) -> Tensor:
    if x.dtype in FLOATS:
        return torch.round(x, decimals=decimals)
    if x.dtype in _COMPLEX:
        return torch.complex(round(x.real, decimals), round(x.imag, decimals))
    if decimals >= 0 or x.dtype is torch.bool:
        return x
    return torch.round(x.double(), decimals=decimals).to(x.dtype)


def sign(x: Tensor) -> Tensor:
    if x.dtype in _COMPLEX:
        return torch.sgn(x)
    signs = torch.sign(x)
    return signs.masked_fill(torch.isnan(x), float("nan")) if x.dtype in FLOATS else signs


# Bits


def _integers(function: Kernel) -> Kernel:
    """`function` of integers alone, also of those that torch computes little with."""
    wide = widening(function)

    def kernel(x1: Tensor, x2: Tensor) -> Tensor:
        if x1.dtype is torch.bool:
            raise TypeError("booleans")
        return wide(x1, x2)

    return kernel


def _shift(function: Kernel) -> Kernel:
    return _counting(widening(function))


def right_shift(x: Tensor, y: Tensor) -> Tensor:
    if x.dtype is not torch.uint64:
        return torch.bitwise_right_shift(x, y)
    # Halved first: int64, in which torch shifts, has one bit less.
    x, y = x.view(torch.int64), y.view(torch.int64)
    least = (x >> 1) & (2**63 - 1)
    found = torch.where(y == 0, x, torch.bitwise_right_shift(least, y - 1))
    return found.view(torch.uint64)


def view(x: Tensor, dtype: Any = None) -> Tensor:
    if dtype is None:
        return x
    return x.detach().contiguous().view(torch_dtype(dtype))


# Complex numbers


def view_as_complex(x: Tensor) -> Tensor:
    if x.dtype in _COMPLEX:
        raise TypeError(x.dtype)
    wide = x if x.dtype is torch.float64 else x.to(torch.float32)
    return torch.view_as_complex(wide.contiguous())


def view_as_real(x: Tensor) -> Tensor:
    if x.dtype in _COMPLEX:
        return torch.view_as_real(x)
    return torch.stack([x, torch.zeros_like(x)], -1)


def imag(x: Tensor) -> Tensor:
    return torch.imag(x) if x.dtype in _COMPLEX else torch.zeros_like(x)


def _real(function: Kernel) -> Kernel:
    """`function`, which torch has for complex numbers and NumPy has not, of real ones alone."""

    def kernel(x1: Tensor, x2: Tensor) -> Tensor:
        if x1.dtype in _COMPLEX:
            raise TypeError("complex numbers")
        return function(x1, x2)

    return kernel


def nan_to_num(x: Tensor, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    if x.dtype in FLOATS and all(v is None or type(v) is float for v in (nan, posinf, neginf)):
        return torch.nan_to_num(x, nan, posinf, neginf)
    return body_of("nan_to_num")(x, nan, posinf, neginf)


def conj(x: Tensor) -> Tensor:
    return torch.conj_physical(x)


KERNELS: dict[str, Kernel] = {
    "floor_divide": _division(PRIMITIVES["floor_divide"]), "mod": _division(_mod),
    "fmod": _division(widening(torch.fmod)),
    "power": _counting(_power), "less": _ordered("less", _smaller),
    "less_equal": _ordered("less_equal", lambda a, b: _smaller(a, b) | (a == b)),
    "greater": _ordered("greater", lambda a, b: _smaller(b, a)),
    "greater_equal": _ordered("greater_equal", lambda a, b: _smaller(b, a) | (a == b)),
    "maximum": _ordered("maximum", _extreme(_smaller)),
    "minimum": _ordered("minimum", _extreme(lambda a, b: _smaller(b, a))),
    "floor": floating(torch.floor), "ceil": floating(torch.ceil), "trunc": floating(torch.trunc),
    "round": round, "sign": widening(sign), "tan": torch.tan, "arcsin": torch.asin,
    "arccos": torch.acos, "arctan": torch.atan, "arctan2": torch.atan2, "sinh": torch.sinh,
    "cosh": torch.cosh, "arcsinh": torch.asinh, "arccosh": torch.acosh, "arctanh": torch.atanh,
    "erfc": torch.erfc, "i0": torch.special.i0, "log2": torch.log2, "log10": torch.log10,
    "exp2": torch.exp2, "deg2rad": torch.deg2rad, "rad2deg": torch.rad2deg,
    "signbit": torch.signbit, "logical_xor": widening(torch.logical_xor),
    "bitwise_and": torch.bitwise_and, "bitwise_or": torch.bitwise_or,
    "bitwise_xor": torch.bitwise_xor, "bitwise_invert": widening(torch.bitwise_not),
    "bitwise_not": widening(torch.bitwise_not),
    "bitwise_left_shift": _shift(torch.bitwise_left_shift),
    "bitwise_right_shift": _shift(right_shift), "gcd": _integers(torch.gcd),
    "lcm": _integers(torch.lcm), "view": view, "view_as_complex": view_as_complex,
    "view_as_real": view_as_real, "real": torch.real, "imag": imag, "conj": conj,
    "conjugate": conj, "isclose": torch.isclose, "nan_to_num": nan_to_num,
    "logaddexp": _real(torch.logaddexp), "logaddexp2": _real(torch.logaddexp2),
}  # fmt: skip
