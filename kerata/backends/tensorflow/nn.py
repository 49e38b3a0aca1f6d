"""TensorFlow's kernels of neural networks: convolution, pooling, and composites it does faster."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from kerata.backends import dtypes
from kerata.backends.geometry import window
from kerata.backends.state import body_of
from kerata.backends.tensorflow.arrays import pad
from kerata.backends.tensorflow.kernels import (
    as_dtype,
    binary,
    in_xla,
    raw,
    reshape,
    shape_of,
    transpose,
    unary,
    volume,
    widened,
)  # fmt: skip

# Convolution and pooling, channels last, with one axis as (1, length)


def _channels_last(x: Any, plan: Any) -> Any:
    return x if plan.channels_last else transpose(x, (0, *range(2, plan.rank + 2), 1))


def _placed(y: Any, plan: Any) -> Any:
    return y if plan.channels_last else transpose(y, (0, plan.rank + 1, *range(1, plan.rank + 1)))


@functools.cache
def _full_convolution() -> bool:
    """Whether `Conv2D` can be differentiated with dilation and groups (oneDNN, cuDNN)."""
    with tf.init_scope():
        try:
            raw.Conv2DBackpropInput(
                input_sizes=[1, 3, 3, 2], filter=tf.ones((2, 2, 1, 2)),
                out_backprop=tf.ones((1, 1, 1, 2)), strides=[1] * 4, padding="VALID",
                dilations=[1, 2, 2, 1],
            )  # fmt: skip
        except tf.errors.OpError:
            return False
        return True


def spread_kernel(kernel: Any, rates: Sequence[int]) -> Any:
    """`kernel` with zeros between its elements, which dilates a convolution by `rates`."""
    for axis, rate in enumerate(rates):
        if rate > 1:
            sizes = list(kernel.shape)
            pairs = [(0, 0)] * (len(sizes) + 1)
            pairs[axis + 1] = (0, rate - 1)
            kernel = pad(tf.expand_dims(kernel, axis + 1), pairs)
            sizes[axis] *= rate
            kernel = reshape(kernel, sizes)
            kernel = tf.split(kernel, [sizes[axis] - rate + 1, rate - 1], axis)[0]
    return kernel


def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    *size, depth, filters = kernel.shape
    plan = window(inputs.shape.rank, tuple(size), strides, padding, data_format, dilation_rate)
    plan.check(inputs.shape)
    x = _channels_last(inputs, plan)
    groups, steps, rates = x.shape[-1] // depth, plan.strides, plan.dilation
    if plan.rank == 1:
        x, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
        steps, rates = steps * 2, (1, *rates)
    fast = plan.rank < 3 and x.dtype != tf.float64 and _full_convolution()
    separate = depth == 1 < groups and plan.rank < 3 and len(set(steps)) == 1
    if separate or not fast:
        kernel, rates = spread_kernel(kernel, rates), (1,) * len(rates)
    options = {
        "strides": [1, *steps, 1],
        "padding": "SAME" if plan.same else "VALID",
        "dilations": [1, *rates, 1],
    }
    one = raw.Conv3D if plan.rank == 3 else raw.Conv2D
    if separate:
        weights = reshape(kernel, (*kernel.shape[:-2], groups, filters // groups))
        y = raw.DepthwiseConv2dNative(input=x, filter=weights, **options)
    elif groups == 1 or fast:
        y = one(input=x, filter=kernel, **options)
    else:
        pairs = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
        y = tf.concat([one(input=a, filter=b, **options) for a, b in pairs], -1)
    return _placed(tf.squeeze(y, 1) if plan.rank == 1 else y, plan)


def _pool(function: Callable[..., Any], x: Any, plan: Any) -> Any:
    """Pooling over two axes; over three by pooling two of them, then the other."""

    def over(x: Any, size: Sequence[int], strides: Sequence[int]) -> Any:
        padding = "SAME" if plan.same else "VALID"
        return function(x, ksize=[1, *size, 1], strides=[1, *strides, 1], padding=padding)

    plan.check(x.shape)
    x = _channels_last(x, plan)
    if plan.rank == 1:
        y = tf.squeeze(over(tf.expand_dims(x, 1), (1, *plan.size), (1, *plan.strides)), 1)
    elif plan.rank == 2:
        y = over(x, plan.size, plan.strides)
    else:
        batch, length, *sizes, channels = shape_of(x)
        y = over(reshape(x, (batch * length, *sizes, channels)), plan.size[1:], plan.strides[1:])
        rows, columns = shape_of(y)[1:3]
        y = reshape(y, (batch, length, rows * columns, channels))
        y = over(y, (plan.size[0], 1), (plan.strides[0], 1))
        y = reshape(y, (batch, shape_of(y)[1], rows, columns, channels))
    return _placed(y, plan)


def _pooling(function: Callable[..., Any], **wider: str) -> Callable[..., Any]:
    def kernel(
        inputs: Any,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> Any:
        plan = window(inputs.shape.rank, pool_size, strides, padding, data_format)
        return _pool(function, inputs, plan)

    return widened(kernel, **wider)


# Composites


def _checked(function: Callable[..., Any], integers: bool) -> Callable[[Any], Any]:
    """A test of floats that integers pass or not."""

    def kernel(x: Any) -> Any:
        return function(x=x) if x.dtype.is_floating else tf.fill(tf.shape(x), integers)

    return kernel


def _activation(function: Callable[..., Any], **options: float) -> Callable[[Any], Any]:
    return lambda x: function(features=x, **options)


def relu(x: Any) -> Any:
    if tf.executing_eagerly():
        return raw.Relu(features=x)
    return _maximum(x) if in_xla() or not x.dtype.is_floating else _relu(x)


def _maximum(x: Any) -> Any:
    # `Relu` that the graph optimizer fuses with a product turns NaN into 0. With the 0 in front,
    # the gradient where they are equal goes to it.
    return raw.Maximum(x=tf.zeros((), x.dtype), y=x)


@tf.custom_gradient
def _relu(x: Any) -> Any:
    """With a gradient many times as fast; XLA makes both alike, and this one lose NaN."""
    y = _maximum(x)
    return y, lambda upstream: raw.ReluGrad(gradients=upstream, features=y)


def relu6(x: Any) -> Any:
    return raw.Minimum(x=tf.constant(6, x.dtype), y=relu(x))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    return raw.LeakyRelu(features=x, alpha=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    y = raw.Elu(features=x)
    return y if alpha == 1.0 else tf.where(x > 0, y, y * alpha)


def _last_axis(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for the last axis only."""

    def kernel(x: Any, axis: Any = -1) -> Any:
        if axis == -1 or axis == x.shape.rank - 1:
            return function(logits=x)
        return body_of(name)(x, axis)

    return kernel


def square(x: Any) -> Any:
    return raw.Square(x=as_dtype(x, tf.int32) if x.dtype == tf.bool else x)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    plain = isinstance(x_min, (int, float)) and isinstance(x_max, (int, float))
    if not plain or not x.dtype.is_floating:
        return body_of("clip")(x, x_min, x_max)
    return raw.ClipByValue(t=x, clip_value_min=x_min, clip_value_max=x_max)


def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    if x.dtype not in (tf.int32, tf.int64, tf.uint8, tf.int8):
        return body_of("one_hot")(x, num_classes, axis, dtype)
    kind = tf.as_dtype(dtypes.standardize_dtype(dtype))
    on, off = tf.ones((), kind), tf.zeros((), kind)
    return raw.OneHot(indices=x, depth=num_classes, on_value=on, off_value=off, axis=axis)


def add_bias(x: Any, bias: Any) -> Any:
    """Its gradient sums over all axes but the last many times as fast as that of a sum."""
    fits = x.dtype.is_floating and x.shape.rank > 1 and bias.shape.rank == 1
    if not fits or x.shape[-1] is None or x.shape[-1] != bias.shape[0]:
        return body_of("add_bias")(x, bias)
    return raw.BiasAdd(value=x, bias=bias)


def batch_normalization_training(
    x: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    rank, channels = x.shape.rank, x.shape[-1:]
    fits = rank > 2 and axis in (-1, rank - 1) and x.dtype == tf.float32
    if not fits or epsilon <= 1.001e-5:  # cuDNN asks for more
        return body_of("batch_normalization_training")(x, axis, offset, scale, epsilon)
    y, mean, variance, *_ = raw.FusedBatchNormV3(
        x=x if rank == 4 else reshape(x, (-1, 1, 1, *channels)),
        scale=tf.ones(channels) if scale is None else scale,
        offset=tf.zeros(channels) if offset is None else offset,
        mean=tf.zeros((0,)),
        variance=tf.zeros((0,)),
        epsilon=epsilon,
        is_training=True,
    )
    count = tf.cast(volume(shape_of(x)[:-1]), tf.float32)
    variance *= (count - 1.0) / count  # TensorFlow's is the unbiased one
    y = y if rank == 4 else reshape(y, shape_of(x))
    return y, tf.stop_gradient(mean), tf.stop_gradient(variance)


def sum_over_replicas(x: Any) -> Any:
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return x
    return context.all_reduce(tf.distribute.ReduceOp.SUM, x)


_max_pool = _pooling(lambda x, **plan: raw.MaxPool(input=x, **plan), bool="int32", uint32="int64")
_average_pool = _pooling(
    lambda x, **plan: raw.AvgPool(value=x, **plan), **dict.fromkeys(dtypes.INTEGERS, "float32")
)
KERNELS: dict[str, Callable[..., Any]] = {
    "conv": conv, "max_pool": _max_pool, "average_pool": _average_pool,
    "relu": relu, "relu6": relu6, "leaky_relu": leaky_relu, "elu": elu,
    "selu": _activation(raw.Selu), "sigmoid": unary(raw.Sigmoid),
    "softplus": _activation(raw.Softplus), "softsign": _activation(raw.Softsign),
    "softmax": _last_axis("softmax", raw.Softmax),
    "log_softmax": _last_axis("log_softmax", raw.LogSoftmax), "clip": clip, "one_hot": one_hot,
    "add_bias": add_bias,
    "square": square, "reciprocal": unary(raw.Reciprocal),
    "divide": binary(raw.RealDiv), "divide_no_nan": binary(raw.DivNoNan),
    "isfinite": _checked(raw.IsFinite, True), "isinf": _checked(raw.IsInf, False),
    "batch_normalization_training": batch_normalization_training,
    "sum_over_replicas": sum_over_replicas,
}  # fmt: skip
