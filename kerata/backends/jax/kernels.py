"""JAX's kernels."""

from __future__ import annotations

import contextlib
import itertools
import math
import operator
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple, check_number, cut_points, summed, window
from kerata.backends.jax.spatial import depthwise
from kerata.backends.state import state

_name = dtypes.standardize_dtype


def native(dtype: Any) -> Any:
    """The dtype that JAX keeps for a name: 32 bits for 64 unless `jax_enable_x64` is set."""
    return jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(_name(dtype)))


def cast(x: Any, dtype: Any) -> Any:
    wanted = native(dtype)
    if x.dtype == wanted:
        return x
    if np.dtype(wanted).kind in "iu" and jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.trunc(x).astype(wanted)
    if np.dtype(wanted).kind == "b" and x.dtype.kind == "c":
        return x != 0
    return lax.convert_element_type(x, wanted)


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    # Given a dtype JAX adds up in it, half precision too.
    dtype = None if jnp.issubdtype(x.dtype, jnp.floating) else native(summed(_name(x.dtype)))
    return jnp.sum(x, _axis(axis), dtype=dtype, keepdims=keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    return jnp.prod(
        x, _axis(axis), dtype=native(dtype or summed(_name(x.dtype))), keepdims=keepdims
    )


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, keepdims=False: function(x, _axis(axis), keepdims=keepdims)


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        if x.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        return function(x, _axis(axis), keepdims=keepdims, initial=initial)

    return kernel


def _arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axis, keepdims=keepdims).astype(jnp.int32)

    return kernel


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return jnp.cumsum(x, axis, dtype=native(dtype or summed(_name(x.dtype))))


def expand_dims(x: Any, axis: Any) -> Any:
    added = 1 if isinstance(axis, int) else len(axis)
    return lax.expand_dims(x, axes_tuple(axis, x.ndim + added))


def squeeze(x: Any, axis: Any = None) -> Any:
    return jnp.squeeze(x, _axis(axis))


def transpose(x: Any, axes: Any = None) -> Any:
    return jnp.transpose(x, None if axes is None else tuple(axes))


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    check_number(num, x.shape[axis])
    return [lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    (place,) = axes_tuple(axis, x.ndim)
    cuts = [0, *cut_points(indices_or_sections, x.shape[place]), x.shape[place]]
    return [lax.slice_in_dim(x, a, max(a, b), axis=place) for a, b in itertools.pairwise(cuts)]


def flip(x: Any, axis: Any = None) -> Any:
    return lax.rev(x, axes_tuple(axis, x.ndim))


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    size = x.size if axis is None else x.shape[axis]
    return jnp.take(x, jnp.where(indices < 0, indices + size, indices), axis, mode="clip")


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        x, indices, axis = x.reshape(-1), indices.reshape(-1), 0
    places = jnp.where(indices < 0, indices + x.shape[axis], indices)
    return jnp.take_along_axis(x, places, axis, mode="clip")


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    ends = [v for v in (start, stop, step) if v is not None]
    kind = dtype or dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in ends))
    return jnp.arange(start, stop, step, dtype=native(kind))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return jnp.full(shape, fill_value, None if dtype is None else native(dtype))


_HALF = frozenset(dtypes.numpy_dtype(n) for n in dtypes.FLOATS if dtypes.size(n) < 4)


def _accumulating(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(*args: Any) -> Any:
        dtype = args[-1].dtype
        if dtype in _HALF:
            return function(*args, preferred_element_type=jnp.float32).astype(dtype)
        return function(*args)

    return kernel


_product = _accumulating(jnp.matmul)


def matmul(x1: Any, x2: Any) -> Any:
    """A product of more axes than two has a gradient that XLA makes slowly on a CPU."""
    traced = isinstance(x1, jax.core.Tracer) or isinstance(x2, jax.core.Tracer)
    if traced and x2.ndim == 2 < x1.ndim and jax.default_backend() == "cpu":
        rows = x1.reshape(math.prod(x1.shape[:-1]), x1.shape[-1])
        return _product(rows, x2).reshape(*x1.shape[:-1], x2.shape[-1])
    return _product(x1, x2)


def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    plan = window(inputs.ndim, kernel.shape[:-2], strides, padding, data_format, dilation_rate)
    plan.check(inputs.shape)
    space = "DHW"[-plan.rank :]
    layout = f"N{space}C" if plan.channels_last else f"NC{space}"
    channels = inputs.shape[-1 if plan.channels_last else 1]
    if channels == kernel.shape[-2] and _gains_by_views(inputs, kernel, plan):
        return _conv_of_views(inputs, kernel, plan)
    if kernel.shape[-2] == 1 < channels and _is_quick_depthwise(inputs, plan):
        return depthwise(inputs, kernel, plan)
    return lax.conv_general_dilated(
        inputs,
        kernel,
        plan.strides,
        plan.pads(plan.spatial(inputs.shape)),
        rhs_dilation=plan.dilation,
        dimension_numbers=(layout, f"{space}IO", layout),
        feature_group_count=channels // kernel.shape[-2],
    )


_MOST_VIEWED = 2**26  # elements of all shifted views of an input


class _Tracing(threading.local):
    loop = False


_tracing = _Tracing()


@contextlib.contextmanager
def inside_loop() -> Iterator[None]:
    """Around the tracing of a loop's body, whose convolutions then are matrix products."""
    before, _tracing.loop = _tracing.loop, True
    try:
        yield
    finally:
        _tracing.loop = before


def _gains_by_views(inputs: Any, kernel: Any, plan: Any) -> bool:
    """Whether a gradient is taken on a CPU by a convolution whose gradient XLA makes slowly there:
    of windows of one element it takes four times as long as that of a matrix product, and inside
    of a loop that of any window many times as long."""
    if not state.differentiating or jax.default_backend() != "cpu" or inputs.ndim != 4:
        return False
    if not _tracing.loop:
        return math.prod(plan.size) == 1
    places = inputs.shape[0] * int(np.prod(plan.output(plan.spatial(inputs.shape))))
    return places * int(np.prod(kernel.shape[:-1])) <= _MOST_VIEWED


_MOST_UNROLLED = 64  # elements of a window


def _is_quick_depthwise(inputs: Any, plan: Any) -> bool:
    floating = jnp.issubdtype(inputs.dtype, jnp.floating)
    return floating and jax.default_backend() == "cpu" and int(np.prod(plan.size)) <= _MOST_UNROLLED


def _conv_of_views(inputs: Any, kernel: Any, plan: Any) -> Any:
    """A convolution as one matrix product of the input's shifted views."""
    x = inputs if plan.channels_last else jnp.moveaxis(inputs, 1, -1)
    out = plan.output(x.shape[1:-1])
    x = jnp.pad(x, ((0, 0), *plan.pads(x.shape[1:-1]), (0, 0)))
    spans = [(n - 1) * s + 1 for n, s in zip(out, plan.strides, strict=True)]
    (dh, dw), (sh, sw) = plan.dilation, plan.strides
    views = [
        x[:, i * dh : i * dh + spans[0] : sh, j * dw : j * dw + spans[1] : sw]
        for i in range(plan.size[0])
        for j in range(plan.size[1])
    ]
    y = matmul(jnp.concatenate(views, axis=-1), kernel.reshape(-1, kernel.shape[-1]))
    return y if plan.channels_last else jnp.moveaxis(y, -1, 1)


_OWN = (
    cast, sum, prod, cumsum, expand_dims, squeeze, transpose, unstack, split, flip,
    take, take_along_axis, arange, full, matmul, conv,
)  # fmt: skip


def _softmax(x: Any, axis: Any = -1) -> Any:
    return jax.nn.softmax(x, _axis(axis))


KERNELS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in _OWN},
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "true_divide": operator.truediv, "floor_divide": operator.floordiv, "mod": operator.mod,
    "power": jnp.power, "maximum": jnp.maximum, "minimum": jnp.minimum,
    "equal": jnp.equal, "not_equal": jnp.not_equal, "less": jnp.less, "less_equal": jnp.less_equal,
    "greater": jnp.greater, "greater_equal": jnp.greater_equal, "logical_and": jnp.logical_and,
    "logical_or": jnp.logical_or, "logical_not": jnp.logical_not, "where": jnp.where,
    "negative": jnp.negative, "absolute": jnp.abs, "sign": jnp.sign, "floor": jnp.floor,
    "ceil": jnp.ceil, "round": jnp.round, "exp": lax.exp, "expm1": lax.expm1, "log": lax.log,
    "log1p": lax.log1p, "sqrt": lax.sqrt, "rsqrt": lax.rsqrt, "sin": lax.sin, "cos": lax.cos,
    "tanh": lax.tanh, "erf": lax.erf, "erfinv": lax.erf_inv, "isnan": jnp.isnan,
    "stop_gradient": lax.stop_gradient, "mean": _reduction(jnp.mean), "max": _extreme(jnp.max),
    "min": _extreme(jnp.min), "any": _reduction(jnp.any), "all": _reduction(jnp.all),
    "argmax": _arg(jnp.argmax), "argmin": _arg(jnp.argmin),
    "reshape": lambda x, newshape: jnp.reshape(x, newshape),
    "broadcast_to": lambda x, shape: jnp.broadcast_to(x, tuple(shape)),
    "concatenate": lambda xs, axis=0: lax.concatenate(xs, *axes_tuple(axis, xs[0].ndim)),
    "stack": lambda x, axis=0: jnp.stack(x, axis),
    "tile": lambda x, repeats: jnp.tile(x, repeats),
    "einsum": _accumulating(jnp.einsum), "softmax": _softmax,
    "relu": jax.nn.relu, "sigmoid": lax.logistic,
}  # fmt: skip
