"""Convolution and pooling."""

from __future__ import annotations

from typing import Any

from kerata.ops.dispatch import Tensor, primitive

__all__ = (
    "conv", "max_pool", "average_pool",
)  # fmt: skip


@primitive(promote="common")
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A convolution over one, two or three spatial axes.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)`.
        kernel: `(*window, channels / groups, filters)`; the number of groups follows.
        strides: the step, one int or one for each spatial axis.
        padding: "valid" (none) or "same" (the output has `ceil(size / stride)`).
        data_format: "channels_last", "channels_first", or None for the configured one.
        dilation_rate: the distance between the kernel's elements.

    Returns:
        `(batch, *spatial, filters)` or `(batch, filters, *spatial)`.
    """


@primitive()
def max_pool(
    inputs: Tensor,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest element of each window; arguments as in `conv`, `strides` None is `pool_size`."""


@primitive()
def average_pool(
    inputs: Tensor,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window, padding not counted; arguments as in `max_pool`."""
