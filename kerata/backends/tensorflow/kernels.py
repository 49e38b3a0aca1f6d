"""TensorFlow's kernels of the primitives."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple, cut_points, summed

raw = tf.raw_ops
NAMES: dict[Any, str] = {tf.as_dtype(dtypes.numpy_dtype(n)): n for n in dtypes.ALL}
NAMES[tf.string] = "string"
HALF = (tf.float16, tf.bfloat16)


def in_xla() -> bool:
    """Whether what is being traced is to be compiled by XLA, whatever it has."""
    if tf.executing_eagerly():
        return False
    return bool(GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()))


# Integers, sizes and dtypes


@functools.lru_cache(4096)
def _constant(values: tuple[int, ...]) -> Any:
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(values, tf.int32, (len(values),))


def ints(values: Sequence[Any]) -> Any:
    """A vector of sizes or axes, some of which may be scalar tensors."""
    if any(isinstance(v, tf.Tensor) for v in values):
        return tf.stack([tf.cast(v, tf.int32) for v in values])
    key = tuple(int(v) for v in values)
    return _constant(key) if tf.executing_eagerly() else np.array(key, np.int32)


def shape_of(x: Any) -> tuple[Any, ...]:
    """The sizes of `x`: ints, and scalar tensors where they are open."""
    sizes = tuple(x.shape)
    if None in sizes:
        dynamic = tf.shape(x)
        sizes = tuple(dynamic[i] if s is None else s for i, s in enumerate(sizes))
    return sizes


def size_vector(shape: Any) -> Any:
    if isinstance(shape, (list, tuple)):
        return ints(shape)
    return ints((shape,)) if not isinstance(shape, tf.Tensor) or not shape.shape.rank else shape


def volume(sizes: Sequence[Any]) -> Any:
    return functools.reduce(operator.mul, sizes, 1)


def _axes(x: Any, axis: Any) -> Any:
    return axis if isinstance(axis, int) else ints(axes_tuple(axis, x.shape.rank))


def as_dtype(x: Any, dtype: Any) -> Any:
    if x.dtype == dtype:
        return x
    if x.dtype.is_complex and dtype == tf.bool:
        return raw.NotEqual(x=x, y=tf.zeros((), x.dtype))
    return raw.Cast(x=x, DstT=dtype)


def cast(x: Any, dtype: Any) -> Any:
    return as_dtype(x, dtypes.standardize_dtype(dtype))


def widened(function: Callable[..., Any], **wider: str) -> Callable[..., Any]:
    """`function`, computed in a wider dtype and cast back where TensorFlow has no kernel."""
    table = {tf.as_dtype(n): tf.as_dtype(w) for n, w in wider.items()}

    @functools.wraps(function)
    def kernel(x: Any, *args: Any, **kwargs: Any) -> Any:
        wide = table.get(x.dtype) if isinstance(x, tf.Tensor) else table.get(args[0].dtype)
        if wide is None:
            return function(x, *args, **kwargs)
        dtype = x.dtype if isinstance(x, tf.Tensor) else args[0].dtype
        given = [as_dtype(a, wide) if isinstance(a, tf.Tensor) else a for a in (x, *args)]
        return as_dtype(function(*given, **kwargs), dtype)

    return kernel


UNSIGNED = {"uint8": "int64", "uint16": "int64", "uint32": "int64", "uint64": "int64"}
SMALL = {"bool": "int32", "int8": "int32", "int16": "int32", **UNSIGNED}

# Elementwise


def unary(function: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: function(x=x)


def binary(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def kernel(x1: Any, x2: Any) -> Any:
        if not isinstance(x1, tf.Tensor):
            x1 = tf.constant(x1, x2.dtype)
        return function(x=x1, y=x2)

    return kernel


# Reductions


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(input=x, axis=_axes(x, axis), keep_dims=keepdims)

    return kernel


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    half = x.dtype in HALF
    wide = as_dtype(x, tf.float32 if half else summed(NAMES[x.dtype]))
    total = raw.Sum(input=wide, axis=_axes(x, axis), keep_dims=keepdims)
    return as_dtype(total, x.dtype) if half else total


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    kind = summed(NAMES[x.dtype]) if dtype is None else dtypes.standardize_dtype(dtype)
    return raw.Prod(input=as_dtype(x, kind), axis=_axes(x, axis), keep_dims=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    wide = as_dtype(x, tf.float32) if x.dtype in HALF else x
    return as_dtype(raw.Mean(input=wide, axis=_axes(x, axis), keep_dims=keepdims), x.dtype)


def _truth(function: Callable[..., Any]) -> Callable[..., Any]:
    reduce = _reduction(function)

    def kernel(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return reduce(as_dtype(x, tf.bool), axis, keepdims)

    return kernel


def _refuse_nothing(shape: Any, axis: Any) -> None:
    if any(shape[a] == 0 for a in axes_tuple(axis, shape.rank)):
        raise ValueError("there is nothing to reduce")


def _extreme(function: Callable[..., Any], combine: Callable[..., Any]) -> Callable[..., Any]:
    reduce = _reduction(function)

    def kernel(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        if initial is None and x.shape.num_elements() == 0:
            _refuse_nothing(x.shape, axis)
        found = reduce(x, axis, keepdims)
        return found if initial is None else combine(x=found, y=tf.cast(initial, x.dtype))

    return widened(kernel, bool="int32")


def _first_nan(x: Any, axis: int, found: Any) -> Any:
    """`found`, the places of extremes along an axis; where there are NaN, the first one's."""
    nan = raw.IsNan(x=raw.Max(input=x, axis=axis))

    def among_nan() -> Any:
        first = raw.ArgMax(input=raw.IsNan(x=x), dimension=axis, output_type=tf.int32)
        return tf.where(nan, first, found)

    some = raw.Any(input=nan, axis=range(nan.shape.rank))
    if tf.executing_eagerly():
        return among_nan() if some else found
    return tf.cond(some, among_nan, lambda: found)


def _arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        flat, along = (tf.reshape(x, (-1,)), 0) if axis is None else (x, axis)
        found = function(input=flat, dimension=along, output_type=tf.int32)
        if x.dtype.is_floating:
            found = _first_nan(flat, along, found)
        if not keepdims:
            return found
        return expand_dims(found, tuple(range(x.shape.rank)) if axis is None else axis)

    return kernel


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    kind = summed(NAMES[x.dtype]) if dtype is None else dtypes.standardize_dtype(dtype)
    flat, along = (tf.reshape(x, (-1,)), 0) if axis is None else (x, axis)
    wide = tf.float32 if tf.as_dtype(kind) in HALF else kind
    return as_dtype(raw.Cumsum(x=as_dtype(flat, wide), axis=along), kind)


# Shaping


def reshape(x: Any, newshape: Any) -> Any:
    return raw.Reshape(tensor=x, shape=size_vector(newshape))


def transpose(x: Any, axes: Any = None) -> Any:
    rank = x.shape.rank
    order = range(rank)[::-1] if axes is None else [a % rank for a in axes]
    return raw.Transpose(x=x, perm=ints(order))


def broadcast_to(x: Any, shape: Any) -> Any:
    return raw.BroadcastTo(input=x, shape=size_vector(shape))


def expand_dims(x: Any, axis: Any) -> Any:
    if isinstance(axis, int):
        return raw.ExpandDims(input=x, axis=axis)
    for a in sorted(axes_tuple(axis, x.shape.rank + len(axis))):
        x = raw.ExpandDims(input=x, axis=a)
    return x


def squeeze(x: Any, axis: Any = None) -> Any:
    axes = [] if axis is None else list(axes_tuple(axis, x.shape.rank))
    return x if axis is not None and not axes else raw.Squeeze(input=x, axis=axes)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    return raw.ConcatV2(values=xs, axis=axis) if len(xs) > 1 else xs[0]


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    return raw.Pack(values=x, axis=axis)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    return raw.Unpack(value=x, num=x.shape[axis] if num is None else num, axis=axis)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    size = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if size is not None:
            cut_points(indices_or_sections, size)
        return raw.Split(axis=axis, value=x, num_split=indices_or_sections)
    if size is None:
        size = shape_of(x)[axis]
        points = [i if i >= 0 else size + i for i in indices_or_sections]
    else:
        points = cut_points(indices_or_sections, size)
        if points != sorted(points):
            before = (slice(None),) * (axis % x.shape.rank)
            return [x[(*before, slice(a, b))] for a, b in itertools.pairwise([0, *points, size])]
    parts = [b - a for a, b in itertools.pairwise([0, *points, size])]
    return raw.SplitV(value=x, size_splits=ints(parts), axis=axis, num_split=len(parts))


def flip(x: Any, axis: Any = None) -> Any:
    return raw.ReverseV2(tensor=x, axis=ints(axes_tuple(axis, x.shape.rank)))


def tile(x: Any, repeats: Any) -> Any:
    times = list(repeats) if isinstance(repeats, (list, tuple)) else [repeats]
    missing = len(times) - x.shape.rank
    if missing > 0:
        x = expand_dims(x, tuple(range(missing)))
    return raw.Tile(input=x, multiples=ints([1] * -missing + times))


def clipped(indices: Any, size: Any) -> Any:
    """Indices from the end made positive, others out of range moved to the nearest that exists."""
    if indices.dtype not in (tf.int32, tf.int64):
        indices = tf.cast(indices, tf.int64)
    size = tf.cast(size, indices.dtype)
    low = raw.ClipByValue(t=indices, clip_value_min=-size, clip_value_max=size - 1)
    return raw.FloorMod(x=low, y=size)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    return raw.GatherV2(params=x, indices=clipped(indices, shape_of(x)[axis]), axis=axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        x, indices, axis = tf.reshape(x, (-1,)), tf.reshape(indices, (-1,)), 0
    rank, (axis,) = x.shape.rank, axes_tuple(axis, x.shape.rank)
    if indices.shape.rank != rank:
        raise ValueError(f"{rank} axes, and {indices.shape.rank} of the indices")
    order = [*(a for a in range(rank) if a != axis), axis]
    if axis != rank - 1:
        x, indices = transpose(x, order), transpose(indices, order)
    sizes, wanted = shape_of(x), shape_of(indices)
    outer = x.shape[:-1]
    if not outer.is_fully_defined() or outer != indices.shape[:-1]:
        outer = tf.broadcast_dynamic_shape(ints(sizes[:-1]), ints(wanted[:-1]))
        x = tf.broadcast_to(x, tf.concat([outer, ints(sizes[-1:])], 0))
        indices = tf.broadcast_to(indices, tf.concat([outer, ints(wanted[-1:])], 0))
    found = raw.GatherV2(
        params=x, indices=clipped(indices, sizes[-1]), axis=rank - 1, batch_dims=rank - 1
    )
    return found if axis == rank - 1 else transpose(found, np.argsort(order).tolist())


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    ends = [v for v in (start, stop, step) if v is not None]
    kind = dtypes.standardize_dtype(
        dtype or dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in ends))
    )
    first, last = (0, start) if stop is None else (start, stop)
    by = 1 if step is None else step
    if not any(isinstance(v, tf.Tensor) for v in ends):
        return tf.constant(np.arange(first, last, by).astype(dtypes.numpy_dtype(kind)))
    wide = kind if kind in ("int32", "int64", "float32", "float64") else "int32"
    first, last, by = (tf.cast(v, wide) for v in (first, last, by))
    last = tf.where((last - first) * by < 0, first, last)  # empty, where tf.range is an error
    return as_dtype(tf.range(first, last, by), kind)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    value = fill_value if dtype is None else cast(fill_value, dtype)
    return raw.BroadcastTo(input=value, shape=size_vector(shape))


# Products


def matmul(x1: Any, x2: Any) -> Any:
    r1, r2 = x1.shape.rank, x2.shape.rank
    if r1 == 1:
        return tf.squeeze(matmul(x1[None], x2), -1 if r2 == 1 else -2)
    if r2 == 1:
        return tf.squeeze(matmul(x1, x2[:, None]), -1)
    if r1 == r2 == 2:
        return raw.MatMul(a=x1, b=x2)
    if r2 > 2:
        return raw.BatchMatMulV2(x=x1, y=x2)
    *outer, inner = shape_of(x1)
    flat = raw.MatMul(a=reshape(x1, (volume(outer), inner)), b=x2)
    return reshape(flat, (*outer, shape_of(x2)[-1]))


def einsum(subscripts: str, *operands: Any) -> Any:
    dtype = operands[0].dtype
    wide = tf.float32 if dtype in HALF else SMALL.get(NAMES[dtype])
    if wide is not None:
        return as_dtype(einsum(subscripts, *(as_dtype(o, wide) for o in operands)), dtype)
    subscripts, extra = _broadcast_letters(subscripts, tuple(tuple(o.shape) for o in operands))
    operands = tuple(squeeze(o, a) if a else o for o, a in zip(operands, extra, strict=False))
    if len(operands) <= 2 and "->" in subscripts:
        return raw.Einsum(inputs=operands, equation=subscripts)
    return tf.einsum(subscripts, *operands)


@functools.lru_cache(4096)
def _broadcast_letters(subscripts: str, shapes: tuple[Any, ...]) -> tuple[str, Any]:
    """The subscripts without axes of size 1 that broadcast with others, and these axes.

    NumPy lets them broadcast, TensorFlow does not.
    """
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    terms = left.split(",")
    sized = [
        [(c, a, shape[a]) for c, a in _places(term)]
        for term, shape in zip(terms, shapes, strict=True)
    ]
    if arrow and not set(out.replace("...", "")) <= set(left):
        raise ValueError(f"{subscripts!r} names axes that no operand has")
    large = {c for places in sized for c, _, size in places if size != 1}
    single = [[(c, a) for c, a, size in p if size == 1 and c in large] for p in sized]
    if not arrow or not any(single):
        return text, ((),) * len(shapes)
    kept = [
        "".join(c for c in term if c not in dict(gone))
        for term, gone in zip(terms, single, strict=True)
    ]
    return f"{','.join(kept)}->{out}", [[a for _, a in gone] for gone in single]


def _places(term: str) -> list[tuple[str, int]]:
    """The letters of an operand and their axes, counted from the end after an ellipsis."""
    dots = term.find("...") % (len(term) + 1)
    return [(c, i if i < dots else i - len(term)) for i, c in enumerate(term) if c != "."]


_OWN = (
    sum, prod, mean, cumsum, reshape, transpose, broadcast_to,
    expand_dims, squeeze, concatenate, stack, unstack, split, flip, take,
    take_along_axis, arange, full, einsum,
   
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in _OWN},
    "max": _extreme(raw.Max, raw.Maximum), "min": _extreme(raw.Min, raw.Minimum),
    "any": _truth(raw.Any), "all": _truth(raw.All), "argmax": _arg(raw.ArgMax),
    "argmin": _arg(raw.ArgMin), "tile": widened(tile, uint16="int32"),
    "matmul": widened(matmul, **SMALL),
}  # fmt: skip
