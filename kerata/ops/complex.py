"""Complex numbers, their parts, and the bits of tensors under another dtype."""

from __future__ import annotations

import math
from typing import Any

from kerata.backends import dtypes
from kerata.backends.state import operations
from kerata.ops import elementwise as ew
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "view", "view_as_complex", "view_as_real", "real", "imag", "conj", "conjugate", "angle",
    "isreal", "polar",
)  # fmt: skip


@primitive()
def view(x: Tensor, dtype: Any = None) -> Tensor:
    """The bits of `x` under another dtype, `x` itself where `dtype` is None; no gradient flows.

    With a dtype of another size the last axis becomes longer or shorter by the sizes' ratio.

    >>> view(1.0, "int32").item()
    1065353216

    Raises:
        ValueError: the sizes differ and `x` has no axes, or its last axis does not divide.
    """


@primitive(promote="float")
def view_as_complex(x: Tensor) -> Tensor:
    """The pairs `(..., 2)` of real and imaginary parts as complex numbers `(...)`.

    They are complex64, complex128 for float64.

    Raises:
        ValueError: the last axis has not two entries.
    """


@primitive()
def view_as_real(x: Tensor) -> Tensor:
    """Numbers `(...)` as pairs `(..., 2)` of their real and imaginary parts."""


def _is_complex(x: Tensor) -> bool:
    return dtypes.standardize_dtype(x.dtype) in dtypes.COMPLEX


@composite()
def real(x: Tensor) -> Tensor:
    """The real part; a real `x` is returned as it is."""
    return operations["getitem"](view_as_real(x), (..., 0)) if _is_complex(x) else x


@composite()
def imag(x: Tensor) -> Tensor:
    """The imaginary part, 0 for a real `x`."""
    if _is_complex(x):
        return operations["getitem"](view_as_real(x), (..., 1))
    return operations["zeros_like"](x)


@composite()
def conj(x: Tensor) -> Tensor:
    """The complex conjugate; a real `x` is returned as it is."""
    if not _is_complex(x):
        return x
    return view_as_complex(operations["stack"]([real(x), ew.negative(imag(x))], -1))


@composite()
def conjugate(x: Tensor) -> Tensor:
    """The complex conjugate, as `conj`."""
    return conj(x)


@composite(promote="float")
def angle(x: Tensor) -> Tensor:
    """The angle of a complex number in radians, from -π to π; π for negative real numbers."""
    if _is_complex(x):
        return ew.arctan2(imag(x), real(x))
    turned = ew.where(operations["signbit"](x), math.pi, operations["zeros_like"](x))
    return ew.where(ew.isnan(x), math.nan, turned)


@composite()
def isreal(x: Tensor) -> Tensor:
    """Whether the imaginary part is 0, as bool."""
    return ew.equal(imag(x), 0)


@composite(promote="float")
def polar(abs_: Tensor, angle: Tensor) -> Tensor:
    """The complex number of an absolute value and an angle in radians: `abs_ * exp(1j * angle)`."""
    ew.check_real("polar", abs_, angle)
    parts = [ew.multiply(abs_, ew.cos(angle)), ew.multiply(abs_, ew.sin(angle))]
    return view_as_complex(operations["stack"](parts, -1))
