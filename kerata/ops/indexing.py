"""Operations that pick or place elements by index."""

from __future__ import annotations

from typing import Any

from kerata.ops.dispatch import Tensor, primitive

__all__ = (
    "getitem", "take", "take_along_axis",
)  # fmt: skip


@primitive()
def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]` for ints, slices (of any step), None, Ellipsis, and index tensors."""


@primitive()
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """The slices of `x` at `indices` along `axis`; of the flattened `x` where None.

    Negative indices count from the end. Others out of range are clipped to the nearest that exists.
    """


@primitive()
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """The elements of `x` at `indices` (of the same rank) along `axis`; others as in `take`."""
