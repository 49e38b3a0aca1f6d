"""Normalization by statistics of the tensor itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kerata import config
from kerata.backends import dtypes
from kerata.ops import creation as new
from kerata.ops import elementwise as ew
from kerata.ops import linalg
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.replicas import sum_over_replicas

__all__ = (
    "moments", "batch_normalization", "layer_normalization", "normalize", "rms_normalization",
)  # fmt: skip


@composite()
def moments(
    x: Tensor, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """The mean and the variance over `axes`; half precision is reduced in float32.

    With `synchronized` they are those of all replicas of a distributed step; see
    `sum_over_replicas`.
    """
    dtype = dtypes.standardize_dtype(x.dtype)
    half = dtype in ("float16", "bfloat16")
    wide = ew.cast(x, "float32") if half else x
    average = _mean_over_replicas if synchronized else red.mean
    mean = average(wide, axes, True)
    variance = average(ew.square(wide - mean), axes, keepdims)
    if not keepdims:
        mean = sh.squeeze(mean, axes)
    return (ew.cast(mean, dtype), ew.cast(variance, dtype)) if half else (mean, variance)


def _mean_over_replicas(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    """The mean of what all replicas hold; they may hold different numbers of elements."""
    total = red.sum(x, axes, keepdims)
    sizes = sh.shape(x)
    rank = len(sizes)
    listed = range(rank) if axes is None else (axes,) if isinstance(axes, int) else axes
    count = math.prod(sizes[a % rank] for a in listed)
    counts = new.full(sh.shape(total), ew.cast(count, total.dtype), total.dtype)
    total, counts = sh.unstack(sum_over_replicas(sh.stack([total, counts])))
    return total / counts


def _along(parameter: Tensor, rank: int, axes: Sequence[int], x: Tensor) -> Tensor:
    """`parameter`, whose axes are `axes` of a tensor of `rank`, reshaped to broadcast with it."""
    sizes = sh.shape(x)
    return sh.reshape(parameter, tuple(sizes[a] if a in axes else 1 for a in range(rank)))


@composite(promote="float")
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, vectors lying along `axis`.

    Ioffe & Szegedy, 2015.
    """
    rank = len(sh.shape(x))
    axes = (axis % rank,)
    factor = ew.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return x * _along(factor, rank, axes, x) + _along(shift, rank, axes, x)


@composite(promote="float")
def batch_normalization_training(
    x: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """`batch_normalization` by the batch's own moments; returns `(y, mean, variance)`.

    No gradient flows through the moments that it returns.
    """
    rank = len(sh.shape(x))
    others = tuple(a for a in range(rank) if a != axis % rank)
    mean, variance = moments(x, others)
    y = batch_normalization(x, mean, variance, axis, offset, scale, epsilon)
    return y, ew.stop_gradient(mean), ew.stop_gradient(variance)


@composite(promote="float")
def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` over `axis` (Ba et al., 2016)."""
    rank = len(sh.shape(x))
    axes = tuple(sorted(a % rank for a in ([axis] if isinstance(axis, int) else axis)))
    dtype = dtypes.standardize_dtype(x.dtype)
    half = dtype in ("float16", "bfloat16")
    wide = ew.cast(x, "float32") if half else x
    mean, variance = moments(wide, axes, True)
    # Not `wide - mean`, as in `moments`: XLA would store it for both instead of fusing it twice.
    y = (wide + -mean) * ew.rsqrt(variance + (config.epsilon() if epsilon is None else epsilon))
    if gamma is not None:
        y = y * ew.cast(_along(gamma, rank, axes, x), y.dtype)
    if beta is not None:
        y = y + ew.cast(_along(beta, rank, axes, x), y.dtype)
    return ew.cast(y, dtype) if half else y


@composite(promote="float")
def normalize(x: Tensor, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Tensor:
    """`x` divided by its norm of `order` along `axis`, and by no less than `epsilon`."""
    size = linalg.norm(x, order, axis, True)
    return x / ew.maximum(size, config.epsilon() if epsilon is None else epsilon)


@composite(promote="float")
def l2_normalization(x: Tensor, axis: Any = -1, epsilon: float = 1e-12) -> Tensor:
    """`x / sqrt(max(sum(x²), epsilon²))` over `axis`: of length 1, its gradient at 0 finite."""
    dtype = dtypes.standardize_dtype(x.dtype)
    half = dtype in ("float16", "bfloat16")
    wide = ew.cast(x, "float32") if half else x
    square = red.sum(ew.square(wide), axis, True)
    y = wide * ew.rsqrt(ew.maximum(square, epsilon * epsilon))
    return ew.cast(y, dtype) if half else y


@composite(promote="float")
def group_normalization(
    x: Tensor,
    groups: int,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, by the moments of groups of channels.

    The moments of each example are over all axes and `1 / groups` of `axis`, whose neighbours form
    a group; `gamma` and `beta` lie along `axis`. Wu & He, 2018.
    """
    rank = len(sh.shape(x))
    axis = axis % rank
    dtype = dtypes.standardize_dtype(x.dtype)
    half = dtype in ("float16", "bfloat16")
    wide = ew.cast(x, "float32") if half else x
    mean = _over_groups(wide, groups, axis)
    factor = ew.rsqrt(_over_groups(ew.square(wide - mean), groups, axis) + epsilon)
    if gamma is not None:
        factor = factor * ew.cast(_along(gamma, rank, (axis,), x), factor.dtype)
    y = (wide - mean) * factor
    if beta is not None:
        y = y + ew.cast(_along(beta, rank, (axis,), x), y.dtype)
    return ew.cast(y, dtype) if half else y


def _over_groups(x: Tensor, groups: int, axis: int) -> Tensor:
    """The mean of each example's groups of channels, repeated for each channel of the group."""
    rank = len(sh.shape(x))
    others = [a for a in range(1, rank) if a != axis]
    means = red.mean(x, others, True) if others else x
    sizes = sh.shape(means)
    split = (*sizes[:axis], groups, sizes[axis] // groups, *sizes[axis + 1 :])
    of_groups = red.mean(sh.reshape(means, split), axis + 1, True)
    return sh.reshape(sh.broadcast_to(of_groups, split), sizes)


@composite(promote="float")
def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    """`x / sqrt(mean(x²) + epsilon) * scale` over `axis` (Zhang & Sennrich, 2019)."""
    rank = len(sh.shape(x))
    axes = tuple(sorted(a % rank for a in ([axis] if isinstance(axis, int) else axis)))
    dtype = dtypes.standardize_dtype(x.dtype)
    half = dtype in ("float16", "bfloat16")
    wide = ew.cast(x, "float32") if half else x
    power = red.mean(ew.square(wide), axes, True)
    y = wide * ew.rsqrt(power + (config.epsilon() if epsilon is None else epsilon))
    if scale is not None:
        y = y * ew.cast(_along(scale, rank, axes, x), y.dtype)
    return ew.cast(y, dtype) if half else y
