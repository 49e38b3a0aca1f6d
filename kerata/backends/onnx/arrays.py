"""The kernels of `onnx` that reduce arrays, and those that move their elements around."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.geometry import FILLED, axes_tuple, cut_points, padding, places_of, summed
from kerata.backends.onnx.graph import (
    OnnxValue,
    Size,
    Unsupported,
    constant,
    emit,
    emit_many,
    same_size,
    vector,
)
from kerata.backends.onnx.kernels import (
    add,
    apply,
    broadcast,
    cast,
    less,
    maximum,
    minimum,
    multiply,
    subtract,
    tensor,
    where,
)
from kerata.backends.state import body_of, operations

_LAST = 2**31 - 1  # an end that every axis has before it


def swap(shape: Sequence[Any], axis: int, *sizes: Any) -> tuple[Any, ...]:
    """`shape` with `sizes` in the place of one axis."""
    return (*shape[:axis], *sizes, *shape[axis + 1 :])


def one_axis(axis: int, rank: int) -> int:
    """`axis`, not negative."""
    return axes_tuple(int(axis), rank)[0]


# Reductions


def reduced(shape: Sequence[Any], axes: Sequence[int], keepdims: bool) -> tuple[Any, ...]:
    """The shape that is left when `axes` are reduced."""
    kept = (1 if i in axes else s for i, s in enumerate(shape) if keepdims or i not in axes)
    return tuple(kept)


def reduction(op: str) -> Callable[..., OnnxValue]:
    def kernel(x: OnnxValue, axis: Any = None, keepdims: bool = False) -> OnnxValue:
        axes = axes_tuple(axis, x.ndim)
        if not axes:
            return x
        shape = reduced(x.shape, axes, keepdims)
        return apply(op, [x], shape, constant(axes, "int64"), keepdims=int(keepdims))

    return kernel


_sum, _prod, _max, _min = (reduction(f"Reduce{n}") for n in ("Sum", "Prod", "Max", "Min"))


def sum(x: OnnxValue, axis: Any = None, keepdims: bool = False) -> OnnxValue:
    return _sum(cast(x, summed(x.dtype)), axis, keepdims)


def prod(x: OnnxValue, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> OnnxValue:
    return _prod(cast(x, dtype or summed(x.dtype)), axis, keepdims)


def extreme(reduce: Any, combine: Any) -> Callable[..., OnnxValue]:
    def kernel(
        x: OnnxValue, axis: Any = None, keepdims: bool = False, initial: Any = None
    ) -> OnnxValue:
        found = reduce(x, axis, keepdims)
        return found if initial is None else combine(found, tensor(initial, x.dtype))

    return kernel


def truth(reduce: Any) -> Callable[..., OnnxValue]:
    def kernel(x: OnnxValue, axis: Any = None, keepdims: bool = False) -> OnnxValue:
        return reduce(cast(x, "bool"), axis, keepdims)

    return kernel


def _flat(x: OnnxValue, axis: int | None) -> tuple[OnnxValue, int]:
    """`x` and `axis`, or where that is None `x` in one axis."""
    return (reshape(x, (-1,)), 0) if axis is None else (x, one_axis(axis, x.ndim))


def arg(op: str) -> Callable[..., OnnxValue]:
    def kernel(x: OnnxValue, axis: Any = None, keepdims: bool = False) -> OnnxValue:
        flat, place = _flat(x, axis)
        shape = reduced(flat.shape, (place,), keepdims)
        options = {"axis": place, "keepdims": int(keepdims)}
        y = cast(apply(op, [flat], shape, dtype="int64", **options), "int32")
        return reshape(y, (1,) * x.ndim) if keepdims and axis is None else y

    return kernel


def cumsum(x: OnnxValue, axis: Any = None, dtype: Any = None) -> OnnxValue:
    x, place = _flat(cast(x, dtype or summed(x.dtype)), axis)
    return apply("CumSum", [x], x.shape, constant(place, "int64"))


def cumprod(x: OnnxValue, axis: Any = None, dtype: Any = None) -> OnnxValue:
    """A loop over the rows, for want of an operator."""
    x, place = _flat(cast(x, dtype or summed(x.dtype)), axis)
    rows = operations["moveaxis"](x, place, 0)

    def step(total: Any, row: Any) -> Any:
        product = multiply(total, row)
        return product, product

    start = broadcast_to(tensor(1, x.dtype), rows.shape[1:])
    found: OnnxValue = operations["scan"](step, start, rows)[1]
    moved: OnnxValue = operations["moveaxis"](found, 0, place)
    return moved


# Shapes


def _missing_size(shape: Sequence[Any], given: Sequence[Any]) -> Any:
    """What -1 in `given` stands for, the shape being `shape`; None if only the graph can tell."""
    total, opened = 1, []
    for size in shape:
        if isinstance(size, Size):
            opened.append(size)
        else:
            total *= size
    known = 1
    for size in given:
        if isinstance(size, Size):
            match = next((i for i, o in enumerate(opened) if o.is_same(size)), None)
            if match is None:
                return None
            opened.pop(match)
        elif size != -1:
            known *= size
    if known == 0 or (not opened and total % known):
        raise ValueError(f"A tensor of shape {tuple(shape)} does not fit the shape {tuple(given)}")
    if not opened:
        return total // known
    return opened[0] if len(opened) == 1 and total == known else None


def reshape(x: OnnxValue, newshape: Any) -> OnnxValue:
    given = tuple(newshape) if isinstance(newshape, (tuple, list)) else (newshape,)
    inferred = [not isinstance(s, Size) and s == -1 for s in given]
    shape = given
    if any(inferred):
        missing = _missing_size(x.shape, given)
        shape = tuple(missing if i else s for i, s in zip(inferred, given, strict=True))
    known = [s for s in shape if not isinstance(s, Size) and s is not None]
    sizes = [s for s in x.shape if not isinstance(s, Size)]
    if len(known) == len(shape) and len(sizes) == x.ndim and math.prod(known) != math.prod(sizes):
        raise ValueError(f"reshape: a tensor of shape {x.shape} does not fit the shape {shape}")
    if len(shape) == x.ndim and all(map(same_size, shape, x.shape)):
        return x
    wanted = _shape_input(x, shape, known)
    return emit("Reshape", [x, wanted], shape, x.dtype, allowzero=int(0 in known))


def _shape_input(x: OnnxValue, shape: Sequence[Any], known: Sequence[int]) -> OnnxValue:
    """`shape` for ONNX's Reshape: 0 where a size stays in its place, -1 for one that is left."""
    if 0 in known:
        return vector(shape)
    sizes = [
        0 if isinstance(s, Size) and i < x.ndim and s.is_same(x.shape[i]) else s
        for i, s in enumerate(shape)
    ]
    left = [i for i, s in enumerate(sizes) if s is None] or [
        i for i, s in enumerate(sizes) if isinstance(s, Size)
    ]
    if left:
        sizes[left[0]] = -1
    return vector(sizes)


def transpose(x: OnnxValue, axes: Any = None) -> OnnxValue:
    order = tuple(range(x.ndim))[::-1] if axes is None else axes_tuple(tuple(axes), x.ndim)
    if x.node is not None and x.node.op == "Transpose":
        order = tuple(x.node.attributes["perm"][a] for a in order)
        x = x.node.inputs[0]
    if order == tuple(range(x.ndim)):
        return x
    return emit("Transpose", [x], [x.shape[a] for a in order], x.dtype, perm=order)


def broadcast_to(x: OnnxValue, shape: Any) -> OnnxValue:
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    broadcast(x.shape, shape)
    if len(shape) == x.ndim and all(map(same_size, shape, x.shape)):
        return x
    return emit("Expand", [x, vector(shape)], shape, x.dtype)


def expand_dims(x: OnnxValue, axis: Any) -> OnnxValue:
    count = 1 if isinstance(axis, int) else len(axis)
    axes = axes_tuple(axis, x.ndim + count)
    if not axes:
        return x
    rest = iter(x.shape)
    shape = [1 if i in axes else next(rest) for i in range(x.ndim + count)]
    return emit("Unsqueeze", [x, constant(sorted(axes), "int64")], shape, x.dtype)


def squeeze(x: OnnxValue, axis: Any = None) -> OnnxValue:
    if axis is None:
        axis = [i for i, s in enumerate(x.shape) if not isinstance(s, Size) and s == 1]
    axes = axes_tuple(axis, x.ndim)
    if any(not isinstance(x.shape[a], Size) and x.shape[a] != 1 for a in axes):
        raise ValueError(f"squeeze: axis {axis} of the shape {x.shape} is not of size 1")
    if not axes:
        return x
    return emit("Squeeze", [x, constant(axes, "int64")], reduced(x.shape, axes, False), x.dtype)


def concatenate(xs: Sequence[OnnxValue], axis: int = 0) -> OnnxValue:
    if len(xs) == 1:
        return xs[0]
    place = one_axis(axis, xs[0].ndim)
    along = [x.shape[place] for x in xs]
    known = [s for s in along if not isinstance(s, Size)]
    total = functools.reduce(operator.add, known) if len(known) == len(xs) else None
    rest = broadcast(*(swap(x.shape, place, 1) for x in xs))
    return emit("Concat", xs, swap(rest, place, total), xs[0].dtype, axis=place)


def stack(x: Sequence[OnnxValue], axis: int = 0) -> OnnxValue:
    return concatenate([expand_dims(v, axis) for v in x], axis)


def split(x: OnnxValue, indices_or_sections: Any, axis: int = 0) -> list[OnnxValue]:
    place = one_axis(axis, x.ndim)
    size, wanted = x.shape[place], indices_or_sections
    if not isinstance(size, Size):
        cuts = cut_points(wanted, size)
    elif isinstance(wanted, int):
        cuts = [size // wanted * i for i in range(1, wanted)]
    else:
        cuts = [i if isinstance(i, Size) or i >= 0 else size + i for i in wanted]
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
    results = [(swap(x.shape, place, s), x.dtype) for s in sizes]
    return emit_many("Split", [x, vector(sizes)], results, axis=place)


def unstack(x: OnnxValue, num: int | None = None, axis: int = 0) -> list[OnnxValue]:
    place = one_axis(axis, x.ndim)
    count = num or x.shape[place]
    return [gather(x, constant(i, "int64"), place) for i in range(count)]


def pad(
    x: OnnxValue, pad_width: Any, mode: str = "constant", constant_values: Any = None
) -> OnnxValue:
    pairs = padding(x.shape, pad_width, mode, constant_values)
    narrow = all(isinstance(s, int) and max(p) < s for s, p in zip(x.shape, pairs, strict=True))
    if mode not in (*FILLED, "edge") and not (mode == "reflect" and narrow):
        found: OnnxValue = body_of("pad")(x, pad_width, mode, constant_values)
        return found
    shape = [s if p == (0, 0) else None if isinstance(s, Size) else s + p[0] + p[1]
             for s, p in zip(x.shape, pairs, strict=True)]  # fmt: skip
    widths = constant([p[0] for p in pairs] + [p[1] for p in pairs], "int64")
    if mode not in FILLED:
        return emit("Pad", [x, widths], shape, x.dtype, mode=mode)
    fill = tensor(0 if constant_values is None else constant_values, x.dtype)
    return emit("Pad", [x, widths, fill], shape, x.dtype, mode="constant")


def flip(x: OnnxValue, axis: Any = None) -> OnnxValue:
    return slice_(x, [(a, None, None, -1) for a in axes_tuple(axis, x.ndim)])


def repeat(x: OnnxValue, repeats: Any, axis: int | None = None) -> OnnxValue:
    x, place = _flat(x, axis)
    size = x.shape[place]
    if isinstance(repeats, (list, tuple, np.ndarray)):
        places = places_of(repeats, size if isinstance(size, int) else len(repeats))
        return gather(x, constant(places, "int64"), place)
    wide = broadcast_to(expand_dims(x, place + 1), swap(x.shape, place, size, repeats))
    return reshape(wide, swap(x.shape, place, size * repeats))


def tile(x: OnnxValue, repeats: Any) -> OnnxValue:
    counts = list(repeats) if isinstance(repeats, (tuple, list)) else [repeats]
    x = expand_dims(x, tuple(range(len(counts) - x.ndim))) if len(counts) > x.ndim else x
    counts = [1] * (x.ndim - len(counts)) + counts
    shape = [s * c for s, c in zip(x.shape, counts, strict=True)]
    return emit("Tile", [x, vector(counts)], shape, x.dtype)


def _places(indices: OnnxValue, size: Any, clipped: bool = True) -> OnnxValue:
    """Indices counted from the start, and limited to the axis where `clipped`."""
    kind = indices.dtype if indices.dtype in ("int32", "int64") else "int32"
    i, end = cast(indices, kind), tensor(size, kind)
    i = where(less(i, 0), add(i, end), i)
    if not clipped:
        return i
    return minimum(maximum(i, tensor(0, kind)), subtract(end, 1))


def gather(x: OnnxValue, indices: OnnxValue, axis: int) -> OnnxValue:
    """The slices of `x` at `indices`, all of them in range."""
    return emit("Gather", [x, indices], swap(x.shape, axis, *indices.shape), x.dtype, axis=axis)


def take(x: OnnxValue, indices: OnnxValue, axis: int | None = None) -> OnnxValue:
    x, place = _flat(x, axis)
    return gather(x, _places(indices, x.shape[place]), place)


def take_along_axis(x: OnnxValue, indices: OnnxValue, axis: int | None = None) -> OnnxValue:
    (x, place), (indices, _) = _flat(x, axis), _flat(indices, axis)
    size, count = x.shape[place], indices.shape[place]
    rest = broadcast(swap(x.shape, place, 1), swap(indices.shape, place, 1))
    others = [i if s is None else s for s, i in zip(rest, indices.shape, strict=True)]
    x = broadcast_to(x, swap(others, place, size))
    places = broadcast_to(_places(indices, size), swap(others, place, count))
    return emit("GatherElements", [x, places], places.shape, x.dtype, axis=place)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> OnnxValue:
    first, last = (0, start) if stop is None else (start, stop)
    ends = [first, last, 1 if step is None else step]
    kinds = ["int" if isinstance(e, Size) else getattr(e, "dtype", type(e)) for e in ends]
    found = dtypes.result_type(*(int if k == "int" else k for k in kinds))
    dtype = dtypes.standardize_dtype(dtype or found)
    if not any(isinstance(e, (Size, OnnxValue)) for e in ends):
        return constant(np.arange(*ends).astype(dtypes.numpy_dtype(dtype)))
    way = "int64" if dtypes.is_integer(found) else "float32"
    count = None
    if isinstance(last, Size) and isinstance(first, int) and isinstance(ends[2], int):
        count = -((first - last) // ends[2]) if ends[2] > 0 else None
    limits = [cast(e.scalar(), way) if isinstance(e, Size) else tensor(e, way) for e in ends]
    return cast(emit("Range", limits, (count,), way), dtype)


def full(shape: Any, fill_value: OnnxValue, dtype: Any = None) -> OnnxValue:
    return broadcast_to(fill_value if dtype is None else cast(fill_value, dtype), shape)


# Indexing


def slice_(x: OnnxValue, cuts: Sequence[tuple[int, Any, Any, int]]) -> OnnxValue:
    """`x` cut by `(axis, start, stop, step)`, with None as in Python's slices."""
    shape, rows = list(x.shape), []
    for axis, start, stop, step in cuts:
        size, ends = shape[axis], (start, stop, step)
        if isinstance(size, Size) or any(isinstance(e, (Size, OnnxValue)) for e in ends):
            whole = start is None and stop is None and step in (1, -1)
            shape[axis] = size if whole else None
        else:
            shape[axis] = len(range(*slice(*ends).indices(size)))
        first, last = (0, _LAST) if step > 0 else (_LAST, -_LAST)
        rows.append((first if start is None else start, last if stop is None else stop, axis, step))
    if not rows:
        return x
    limits = [vector([r[i] for r in rows]) for i in range(4)]
    return emit("Slice", [x, *limits], shape, x.dtype)


def _expanded(key: Any, rank: int) -> list[Any]:
    """The parts of an index, `...` and what is missing at the end written out as slices."""
    parts = list(key) if isinstance(key, tuple) else [key]
    taken = len([p for p in parts if p is not None and p is not Ellipsis])
    if taken > rank:
        raise IndexError(f"{taken} indices for a tensor of {rank} axes")
    at = next((i for i, p in enumerate(parts) if p is Ellipsis), len(parts))
    parts[at : at + 1] = [slice(None)] * (rank - taken)
    return parts


def _index(part: Any, size: Any) -> OnnxValue:
    """An int or a tensor of ints as an index from the start."""
    if isinstance(part, (int, np.integer)) and not isinstance(size, Size):
        if not -size <= part < size:
            raise IndexError(f"Index {part} is out of range for an axis of size {size}")
        return constant(part % size, "int64")
    found = tensor(part)
    if found.dtype == "bool":
        raise Unsupported("getitem: an index of booleans, whose result has an open shape")
    return _places(found, size, clipped=False)


def getitem(x: OnnxValue, key: Any) -> OnnxValue:
    parts = _expanded(key, x.ndim)
    axes = [p for p in parts if p is not None]
    cuts = [
        (axis, p.start, p.stop, 1 if p.step is None else p.step)
        for axis, p in enumerate(axes)
        if isinstance(p, slice) and not p.start is p.stop is p.step is None
    ]
    chosen = {a: _index(p, x.shape[a]) for a, p in enumerate(axes) if not isinstance(p, slice)}
    x = slice_(x, cuts)
    width, first = 0, False  # how many axes the indices have, and whether they come first
    if all(i.ndim == 0 for i in chosen.values()):
        for axis in sorted(chosen, reverse=True):
            x = gather(x, chosen[axis], axis)
    elif len(chosen) == 1:
        ((axis, index),) = chosen.items()
        x, width = gather(x, index, axis), index.ndim
    else:
        x, width = _gather_several(x, chosen)
        held = [i for i, p in enumerate(parts) if p is not None and not isinstance(p, slice)]
        first = held[-1] - held[0] + 1 != len(held)
        if not first:
            end = width + min(chosen)
            x = transpose(x, [*range(width, end), *range(width), *range(end, x.ndim)])
    return expand_dims(x, _new_axes(parts, width, first))


def _gather_several(x: OnnxValue, chosen: dict[int, OnnxValue]) -> tuple[OnnxValue, int]:
    """The elements at several indices, their axes first, and how many these are."""
    rest = [a for a in range(x.ndim) if a not in chosen]
    x = transpose(x, [*chosen, *rest])
    shape = broadcast(*(i.shape for i in chosen.values()))
    if any(s is None for s in shape):
        raise Unsupported("getitem: indices whose open sizes may differ")
    index = stack([broadcast_to(cast(i, "int64"), shape) for i in chosen.values()], -1)
    y = emit("GatherND", [x, index], (*shape, *x.shape[len(chosen) :]), x.dtype)
    return y, len(shape)


def _new_axes(parts: Sequence[Any], width: int, first: bool) -> tuple[int, ...]:
    """Where the Nones of an index stand in the result."""
    found, at, seen = [], width if first else 0, first
    for part in parts:
        if part is None:
            found.append(at)
            at += 1
        elif isinstance(part, slice):
            at += 1
        elif not seen:
            at, seen = at + width, True
    return tuple(found)


KERNELS: dict[str, Callable[..., Any]] = {
    "sum": sum, "prod": prod, "mean": reduction("ReduceMean"), "max": extreme(_max, maximum),
    "min": extreme(_min, minimum), "any": truth(_max), "all": truth(_min), "argmax": arg("ArgMax"),
    "argmin": arg("ArgMin"), "cumsum": cumsum, "cumprod": cumprod, "reshape": reshape,
    "transpose": transpose,
    "broadcast_to": broadcast_to, "expand_dims": expand_dims, "squeeze": squeeze,
    "concatenate": concatenate, "stack": stack, "split": split, "unstack": unstack, "pad": pad,
    "flip": flip, "repeat": repeat, "tile": tile, "take": take, "take_along_axis": take_along_axis,
    "arange": arange, "full": full, "getitem": getitem,
}  # fmt: skip
