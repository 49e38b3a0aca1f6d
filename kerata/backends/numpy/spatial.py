"""Transposed convolution in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.backends.spatial import transposed


def conv_transpose(
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> np.ndarray:
    """One product for each element of the window, added at its places."""
    plan = transposed(kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    x = inputs if plan.channels_last else np.moveaxis(inputs, 1, -1)
    wide = np.float32 if x.itemsize < 4 and x.dtype.kind not in "iub" else x.dtype
    sizes = x.shape[1:-1]
    lengths = [n + m for n, m in zip(plan.covered(sizes), plan.missing, strict=True)]
    y = np.zeros((x.shape[0], *lengths, kernel.shape[-2]), wide)
    for place in np.ndindex(*plan.size):
        starts = [p * d for p, d in zip(place, plan.dilation, strict=True)]
        cut = tuple(
            slice(a, a + (n - 1) * s + 1, s)
            for a, n, s in zip(starts, sizes, plan.strides, strict=True)
        )
        y[(slice(None), *cut)] += x.astype(wide) @ kernel[place].astype(wide).T
    cut = tuple(slice(b, b + n) for b, n in zip(plan.before, plan.output(sizes), strict=True))
    y = y[(slice(None), *cut)].astype(x.dtype, copy=False)
    return y if plan.channels_last else np.moveaxis(y, -1, 1)


KERNELS: dict[str, Callable[..., Any]] = {"conv_transpose": conv_transpose}
