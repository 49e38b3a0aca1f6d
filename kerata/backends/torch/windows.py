"""Convolution and pooling on PyTorch.

Images lie channels-last in memory: torch gets a channels-first *view* of them, which is the layout
that oneDNN and cuDNN want, so that nothing is copied around convolutions and pools.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from kerata import config
from kerata.backends import dtypes
from kerata.backends.geometry import window
from kerata.backends.torch.kernels import NAMES, Kernel


class _Plan(NamedTuple):
    """A window's geometry as torch takes it; one spatial axis runs as two of sizes 1 and n."""

    first: tuple[int, ...] | None  # channels to the front
    last: tuple[int, ...] | None  # and back
    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]  # what torch adds on both sides
    around: list[int] | None  # what it can't: added by a copy
    ceil: bool  # whether a last window sticks out
    line: bool
    groups: int


@functools.lru_cache(4096)
def _plan(
    shape: tuple[int, ...], size: Any, strides: Any, padding: str, data_format: str, dilation: Any,
    pools: bool,
) -> _Plan:  # fmt: skip
    """The plan for a pool's `size`, or for a kernel of the shape `size`.

    Pooling lets a last window stick out by one, so that uneven padding needs no copy.
    """
    extent = size if pools else size[:-2]
    plan = window(len(shape), extent, strides, padding, data_format, dilation)
    pads = plan.pads(plan.spatial(shape))
    rank = max(plan.rank, 2)
    ones = (1,) * (rank - plan.rank)
    fits = all(a == b or (pools and s > 1) for (a, b), s in zip(pads, plan.strides, strict=True))
    return _Plan(
        (0, rank + 1, *range(1, rank + 1)) if plan.channels_last else None,
        (0, *range(2, rank + 2), 1) if plan.channels_last else None,
        ones + plan.size,
        ones + plan.strides,
        ones + plan.dilation,
        (0,) * len(ones) + tuple(a for a, _ in pads) if fits else (0,) * rank,
        None if fits else [v for pair in reversed(pads) for v in pair],
        pools and fits and plan.same,
        plan.rank == 1,
        1 if pools else shape[-1 if plan.channels_last else 1] // size[-2],
    )


def _planned(
    shape: tuple[int, ...], size: Any, strides: Any, padding: str, data_format: str | None,
    dilation: Any = 1, pools: bool = True,
) -> _Plan:  # fmt: skip
    data_format = data_format or config.image_data_format()
    try:
        return _plan(shape, size, strides, padding, data_format, dilation, pools)
    except TypeError:  # lists can't be looked up
        size, strides, dilation = (
            tuple(v) if isinstance(v, list) else v for v in (size, strides, dilation)
        )
        return _plan(shape, size, strides, padding, data_format, dilation, pools)


def _entered(x: Tensor, plan: _Plan, fill: float) -> Tensor:
    """The channels-first view of `x`, padded where torch can't pad on the fly."""
    if plan.line:
        x = x.unsqueeze(1 if plan.first else 2)
    if plan.first is not None:
        x = x.permute(plan.first)
    return x if plan.around is None else torch.constant_pad_nd(x, plan.around, fill)


def _left(y: Tensor, plan: _Plan) -> Tensor:
    if plan.last is not None:
        y = y.permute(plan.last)
    return y.squeeze(1 if plan.last else 2) if plan.line else y


def _filters_first(kernel: Tensor, rank: int) -> Tensor:
    """The view `(filters, channels, *window)` of a kernel, channels-last in memory.

    A variable's kernel lies so already (see `TorchBackend.store`); another is brought into that
    order by one transposition of a matrix, several times as fast as what the convolution would do.
    """
    if kernel.is_contiguous():
        *size, depth, filters = kernel.shape
        kernel = kernel.reshape(-1, filters).t().contiguous().view(filters, *size, depth)
        kernel = kernel.permute(*range(1, kernel.ndim), 0)
    kernel = kernel.unsqueeze(0) if kernel.ndim < rank + 2 else kernel
    return kernel.permute(rank + 1, rank, *range(rank))


def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    plan = _planned(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, False)
    x = _entered(inputs, plan, 0.0)
    weight = _filters_first(kernel, len(plan.size))
    convolve = torch.conv2d if len(plan.size) == 2 else torch.conv3d
    y = convolve(x, weight, None, plan.strides, plan.before, plan.dilation, plan.groups)
    return _left(y, plan)


def _largest(x: Tensor, plan: _Plan) -> Tensor:
    low = 0.0 if plan.around is None else dtypes.bounds(NAMES[x.dtype])[0]
    pool = torch.max_pool2d if len(plan.size) == 2 else torch.max_pool3d
    return pool(_entered(x, plan, low), plan.size, plan.strides, plan.before, 1, plan.ceil)


def _mean(x: Tensor, plan: _Plan) -> Tensor:
    if x.dtype is torch.bfloat16 and len(plan.size) == 3:  # torch has none of these
        return _mean(x.float(), plan).to(x.dtype)
    function = F.avg_pool2d if len(plan.size) == 2 else F.avg_pool3d

    def pool(x: Tensor) -> Tensor:
        x = _entered(x, plan, 0.0)
        return function(x, plan.size, plan.strides, plan.before, plan.ceil, False)

    # Where padding was added by a copy, divide by the share of each window that is none.
    return pool(x) if plan.around is None else pool(x) / pool(torch.ones_like(x))


def _pooling(pool: Callable[[Tensor, _Plan], Tensor]) -> Kernel:
    def kernel(
        inputs: Tensor,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> Tensor:
        plan = _planned(inputs.shape, pool_size, strides, padding, data_format)
        return _left(pool(inputs, plan), plan)

    return kernel


WINDOWS: dict[str, Kernel] = {
    "conv": conv,
    "max_pool": _pooling(_largest),
    "average_pool": _pooling(_mean),
}
