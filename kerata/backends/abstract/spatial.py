"""What shapes a transposed convolution and a resized image have, and how much work they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kerata import config
from kerata.backends.abstract.kernels import counted, describe
from kerata.backends.abstract.tensor import STAND_INS
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.spatial import transposed
from kerata.backends.state import body_of


def _conv_transpose(
    inputs: T,
    kernel: T,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> T:
    if len(kernel.shape) != len(inputs.shape) or len(kernel.shape) not in (3, 4, 5):
        raise ValueError(
            "conv_transpose: inputs and kernel must both have 3, 4 or 5 axes; "
            f"got {describe(inputs, kernel)}"
        )
    plan = transposed(kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    channels = inputs.shape[-1 if plan.channels_last else 1]
    if channels != kernel.shape[-1]:
        raise ValueError(
            f"conv_transpose: the inputs have {channels} channels, the kernel's last axis "
            f"{kernel.shape[-1]} ({describe(inputs, kernel)})"
        )
    sizes, filters = plan.output(plan.spatial(inputs.shape)), kernel.shape[-2]
    inner = (*sizes, filters) if plan.channels_last else (filters, *sizes)
    return T((inputs.shape[0], *inner), inputs.dtype)


def _work(out: T, inputs: T, kernel: T, *_: Any, **__: Any) -> int:
    return 2 * math.prod(inputs.shape) * math.prod(kernel.shape[:-1])


def resize(
    images: T,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> T:
    """By the composite, but where a size stands for an open one: its weights would be that many."""
    body = body_of("resize")
    more = (
        interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode, fill_value,
        data_format,
    )  # fmt: skip
    rank = len(images.shape)
    first = rank - (3 if config.standardize_data_format(data_format) == "channels_last" else 2)
    wanted = tuple(size) if isinstance(size, (list, tuple)) else ()
    sides = images.shape[first : first + 2]
    if rank not in (3, 4) or not any(map(_stands_in, (*sides, *wanted))):
        found: T = body(images, size, *more)
        return found
    before, after = images.shape[:first], images.shape[first + 2 :]
    small = T((*before, *map(_less, sides), *after), images.dtype)
    return T((*before, *wanted, *after), body(small, tuple(map(_less, wanted)), *more).dtype)


def _stands_in(size: Any) -> bool:
    return type(size) is int and size >= STAND_INS[0]


def _less(size: Any) -> Any:
    """`size`, or a small one in the place of one that stands for an open one."""
    return 8 if _stands_in(size) else size


def _adaptive(name: str) -> Callable[..., T]:
    """By the composite, but where a size stands for an open one, as in `resize`."""

    def kernel(inputs: T, output_size: Any, data_format: str | None = None) -> T:
        first = 1 if config.standardize_data_format(data_format) == "channels_last" else 2
        spatial = slice(first, first + len(inputs.shape) - 2)
        sizes = inputs.shape[spatial]
        small = (*inputs.shape[:first], *map(_less, sizes), *inputs.shape[spatial.stop :])
        found: T = body_of(name)(T(small, inputs.dtype), output_size, data_format)
        if small == inputs.shape:
            return found
        each = (
            output_size if isinstance(output_size, (list, tuple)) else (output_size,) * len(sizes)
        )
        wanted = (n if m is None else m for n, m in zip(sizes, each, strict=True))
        return T((*found.shape[:first], *wanted, *found.shape[spatial.stop :]), found.dtype)

    return kernel


KERNELS: dict[str, Callable[..., Any]] = {
    "conv_transpose": counted("conv_transpose", _conv_transpose, _work),
    "resize": resize,
    **{name: _adaptive(name) for name in ("adaptive_average_pool", "adaptive_max_pool")},
}
