"""What shape a transposed convolution gives, and how much work it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kerata.backends.abstract.kernels import counted, describe
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.spatial import transposed


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


KERNELS: dict[str, Callable[..., Any]] = {
    "conv_transpose": counted("conv_transpose", _conv_transpose, _work)
}
