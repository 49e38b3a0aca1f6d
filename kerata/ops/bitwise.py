"""Operations on the bits of integers; on booleans those of two values are logical."""

from __future__ import annotations

from kerata.backends import dtypes
from kerata.ops import elementwise as ew
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "bitwise_not",
    "bitwise_left_shift", "bitwise_right_shift", "left_shift", "right_shift",
)  # fmt: skip


@primitive(promote="common")
def bitwise_and(x: Tensor, y: Tensor) -> Tensor:
    """The bits that both integers have.

    >>> bitwise_and(12, 10).item(), bitwise_or(12, 10).item(), bitwise_xor(12, 10).item()
    (8, 14, 6)

    Raises:
        TypeError: they are neither integers nor booleans.
    """


@primitive(promote="common")
def bitwise_or(x: Tensor, y: Tensor) -> Tensor:
    """The bits that at least one of two integers has."""


@primitive(promote="common")
def bitwise_xor(x: Tensor, y: Tensor) -> Tensor:
    """The bits that exactly one of two integers has."""


@primitive(promote="common")
def bitwise_left_shift(x: Tensor, y: Tensor) -> Tensor:
    """`x * 2**y`, less the bits that leave the dtype; booleans count as int32.

    A `y` that is negative, or not below the number of bits, leaves none of them: 0.

    Raises:
        TypeError: they are neither integers nor booleans.
    """


@primitive(promote="common")
def bitwise_right_shift(x: Tensor, y: Tensor) -> Tensor:
    """`x / 2**y`, rounded down; booleans count as int32.

    A `y` that is negative, or not below the number of bits, leaves 0, and -1 of negative numbers.

    Raises:
        TypeError: they are neither integers nor booleans.
    """


@composite()
def bitwise_invert(x: Tensor) -> Tensor:
    """Each bit turned over.

    Raises:
        TypeError: `x` is neither integer nor boolean.
    """
    dtype = dtypes.standardize_dtype(x.dtype)
    if dtype == "bool":
        return ew.logical_not(x)
    if not dtypes.is_integer(dtype):
        raise TypeError(f"bitwise_invert: x must be an integer or boolean tensor; got {dtype}")
    return ew.subtract(-1, x) if dtype.startswith("int") else bitwise_xor(x, _all_bits(dtype))


def _all_bits(dtype: str) -> Tensor:
    """The unsigned number of that dtype with every bit."""
    return dtypes.numpy_dtype(dtype).type(dtypes.bounds(dtype)[1])


@composite()
def bitwise_not(x: Tensor) -> Tensor:
    """Each bit turned over, as `bitwise_invert`."""
    return bitwise_invert(x)


@composite(promote="common")
def left_shift(x: Tensor, y: Tensor) -> Tensor:
    """As `bitwise_left_shift`."""
    return bitwise_left_shift(x, y)


@composite(promote="common")
def right_shift(x: Tensor, y: Tensor) -> Tensor:
    """As `bitwise_right_shift`."""
    return bitwise_right_shift(x, y)
