"""TensorFlow's kernels of the primitives."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple, cut_points, pad_pairs, summed

raw = tf.raw_ops
NAMES: dict[Any, str] = {tf.as_dtype(dtypes.numpy_dtype(n)): n for n in dtypes.ALL}
NAMES[tf.string] = "string"
HALF = (tf.float16, tf.bfloat16)

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
    return x if x.dtype == dtype else raw.Cast(x=x, DstT=dtype)


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


def floating(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """`function` of floats; integers are what they are."""
    return lambda x: function(x=x) if x.dtype.is_floating else x


def _by_kind(function: Callable[..., Any], logic: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Numbers by arithmetic, booleans by logic."""
    arithmetic = binary(function)

    def kernel(x1: Any, x2: Any) -> Any:
        if isinstance(x1, tf.Tensor) and x1.dtype == tf.bool:
            return logic(x=x1, y=x2)
        return arithmetic(x1, x2)

    return kernel


def _tensors(x1: Any, x2: Any) -> tuple[Any, Any]:
    dtype = x1.dtype if isinstance(x1, tf.Tensor) else x2.dtype
    return tf.convert_to_tensor(x1, dtype), tf.convert_to_tensor(x2, dtype)


def _division(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Integers divided by 0 give 0, as in NumPy."""

    def kernel(x1: Any, x2: Any) -> Any:
        x1, x2 = _tensors(x1, x2)
        if not x2.dtype.is_integer:
            return function(x1, x2)
        zero = raw.Equal(x=x2, y=tf.zeros((), x2.dtype))
        found = function(x1, tf.where(zero, tf.ones((), x2.dtype), x2))
        return tf.where(zero, tf.zeros((), x2.dtype), found)

    return kernel


def _floor_divide(x1: Any, x2: Any) -> Any:
    if x1.dtype.is_integer:
        return raw.FloorDiv(x=x1, y=x2)
    rest = raw.Mod(x=x1, y=x2)
    lower = (rest != 0) & ((rest < 0) != (x2 < 0))
    found = tf.round((x1 - rest) / x2 - tf.cast(lower, x1.dtype))
    return tf.where(raw.Equal(x=x2, y=0), x1 / x2, found)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    return raw.SelectV2(condition=as_dtype(condition, tf.bool), t=x1, e=x2)


def absolute(x: Any) -> Any:
    if x.dtype.is_complex:
        return tf.abs(x)
    return x if x.dtype.is_unsigned or x.dtype == tf.bool else raw.Abs(x=x)


def round_to(x: Any, decimals: int = 0) -> Any:
    if not decimals or (decimals > 0 and not x.dtype.is_floating):
        return floating(raw.Round)(x)
    if not x.dtype.is_floating:
        return as_dtype(round_to(as_dtype(x, tf.float64), decimals), x.dtype)
    scale = 10.0 ** abs(decimals)
    return raw.Round(x=x * scale) / scale if decimals > 0 else raw.Round(x=x / scale) * scale


def isnan(x: Any) -> Any:
    return raw.IsNan(x=x) if x.dtype.is_floating else raw.NotEqual(x=x, y=x)


def _truths(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda x1, x2: function(x=as_dtype(x1, tf.bool), y=as_dtype(x2, tf.bool))


def _compared(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Comparison of order; booleans as integers."""
    plain = binary(function)

    def kernel(x1: Any, x2: Any) -> Any:
        if isinstance(x1, tf.Tensor) and x1.dtype == tf.bool:
            x1, x2 = as_dtype(x1, tf.int32), tf.cast(x2, tf.int32)
        return plain(x1, x2)

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


def _extreme(function: Callable[..., Any], combine: Callable[..., Any]) -> Callable[..., Any]:
    reduce = _reduction(function)

    def kernel(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        found = reduce(x, axis, keepdims)
        return found if initial is None else combine(x=found, y=tf.cast(initial, x.dtype))

    return widened(kernel, bool="int32")


def _arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        flat, along = (tf.reshape(x, (-1,)), 0) if axis is None else (x, axis)
        found = function(input=flat, dimension=along, output_type=tf.int32)
        if x.dtype.is_floating:  # the first NaN counts as the extreme
            nan = raw.IsNan(x=flat)
            first = raw.ArgMax(input=nan, dimension=along, output_type=tf.int32)
            found = tf.where(raw.Any(input=nan, axis=along), first, found)
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


def _index(part: Any) -> Any:
    """An index as TensorFlow takes it."""
    if hasattr(type(part), "__kerata_value__"):
        return part.value
    if isinstance(part, np.integer):
        return int(part)
    if isinstance(part, (np.ndarray, list)):
        array = np.asarray(part)
        return tf.convert_to_tensor(array if array.size else array.astype(np.int32))
    return part


def _is_array(part: Any) -> bool:
    return isinstance(part, tf.Tensor) and (part.shape.rank != 0 or part.dtype == tf.bool)


def getitem(x: Any, key: Any) -> Any:
    parts = [_index(p) for p in (key if isinstance(key, tuple) else (key,))]
    if any(_is_array(p) for p in parts):
        return _gather_at(x, parts)
    return x[tuple(parts)]


def _gather_at(x: Any, parts: list[Any]) -> Any:
    """NumPy's advanced indexing: the indexed axes merged into one, then one gather."""
    places: list[Any] = []
    for part in parts:
        masked = isinstance(part, tf.Tensor) and part.dtype == tf.bool
        places += tf.unstack(tf.where(part), axis=1) if masked else [part]
    used = [p for p in places if p is not None and p is not Ellipsis]
    rest = [slice(None)] * (x.shape.rank - len(used))
    at = next((i for i, p in enumerate(places) if p is Ellipsis), len(places))
    places[at : at + 1] = rest
    found = [i for i, p in enumerate(places) if isinstance(p, (int, tf.Tensor))]
    indices = [tf.cast(places[i], tf.int32) for i in found]
    x = x[tuple(slice(None) if i in found else p for i, p in enumerate(places))]
    first, count = found[0], len(found)
    if found[-1] - first >= count:  # separated: the indexed axes come first
        others = [i for i in range(x.shape.rank) if i not in found]
        x, first = transpose(x, [*found, *others]), 0
    sizes, flat = shape_of(x), 0
    for index, size in zip(indices, sizes[first : first + count]):
        flat = flat * size + tf.where(index < 0, index + size, index)
    merged = (*sizes[:first], volume(sizes[first : first + count]), *sizes[first + count :])
    return raw.GatherV2(params=reshape(x, merged), indices=flat, axis=first)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    pairs = np.array(pad_pairs(pad_width, x.shape.rank), np.int32).reshape(-1, 2)
    if mode != "constant":
        return raw.MirrorPad(input=x, paddings=pairs, mode=mode.upper())
    fill = tf.cast(0 if constant_values is None else constant_values, x.dtype)
    return raw.PadV2(input=x, paddings=pairs, constant_values=fill)


def flip(x: Any, axis: Any = None) -> Any:
    return raw.ReverseV2(tensor=x, axis=ints(axes_tuple(axis, x.shape.rank)))


def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    sizes = list(shape_of(x))
    after = axis % len(sizes) + 1
    wide = broadcast_to(tf.expand_dims(x, after), [*sizes[:after], repeats, *sizes[after:]])
    sizes[after - 1] *= repeats
    return reshape(wide, sizes)


def tile(x: Any, repeats: Any) -> Any:
    times = list(repeats) if isinstance(repeats, (list, tuple)) else [repeats]
    missing = len(times) - x.shape.rank
    if missing > 0:
        x = expand_dims(x, tuple(range(missing)))
    return raw.Tile(input=x, multiples=ints([1] * -missing + times))


def _clipped(indices: Any, size: Any) -> Any:
    """Indices from the end made positive, others out of range moved to the nearest that exists."""
    if indices.dtype not in (tf.int32, tf.int64):
        indices = tf.cast(indices, tf.int64)
    size = tf.cast(size, indices.dtype)
    low = raw.ClipByValue(t=indices, clip_value_min=-size, clip_value_max=size - 1)
    return raw.FloorMod(x=low, y=size)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    return raw.GatherV2(params=x, indices=_clipped(indices, shape_of(x)[axis]), axis=axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        x, indices, axis = tf.reshape(x, (-1,)), tf.reshape(indices, (-1,)), 0
    rank, axis = x.shape.rank, axis % x.shape.rank
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
        params=x, indices=_clipped(indices, sizes[-1]), axis=rank - 1, batch_dims=rank - 1
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
    return as_dtype(tf.range(*(tf.cast(v, wide) for v in (first, last, by))), kind)


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
    dtype, wide = operands[0].dtype, SMALL.get(NAMES[operands[0].dtype])
    if wide is not None:
        return as_dtype(einsum(subscripts, *(as_dtype(o, wide) for o in operands)), dtype)
    if len(operands) <= 2 and "->" in subscripts:
        return raw.Einsum(inputs=operands, equation=subscripts.replace(" ", ""))
    return tf.einsum(subscripts, *operands)


# Random draws


def random_uniform(shape: Any, seed: Any, dtype: str = "float32") -> Any:
    return raw.StatelessRandomUniform(shape=size_vector(shape), seed=seed, dtype=dtype)


def random_normal(shape: Any, seed: Any, dtype: str = "float32") -> Any:
    return raw.StatelessRandomNormal(shape=size_vector(shape), seed=seed, dtype=dtype)


def random_randint(shape: Any, minval: Any, maxval: Any, seed: Any, dtype: str = "int32") -> Any:
    wide = "int64" if dtypes.size(dtype) > 4 or dtype == "uint32" else "int32"
    low, high = tf.cast(minval, wide), tf.cast(maxval, wide)
    sizes = size_vector(shape)
    draws = raw.StatelessRandomUniformInt(shape=sizes, seed=seed, minval=low, maxval=high)
    return as_dtype(draws, dtype)


def random_bernoulli(shape: Any, probability: float, seed: Any) -> Any:
    """Each 32 bits drawn serve for two."""
    limit = math.floor(min(probability, 1.0) * 65536 + 0.5) - 32769
    if limit < -32768:
        return raw.Fill(dims=size_vector(shape), value=False)
    count = volume(shape)
    half = ints([(count + 1) // 2])
    bits = raw.StatelessRandomUniformFullInt(shape=half, seed=seed, dtype=tf.int32)
    draws = reshape(raw.Bitcast(input=bits, type=tf.int16), (-1,))[:count]
    return reshape(raw.LessEqual(x=draws, y=tf.constant(limit, tf.int16)), shape)


_OWN = (
    cast, where, absolute, isnan, sum, prod, mean, cumsum, reshape, transpose, broadcast_to,
    expand_dims, squeeze, concatenate, stack, unstack, split, getitem, pad, flip, repeat, take,
    take_along_axis, arange, full, einsum, random_uniform, random_normal, random_randint,
    random_bernoulli,
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in _OWN},
    "add": _by_kind(raw.AddV2, raw.LogicalOr), "multiply": _by_kind(raw.Mul, raw.LogicalAnd),
    "subtract": binary(raw.Sub), "true_divide": binary(raw.RealDiv),
    "floor_divide": _division(_floor_divide), "mod": _division(binary(raw.FloorMod)),
    "power": widened(binary(raw.Pow), **UNSIGNED),
    "maximum": widened(binary(raw.Maximum), bool="int32"),
    "minimum": widened(binary(raw.Minimum), bool="int32"),
    "equal": binary(raw.Equal), "not_equal": binary(raw.NotEqual), "less": _compared(raw.Less),
    "less_equal": _compared(raw.LessEqual), "greater": _compared(raw.Greater),
    "greater_equal": _compared(raw.GreaterEqual), "logical_and": _truths(raw.LogicalAnd),
    "logical_or": _truths(raw.LogicalOr),
    "logical_not": lambda x: raw.LogicalNot(x=as_dtype(x, tf.bool)),
    "negative": widened(unary(raw.Neg), **UNSIGNED), "sign": widened(unary(raw.Sign), **UNSIGNED),
    "floor": floating(raw.Floor), "ceil": floating(raw.Ceil), "round": round_to,
    "exp": unary(raw.Exp), "expm1": unary(raw.Expm1), "log": unary(raw.Log),
    "log1p": unary(raw.Log1p),
    "sqrt": unary(raw.Sqrt), "rsqrt": unary(raw.Rsqrt), "sin": unary(raw.Sin),
    "cos": unary(raw.Cos), "tanh": unary(raw.Tanh), "erf": unary(raw.Erf),
    # In float32 TensorFlow's is 20 % off near 0.
    "erfinv": widened(unary(raw.Erfinv), **dict.fromkeys(dtypes.FLOATS[2:5], "float64")),
    "stop_gradient": lambda variable: raw.StopGradient(input=variable),
    "max": _extreme(raw.Max, raw.Maximum), "min": _extreme(raw.Min, raw.Minimum),
    "any": _truth(raw.Any), "all": _truth(raw.All), "argmax": _arg(raw.ArgMax),
    "argmin": _arg(raw.ArgMin), "tile": widened(tile, uint16="int32"),
    "matmul": widened(matmul, **SMALL),
}  # fmt: skip
