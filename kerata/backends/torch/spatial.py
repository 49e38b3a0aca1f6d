"""Transposed convolution on PyTorch, and what it has for patches, pooling to a size, resizing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerata import config
from kerata.backends.spatial import Transposed, transposed
from kerata.backends.state import body_of
from kerata.backends.torch.kernels import FLOATS

_TRANSPOSED: dict[int, Callable[..., Tensor]] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}


# What torch resizes in floats as the composite does.
_RESIZED = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)


def _framed(y: Tensor, plan: Transposed, sizes: tuple[int, ...]) -> Tensor:
    """The part of what is covered that the result has, zeros after it where it ends before."""
    for axis, (b, n) in enumerate(zip(plan.before, plan.output(sizes), strict=True), 2):
        y = y.narrow(axis, b, min(n, y.shape[axis] - b))
    pads = [v for n in reversed(plan.missing) for v in (0, n)]
    return torch.constant_pad_nd(y, pads) if any(pads) else y


def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    if inputs.dtype not in FLOATS:
        args = (strides, padding, output_padding, data_format, dilation_rate)
        return conv_transpose(inputs.double(), kernel.double(), *args).to(inputs.dtype)
    plan = transposed(kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    rank = plan.rank
    x = inputs.movedim(-1, 1) if plan.channels_last else inputs
    weight = kernel.permute(rank + 1, rank, *range(rank))
    sizes = x.shape[2:]
    more = [e + 2 * b - k for e, b, k in zip(plan.extra, plan.before, plan.span, strict=True)]
    limits = zip(more, plan.strides, plan.dilation, strict=True)
    if all(0 <= m < max(s, d) for m, s, d in limits):  # what torch takes
        options: tuple[Any, ...] = (None, plan.strides, plan.before, more, 1, plan.dilation)
        y = _TRANSPOSED[rank](x, weight, *options)
    else:
        y = _TRANSPOSED[rank](x, weight, None, plan.strides, 0, 0, 1, plan.dilation)
        y = _framed(y, plan, sizes)
    return y.movedim(1, -1) if plan.channels_last else y


def unfold(
    x: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    if x.dtype not in FLOATS or x.ndim != 4:
        found: Tensor = body_of("unfold")(x, kernel_size, dilation, padding, stride)
        return found
    return F.unfold(x, kernel_size, dilation, padding, stride)


def fold(
    x: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    if x.dtype not in FLOATS or x.ndim != 3:
        found: Tensor = body_of("fold")(x, output_size, kernel_size, dilation, padding, stride)
        return found
    return F.fold(x, output_size, kernel_size, dilation, padding, stride)


def resize(
    images: Tensor,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    special = crop_to_aspect_ratio or pad_to_aspect_ratio or fill_mode != "constant"
    same = interpolation == "bilinear" or (interpolation == "bicubic" and antialias)
    fits = images.ndim == 4 and images.dtype in _RESIZED and len(size) == 2
    if special or not same or not fits:  # torch's plain bicubic is another one
        found: Tensor = body_of("resize")(
            images, size, interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio,
            fill_mode, fill_value, data_format,
        )  # fmt: skip
        return found
    last = config.standardize_data_format(data_format) == "channels_last"
    x = images.permute(0, 3, 1, 2) if last else images
    x = x if x.dtype is torch.float64 else x.float()
    y = F.interpolate(x, size, mode=interpolation, align_corners=False, antialias=antialias)
    if images.dtype is torch.uint8:
        y = y.round().clamp(0, 255)
    return (y.permute(0, 2, 3, 1) if last else y).to(images.dtype)


def sobel_edges(images: Tensor, data_format: str | None = None) -> Tensor:
    if images.ndim != 4 or images.dtype not in (torch.float32, torch.float64):
        found: Tensor = body_of("sobel_edges")(images, data_format)
        return found
    down = images.new_tensor([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
    last = config.standardize_data_format(data_format) == "channels_last"
    x = images.permute(0, 3, 1, 2) if last else images
    weights = torch.stack([down, down.t()])[:, None].repeat(x.shape[1], 1, 1, 1)
    y = torch.conv2d(x, weights, padding=1, groups=x.shape[1])
    y = y.unflatten(1, (-1, 2))
    return y.permute(0, 3, 4, 1, 2) if last else y.permute(0, 1, 3, 4, 2)


def _adaptive(name: str, functions: tuple[Callable[..., Tensor], ...]) -> Callable[..., Tensor]:
    def kernel(inputs: Tensor, output_size: Any, data_format: str | None = None) -> Tensor:
        rank = inputs.ndim - 2
        sizes = output_size if isinstance(output_size, (list, tuple)) else (output_size,) * rank
        right = len(sizes) == rank and all(m is None or (type(m) is int and m > 0) for m in sizes)
        if inputs.dtype not in FLOATS or rank not in (1, 2, 3) or not right:
            found: Tensor = body_of(name)(inputs, output_size, data_format)
            return found
        last = config.standardize_data_format(data_format) == "channels_last"
        x = inputs.movedim(-1, 1) if last else inputs
        whole = [n if m is None else m for n, m in zip(x.shape[2:], sizes, strict=True)]
        y = functions[rank - 1](x, whole)
        return y.movedim(1, -1) if last else y

    return kernel


KERNELS: dict[str, Callable[..., Any]] = {
    "conv_transpose": conv_transpose,
    "unfold": unfold,
    "fold": fold,
    "resize": resize,
    "sobel_edges": sobel_edges,
    "adaptive_average_pool": _adaptive(
        "adaptive_average_pool",
        (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d),
    ),
    "adaptive_max_pool": _adaptive(
        "adaptive_max_pool",
        (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d),
    ),
}
