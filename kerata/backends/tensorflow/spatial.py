"""Transposed convolution on TensorFlow, and what it has for blocks and resizing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerata import config
from kerata.backends.spatial import Transposed, transposed
from kerata.backends.state import body_of
from kerata.backends.tensorflow.arrays import pad
from kerata.backends.tensorflow.kernels import as_dtype, ints, raw, shape_of, transpose
from kerata.backends.tensorflow.nn import spread_kernel


def _mode(plan: Transposed) -> str:
    """The padding whose gradient has the wanted size; none where it has to be cut or padded."""
    if plan.extra == plan.strides:
        return "SAME"
    axes = zip(plan.span, plan.extra, plan.strides, strict=True)
    fits = not any(plan.before) and all(0 <= e - k < s for k, e, s in axes)
    return "VALID" if fits else ""


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """The gradient of a convolution, of whose result a part is cut out where it has to be."""
    plan = transposed(kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    rank, steps = plan.rank, plan.strides
    x = inputs if plan.channels_last else transpose(inputs, (0, *range(2, rank + 2), 1))
    batch, *sizes, _ = shape_of(x)
    mode = _mode(plan)
    length = plan.output(sizes) if mode else plan.covered(sizes)
    kernel = spread_kernel(kernel, plan.dilation)
    if rank == 1:
        x, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
        steps, length = (1, *steps), (1, *length)
    backward = raw.Conv3DBackpropInputV2 if rank == 3 else raw.Conv2DBackpropInput
    y = backward(
        input_sizes=ints([batch, *length, kernel.shape[-2]]),
        filter=kernel,
        out_backprop=x,
        strides=[1, *steps, 1],
        padding=mode or "VALID",
    )
    y = tf.squeeze(y, 1) if rank == 1 else y
    if not mode:
        y = pad(y, [(0, 0), *((0, m) for m in plan.missing), (0, 0)])
        cut = [slice(b, b + n) for b, n in zip(plan.before, plan.output(sizes), strict=True)]
        y = y[(slice(None), *cut)]
    return y if plan.channels_last else transpose(y, (0, rank + 1, *range(1, rank + 1)))


_RESIZERS = {
    "bilinear": "triangle", "bicubic": "keyscubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip
_RESIZED = (tf.uint8, tf.float16, tf.bfloat16, tf.float32)


def _last(data_format: str | None) -> bool:
    return config.standardize_data_format(data_format) == "channels_last"


def resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    special = crop_to_aspect_ratio or pad_to_aspect_ratio or fill_mode != "constant"
    kind = _RESIZERS.get(interpolation)
    fits = images.shape.rank == 4 and images.dtype in _RESIZED and _last(data_format)
    if special or kind is None or not fits:
        return body_of("resize")(
            images, size, interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio,
            fill_mode, fill_value, data_format,
        )  # fmt: skip
    x = as_dtype(images, tf.float32)
    if interpolation == "bilinear" and not antialias:
        y = raw.ResizeBilinear(images=x, size=ints(size), half_pixel_centers=True)
    else:
        y = raw.ScaleAndTranslate(
            images=x, size=ints(size), translation=tf.zeros(2), kernel_type=kind,
            scale=tf.cast(ints(size) / ints(shape_of(x)[1:3]), tf.float32), antialias=antialias,
        )  # fmt: skip
    if images.dtype == tf.uint8:
        y = tf.clip_by_value(tf.round(y), 0, 255)
    return as_dtype(y, images.dtype)


def _blocks(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
        if not _last(data_format):
            return body_of(name)(x, block_size, data_format)
        return function(input=x, block_size=block_size)

    return kernel


KERNELS: dict[str, Callable[..., Any]] = {
    "conv_transpose": conv_transpose,
    "resize": resize,
    "depth_to_space": _blocks("depth_to_space", raw.DepthToSpace),
    "space_to_depth": _blocks("space_to_depth", raw.SpaceToDepth),
}
