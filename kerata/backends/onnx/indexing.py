"""The kernels of `onnx` that sort, and that cut and place elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kerata.backends.onnx.arrays import (
    arange,
    concatenate,
    expand_dims,
    gather,
    one_axis,
    reshape,
    slice_,
    stack,
    sum,
    swap,
    take,
)
from kerata.backends.onnx.graph import OnnxValue, Size, Unsupported, emit, emit_many, vector
from kerata.backends.onnx.kernels import (
    add,
    carrier,
    cast,
    less,
    logical_and,
    logical_not,
    maximum,
    minimum,
    multiply,
    subtract,
    tensor,
)
from kerata.backends.onnx.kernels import where as choose
from kerata.backends.slices import check_updates, slice_plan

# Order


def _ordered(x: OnnxValue, k: Any, axis: int, largest: bool) -> list[OnnxValue]:
    """The first `k` elements along `axis` and their places; of equal ones the first come first."""
    way = carrier("TopK", x.dtype)
    shape = swap(x.shape, axis, k)
    inputs, results = [cast(x, way), vector([k])], [(shape, way), (shape, "int64")]
    found = emit_many("TopK", inputs, results, axis=axis, largest=int(largest), sorted=1)
    return [cast(found[0], x.dtype), cast(found[1], "int32")]


def argsort(x: OnnxValue, axis: int | None = -1) -> OnnxValue:
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, one_axis(axis, x.ndim))
    return _ordered(x, x.shape[axis], axis, False)[1]


def top_k(x: OnnxValue, k: int, sorted: bool = True) -> tuple[OnnxValue, OnnxValue]:
    values, places = _ordered(x, k, x.ndim - 1, True)
    return values, places


def searchsorted(sorted_sequence: OnnxValue, values: OnnxValue, side: str = "left") -> OnnxValue:
    """How many elements are less: each with each, for want of a search."""
    sought = expand_dims(values, -1)
    left = side == "left"
    before = less(sorted_sequence, sought) if left else logical_not(less(sought, sorted_sequence))
    return sum(cast(before, "int32"), -1)


# Places


def nonzero(x: OnnxValue) -> tuple[OnnxValue, ...]:
    places = emit("NonZero", [cast(x, "bool")], (x.ndim, None), "int64")
    return tuple(cast(gather(places, tensor(i, "int64"), 0), "int32") for i in range(x.ndim))


def where(condition: OnnxValue, x1: Any = None, x2: Any = None) -> Any:
    return nonzero(condition) if x1 is None and x2 is None else choose(condition, x1, x2)


def _first(start: Any, size: Any, length: Any) -> Any:
    """Where a slice starts so that it fits: an int, or an int64 scalar of the graph."""
    if isinstance(start, int) and (start == 0 or not isinstance(size, Size)):
        return start
    start, size, length = (_scalar(v) for v in (start, size, length))
    start = choose(less(start, 0), add(start, size), start)
    return minimum(maximum(start, tensor(0, "int64")), subtract(size, length))


def _scalar(value: Any) -> OnnxValue:
    return value.scalar() if isinstance(value, Size) else tensor(value, "int64")


def slice(inputs: OnnxValue, start_indices: Any, shape: Any) -> OnnxValue:
    starts, lengths = slice_plan(inputs.shape, start_indices, shape)
    begin = stack(
        [_scalar(_first(*row)) for row in zip(starts, inputs.shape, lengths, strict=True)]
    )
    end = add(begin, stack([_scalar(n) for n in lengths]))
    return emit("Slice", [inputs, begin, end, vector(range(inputs.ndim))], lengths, inputs.dtype)


def slice_update(inputs: OnnxValue, start_indices: Any, updates: OnnxValue) -> OnnxValue:
    """A gather from `updates` along each axis that it fills in part, and a choice."""
    starts, lengths = slice_plan(inputs.shape, start_indices, updates.shape)
    updates, inside = cast(updates, inputs.dtype), tensor(True)
    for axis, (start, size, length) in enumerate(zip(starts, inputs.shape, lengths, strict=True)):
        if isinstance(size, int) and size == length:
            continue
        places = subtract(arange(size, dtype="int64"), _scalar(_first(start, size, length)))
        column = reshape(places, (-1,) + (1,) * (inputs.ndim - 1 - axis))
        below = less(column, _scalar(length))
        inside = logical_and(inside, logical_and(below, logical_not(less(column, 0))))
        updates = take(updates, maximum(places, tensor(0, "int64")), axis)
    return choose(inside, updates, inputs)


def _flat_places(indices: OnnxValue, sizes: Sequence[Any]) -> OnnxValue:
    """Places in the flattened axes of these `sizes`; one behind the last for what lies outside."""
    flat, inside, count = tensor(0, "int64"), tensor(True), tensor(1, "int64")
    for i, size in enumerate(map(_scalar, sizes)):
        place = gather(cast(indices, "int64"), tensor(i, "int64"), indices.ndim - 1)
        place = choose(less(place, 0), add(place, size), place)
        flat, count = add(multiply(flat, size), place), multiply(count, size)
        inside = logical_and(inside, logical_and(less(place, size), logical_not(less(place, 0))))
    return choose(inside, flat, count)


def scatter_update(
    inputs: OnnxValue, indices: OnnxValue, updates: OnnxValue, reduction: str | None = None
) -> OnnxValue:
    """A row more takes what is dropped."""
    depth, kind = indices.shape[-1], inputs.dtype
    outer, inner = inputs.shape[:depth], inputs.shape[depth:]
    if any(isinstance(n, Size) for n in inner):
        raise Unsupported("scatter_update: rows with an open size")
    if not any(isinstance(n, Size) for n in (*inputs.shape, *indices.shape, *updates.shape)):
        check_updates(inputs.shape, indices.shape, updates.shape)
    way = "int32" if kind == "bool" else kind
    how = (
        {"add": "max", "mul": "min"}.get(reduction or "", reduction)
        if kind == "bool"
        else reduction
    )
    width = math.prod(inner)
    table = concatenate([reshape(cast(inputs, way), (-1, width)), tensor([[0] * width], way)])
    places = reshape(_flat_places(indices, outer), (-1, 1))
    rows = reshape(cast(updates, way), (-1, width))
    y = emit("ScatterND", [table, places, rows], table.shape, way, reduction=how or "none")
    return cast(reshape(slice_(y, [(0, None, -1, 1)]), inputs.shape), kind)


KERNELS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        argsort, top_k, searchsorted, nonzero, where, slice, slice_update, scatter_update,
    )
}  # fmt: skip
