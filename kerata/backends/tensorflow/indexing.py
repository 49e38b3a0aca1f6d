"""TensorFlow's kernels for sorting, picking and placing elements."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from kerata.backends.geometry import axes_tuple
from kerata.backends.keys import axes_of, check_ints, is_array, is_basic, is_mask, parts_of
from kerata.backends.slices import slice_plan
from kerata.backends.state import body_of
from kerata.backends.tensorflow.elements import where as _where
from kerata.backends.tensorflow.kernels import KERNELS as PRIMITIVES
from kerata.backends.tensorflow.kernels import (
    NAMES,
    as_dtype,
    clipped,
    ints,
    raw,
    reshape,
    shape_of,
    transpose,
    volume,
)

# Order

_SMALL = ("bool", "uint8", "uint16", "int8", "int16")


def _ordered(x: Any) -> Any:
    """Integers (int32 or int64) in the order of `x`: NaN last, -0.0 and 0.0 equal."""
    name = NAMES[x.dtype]
    if name == "uint64":
        return raw.Bitcast(input=x, type=tf.int64) ^ tf.int64.min
    if name in _SMALL or name == "uint32":
        return as_dtype(x, tf.int64 if name == "uint32" else tf.int32)
    if not x.dtype.is_floating:
        return x
    kind = tf.int64 if name == "float64" else tf.int32
    wide = x if name == "float64" else as_dtype(x, tf.float32)
    bits = raw.Bitcast(input=wide, type=kind)
    bits = tf.where(bits < 0, bits ^ kind.max, bits)
    bits = tf.where(wide == 0, tf.zeros((), kind), bits)
    return tf.where(raw.IsNan(x=wide), tf.constant(kind.max), bits)


def _largest(order: Any, k: Any) -> Any:
    """The places of the `k` largest numbers, the first of equal ones first."""
    return raw.TopKV2(input=order, k=k, sorted=True).indices


def argsort(x: Any, axis: int | None = -1) -> Any:
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis)
    (axis,), last = axes_tuple(axis, x.shape.rank), x.shape.rank - 1
    falling = raw.Invert(x=_ordered(x))
    swap = [*range(axis), *range(axis + 1, last + 1), axis]
    if axis == last:
        return _largest(falling, shape_of(x)[-1])
    found = _largest(transpose(falling, swap), shape_of(x)[axis])
    return transpose(found, [*range(axis), last, *range(axis, last)])


def _holds_nan(x: Any) -> Any:
    """Whether there is one, by the largest elements: a bool, or a tensor in a graph."""
    found = raw.Any(input=raw.IsNan(x=raw.Max(input=x, axis=-1)), axis=range(x.shape.rank - 1))
    return bool(found) if tf.executing_eagerly() else found


def _unless_nan(x: Any, plain: Callable[[], Any], ordered: Callable[[], Any]) -> Any:
    """`plain()`, or `ordered()` where TensorFlow's own order of `x` is not ours."""
    if x.dtype not in (tf.float32, tf.float64) or not x.shape.rank or x.shape[-1] == 0:
        return ordered()
    nan = _holds_nan(x)
    return (
        tf.cond(nan, ordered, plain)
        if isinstance(nan, tf.Tensor)
        else (ordered() if nan else plain())
    )


def sort(x: Any, axis: int | None = -1) -> Any:
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis)
    return _unless_nan(x, lambda: tf.sort(x, axis), lambda: body_of("sort")(x, axis))


def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    places = _unless_nan(x, lambda: _largest(x, k), lambda: _largest(_ordered(x), k))
    return PRIMITIVES["take_along_axis"](x, places, -1), places


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    find = {"left": raw.LowerBound, "right": raw.UpperBound}[side]
    row, sought = _ordered(sorted_sequence)[None], reshape(_ordered(values), (1, -1))
    found = find(sorted_inputs=row, values=sought, out_type=tf.int32)
    return reshape(found, shape_of(values))


# Places


def getitem(x: Any, key: Any) -> Any:
    if is_basic(key):
        return x[key]
    parts = [_tensor(p) for p in parts_of(key)]
    check_ints(parts, axes_of(parts, x.shape.rank), x.shape)
    return _gather_at(x, parts) if any(map(is_array, parts)) else x[tuple(parts)]


def _tensor(part: Any) -> Any:
    """An entry of a key as TensorFlow takes it: what it knows of arrays and ends are tensors."""
    if isinstance(part, builtins.slice):
        ends = (part.start, part.stop, part.step)
        return builtins.slice(
            *(tf.cast(v, tf.int32) if isinstance(v, tf.Tensor) else v for v in ends)
        )
    return tf.convert_to_tensor(part) if is_array(part) else part


def _gather_at(x: Any, parts: list[Any]) -> Any:
    """NumPy's advanced indexing: the indexed axes merged into one, then one gather."""
    places: list[Any] = []
    for part, axis in zip(parts, axes_of(parts, x.shape.rank), strict=True):
        if part is Ellipsis:
            taken = sum(len(p.shape) if is_mask(p) else 1 for p in parts if p is not None)
            places += [builtins.slice(None)] * (x.shape.rank - taken + 1)
        elif is_mask(part):
            part.shape.assert_is_compatible_with(x.shape[axis : axis + part.shape.rank])
            places += tf.unstack(tf.where(part), part.shape.rank, axis=1)
        else:
            places.append(part)
    found = [i for i, p in enumerate(places) if isinstance(p, (int, tf.Tensor))]
    x = x[tuple(builtins.slice(None) if i in found else p for i, p in enumerate(places))]
    first, count = found[0], len(found)
    where = [i for i, p in enumerate(parts) if isinstance(p, (int, tf.Tensor))]
    if where[-1] - where[0] >= len(where):  # separated: the indexed axes come first
        others = [i for i in range(x.shape.rank) if i not in found]
        x, first = transpose(x, [*found, *others]), 0
    sizes, flat = shape_of(x), 0
    for i, size in zip(found, sizes[first : first + count], strict=True):
        flat = flat * size + as_dtype(clipped(tf.convert_to_tensor(places[i]), size), tf.int32)
    merged = (*sizes[:first], volume(sizes[first : first + count]), *sizes[first + count :])
    return raw.GatherV2(params=reshape(x, merged), indices=flat, axis=first)


def nonzero(x: Any) -> Any:
    rank = len(x.shape)
    if not rank:
        raise ValueError("no axis")
    places = as_dtype(raw.Where(condition=as_dtype(x, tf.bool)), tf.int32)
    return tuple(tf.unstack(places, rank, axis=1))


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    return nonzero(condition) if x1 is None and x2 is None else _where(condition, x1, x2)


def _fitted(sizes: Any, starts: Any, lengths: Any) -> list[Any]:
    """Starts, ints and int32 tensors, from which the slice lies inside."""
    fitted: list[Any] = []
    for size, start, length in zip(sizes, starts, lengths, strict=True):
        if isinstance(start, int) and isinstance(size, int) and isinstance(length, int):
            fitted.append(start)
            continue
        start = tf.cast(start, tf.int32)
        start = tf.where(start < 0, start + size, start)
        fitted.append(tf.minimum(tf.maximum(start, 0), size - length))
    return fitted


def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    sizes = shape_of(inputs)
    starts, lengths = slice_plan(sizes, start_indices, shape)
    return raw.Slice(input=inputs, begin=ints(_fitted(sizes, starts, lengths)), size=ints(lengths))


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """A gather from `updates` along each axis that it fills in part, and a choice."""
    sizes, lengths = shape_of(inputs), shape_of(updates)
    starts, _ = slice_plan(sizes, start_indices, lengths)
    updates, inside = as_dtype(updates, inputs.dtype), tf.constant(True)
    rows = zip(sizes, _fitted(sizes, starts, lengths), lengths, strict=True)
    for axis, (size, start, length) in enumerate(rows):
        if isinstance(size, int) and isinstance(length, int) and size == length:
            continue
        places = tf.range(size) - start
        column = reshape(places, (-1,) + (1,) * (inputs.shape.rank - 1 - axis))
        inside = inside & (column >= 0) & (column < length)
        updates = PRIMITIVES["take"](updates, tf.maximum(places, 0), axis)
    return raw.SelectV2(condition=inside, t=updates, e=inputs)


_SCATTERED_AS = {
    "bool": "int32", "int8": "int32", "int16": "int32", "uint8": "int32", "uint16": "int32",
    "uint32": "int64", "float16": "float32", "bfloat16": "float32", "float8_e4m3fn": "float32",
    "float8_e5m2": "float32",
}  # fmt: skip
_EXTREMES = {"max": raw.TensorScatterMax, "min": raw.TensorScatterMin}
_LOGICAL: dict[str | None, str] = {"add": "max", "mul": "min"}


def _flat_places(indices: Any, sizes: Sequence[Any]) -> Any:
    """Places in the flattened axes of these `sizes`; -1 for what lies outside."""
    flat, inside = tf.constant(0, tf.int64), tf.constant(True)
    for i, n in zip(tf.unstack(indices, len(sizes), axis=-1), sizes, strict=True):
        size = tf.cast(n, tf.int64)
        place = tf.cast(i, tf.int64)
        place = tf.where(place < 0, place + size, place)
        flat, inside = flat * size + place, inside & (place >= 0) & (place < size)
    return reshape(tf.where(inside, flat, tf.constant(-1, tf.int64)), (-1,))


def _replaced(table: Any, places: Any, rows: Any, count: Any) -> Any:
    """Of several rows for one place the last, gathered from behind the table's."""
    order = tf.range(tf.shape(places)[0])
    last = raw.UnsortedSegmentMax(data=order, segment_ids=places, num_segments=count)
    source = tf.where(last >= 0, last + count, tf.range(count))
    return raw.GatherV2(params=tf.concat([table, rows], 0), indices=source, axis=0)


def _scattered(table: Any, places: Any, rows: Any, count: Any, reduction: str | None) -> Any:
    if reduction is None:
        return _replaced(table, places, rows, count)
    if reduction == "add":
        added = raw.UnsortedSegmentSum(data=rows, segment_ids=places, num_segments=count)
        return raw.AddV2(x=table, y=added)
    if reduction == "mul":
        return raw.UnsortedSegmentProd(
            data=tf.concat([table, rows], 0),
            segment_ids=tf.concat([tf.range(tf.cast(count, tf.int64)), places], 0),
            num_segments=count,
        )
    return _extreme(table, places, rows, count, reduction)


def _extreme(table: Any, places: Any, rows: Any, count: Any, reduction: str) -> Any:
    """With a row more, for what is dropped. `UnsortedSegmentMax` knows no infinities, none NaN."""
    longer = tf.pad(table, ((0, 1), (0, 0)))
    column = tf.where(places < 0, tf.cast(count, tf.int64), places)[:, None]
    found = _EXTREMES[reduction](tensor=longer, indices=column, updates=rows)[:count]
    if not table.dtype.is_floating:
        return found
    bad = as_dtype(raw.IsNan(x=rows), tf.int32)
    bad = raw.UnsortedSegmentMax(data=bad, segment_ids=places, num_segments=count)
    nan = tf.constant(float("nan"), table.dtype)
    return tf.where((bad > 0) | raw.IsNan(x=table), nan, found)


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    kind, name = inputs.dtype, NAMES[inputs.dtype]
    if name == "uint64":
        least = tf.int64.min if reduction in ("max", "min") else 0
        ours, theirs = (
            raw.Bitcast(input=v, type=tf.int64) ^ least for v in (inputs, as_dtype(updates, kind))
        )
        y = scatter_update(ours, indices, theirs, reduction) ^ least
        return raw.Bitcast(input=y, type=kind)
    if name == "bool":
        reduction = _LOGICAL.get(reduction, reduction)
    wide = _SCATTERED_AS.get(name, kind) if reduction else kind
    sizes, depth = shape_of(inputs), indices.shape[-1]
    outer, inner = sizes[:depth], sizes[depth:]
    count, width = volume(outer), volume(inner)
    places = _flat_places(indices, outer)
    if not updates.shape.is_compatible_with(indices.shape[:-1] + inputs.shape[depth:]):
        raise ValueError(f"updates {updates.shape}")
    if 0 in tuple(inputs.shape):
        return inputs
    rows = reshape(as_dtype(updates, wide), (volume(shape_of(indices)[:-1]), width))
    table = reshape(as_dtype(inputs, wide), (count, width))
    y = _scattered(table, places, rows, count, reduction)
    return as_dtype(reshape(y, sizes), kind)


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    sizes, depth = tuple(shape), indices.shape[-1]
    fits = values.shape.is_compatible_with((*indices.shape[:-1], *sizes[depth:]))
    if NAMES[values.dtype] not in _SUMMED or not fits:
        return body_of("scatter")(indices, values, shape)
    rows = reshape(values, (volume(shape_of(indices)[:-1]), volume(sizes[depth:])))
    count = volume(sizes[:depth])
    places = _flat_places(indices, sizes[:depth])
    return reshape(raw.UnsortedSegmentSum(data=rows, segment_ids=places, num_segments=count), sizes)


def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    if num_segments is None or segment_ids.shape.rank != 1 or NAMES[data.dtype] not in _SUMMED:
        return body_of("segment_sum")(data, segment_ids, num_segments, sorted)
    ids = as_dtype(segment_ids, tf.int64)
    ids = raw.SelectV2(condition=ids < num_segments, t=ids, e=tf.constant(-1, tf.int64))
    return raw.UnsortedSegmentSum(data=data, segment_ids=ids, num_segments=num_segments)


_SUMMED = ("float32", "float64", "int32", "int64")
KERNELS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        argsort,
        sort,
        scatter,
        segment_sum,
        top_k,
        searchsorted,
        getitem,
        nonzero,
        where,
        slice,
        slice_update,
        scatter_update,
    )
}
