"""Transposed and depthwise convolution on JAX."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kerata.backends.geometry import Window
from kerata.backends.spatial import transposed


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """The convolution, by the mirrored kernel, of the inputs with zeros between their elements."""
    plan = transposed(kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    space = "DHW"[-plan.rank :]
    layout = f"N{space}C" if plan.channels_last else f"NC{space}"
    return lax.conv_general_dilated(
        inputs,
        lax.rev(kernel, tuple(range(plan.rank))),
        (1,) * plan.rank,
        [
            (k - 1 - b, b + e - 1)
            for k, b, e in zip(plan.span, plan.before, plan.extra, strict=True)
        ],
        lhs_dilation=plan.strides,
        rhs_dilation=plan.dilation,
        dimension_numbers=(layout, f"{space}OI", layout),
    )


@functools.partial(jax.jit, static_argnums=2)
def depthwise(inputs: Any, kernel: Any, plan: Window) -> Any:
    """A convolution of each channel by itself as a sum of the input's shifted views.

    XLA makes one loop of it; its own convolution takes many times as long on a CPU.
    """
    x = inputs if plan.channels_last else jnp.moveaxis(inputs, 1, -1)
    counts, channels = plan.output(x.shape[1:-1]), x.shape[-1]
    wide = jnp.promote_types(x.dtype, jnp.float32)
    x = jnp.pad(x, ((0, 0), *plan.pads(x.shape[1:-1]), (0, 0)))[..., None]
    weights = kernel.reshape(*plan.size, channels, -1).astype(wide)
    total: Any = 0.0
    for place in itertools.product(*map(range, plan.size)):
        cut = tuple(
            slice(p * d, p * d + (n - 1) * s + 1, s)
            for p, d, n, s in zip(place, plan.dilation, counts, plan.strides, strict=True)
        )
        total = total + x[(slice(None), *cut)].astype(wide) * weights[place]
    y = total.reshape(*total.shape[:-2], -1).astype(x.dtype)
    return y if plan.channels_last else jnp.moveaxis(y, -1, 1)


KERNELS: dict[str, Callable[..., Any]] = {"conv_transpose": conv_transpose}
