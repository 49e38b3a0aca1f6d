"""PyTorch's kernels for sorting, picking and placing elements."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kerata.backends.keys import axes_of, check_ints, is_array, parts_of
from kerata.backends.slices import check_updates, slice_plan
from kerata.backends.torch.kernels import CHECKED, FLOATS, PRIMITIVES, widening
from kerata.backends.torch.kernels import where as _where

_take_along_axis = PRIMITIVES["take_along_axis"]

# Order

_COMPARED_AS = {
    torch.bool: torch.uint8, torch.uint16: torch.int32, torch.uint32: torch.int64,
    torch.float8_e4m3fn: torch.float32, torch.float8_e5m2: torch.float32,
}  # fmt: skip
_LEAST = -(2**63)


def _comparable(x: Tensor) -> Tensor:
    """`x` in a dtype whose order torch knows."""
    if x.dtype is torch.uint64:
        return x.view(torch.int64) ^ _LEAST
    kind = _COMPARED_AS.get(x.dtype)
    return x if kind is None else x.to(kind)


def _ordered(x: Tensor) -> Tensor:
    """Integers in the order of `x`: NaN last, -0.0 and 0.0 equal."""
    if x.dtype not in FLOATS:
        return x
    wide = x.detach() if x.dtype is torch.float64 else x.detach().float()
    kind = torch.int64 if x.dtype is torch.float64 else torch.int32
    largest = torch.iinfo(kind).max
    bits = torch.where(wide == 0, 0.0, wide).view(kind)
    rising = torch.where(bits < 0, bits ^ largest, bits)
    return torch.where(wide.isnan(), largest, rising)


def _along(x: Tensor, axis: int | None) -> tuple[Tensor, int]:
    """A tensor and one of its axes: the flattened tensor's where `axis` is None."""
    if axis is None:
        return x.reshape(-1), 0
    if not x.ndim:
        raise IndexError(axis)
    return x, axis


def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    x, axis = _along(x, axis)
    return torch.argsort(_comparable(x), dim=axis, stable=True).to(torch.int32)


def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    x, axis = _along(x, axis)
    if x.dtype is torch.uint64:
        return (torch.sort(_comparable(x), axis).values ^ _LEAST).view(torch.uint64)
    return torch.sort(_comparable(x), axis).values.to(x.dtype)


_FEW = 1024  # elements in a row: below, sorting them all takes no longer


def _keys(x: Tensor) -> Tensor:
    """Distinct int64 numbers in the order of `x`, the first of equal elements the largest."""
    later = torch.arange(2**32 - 1, 2**32 - 1 - x.shape[-1], -1, device=x.device)
    return (_ordered(x).to(torch.int64) << 32) | later


def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """Torch's own takes any of equal elements: it will do where the largest have none."""
    compared = _comparable(x)
    if not 0 <= k <= x.shape[-1]:
        raise ValueError(f"k={k}")
    if CHECKED and not torch.compiler.is_compiling() and 0 < k < x.shape[-1]:
        values, found = torch.topk(compared.detach(), k + 1)
        if bool((values[..., :-1] > values[..., 1:]).all()):
            places = found[..., :k]
            return _take_along_axis(x, places, -1), places.to(torch.int32)
    if x.shape[-1] <= _FEW or compared.dtype.itemsize > 4:
        places = torch.argsort(compared, dim=-1, descending=True, stable=True)[..., :k]
    else:
        places = torch.topk(_keys(compared), k).indices
    return _take_along_axis(x, places, -1), places.to(torch.int32)


def searchsorted(sorted_sequence: Tensor, values: Tensor, side: Any = "left") -> Tensor:
    sequence, sought = (_ordered(_comparable(v)) for v in (sorted_sequence, values))
    return torch.searchsorted(sequence, sought.contiguous(), side=side, out_int32=True)


# Places


def getitem(x: Tensor, key: Any) -> Tensor:
    for k in key if type(key) is tuple else (key,):
        if type(k) is builtins.slice:
            if not (k.step is None or (type(k.step) is int and k.step > 0)):
                return _getitem_by_arrays(x, key)
            if not (type(k.start) in _PLAIN and type(k.stop) in _PLAIN):
                return _getitem_by_arrays(x, key)
        elif type(k) is not int and k is not None and k is not Ellipsis:
            return _getitem_by_arrays(x, key)
    return x[key]


_PLAIN = (int, type(None), torch.SymInt)


def _getitem_by_arrays(x: Tensor, key: Any) -> Tensor:
    """Index arrays, masks, and slices that go back, which torch does not take."""
    keys = parts_of(key)
    axes = axes_of(keys, x.ndim)
    check_ints(keys, axes, x.shape)
    arrays = any(is_array(k) and k.ndim > 0 for k in keys)
    for i, (k, axis) in enumerate(zip(keys, axes, strict=True)):
        if isinstance(k, builtins.slice) and k.step is not None and k.step < 0:
            taken = range(*k.indices(x.shape[axis]))
            part = (
                builtins.slice(taken[-1], taken[0] + 1, -k.step) if taken else builtins.slice(0, 0)
            )
            x = x[(builtins.slice(None),) * axis + (part,)].flip(axis)
            keys[i] = builtins.slice(None)
        elif isinstance(k, int) and arrays:  # NumPy counts it among the arrays, torch does not
            keys[i] = torch.tensor([k], device=x.device)
        elif is_array(k):
            k = torch.as_tensor(k, device=x.device)
            k = k if k.dtype is torch.bool else k.to(torch.int64)
            keys[i] = k.reshape(1) if arrays and not k.ndim else k
    x = _separated(x, keys, axes)
    if CHECKED and not torch.compiler.is_compiling():
        try:
            return x[tuple(keys)]
        except IndexError:
            pass
    for i, (k, axis) in enumerate(zip(keys, axes, strict=True)):
        if isinstance(k, Tensor) and k.dtype is not torch.bool:
            keys[i] = k.clamp(-x.shape[axis], x.shape[axis] - 1)
    return x[tuple(keys)]


def _separated(x: Tensor, keys: list[Any], axes: list[int]) -> Tensor:
    """`x` and `keys` for index arrays on both sides of an Ellipsis that stands for no axis.

    NumPy puts what they give first, torch where they are: so they are moved first.
    """
    places = [i for i, k in enumerate(keys) if isinstance(k, Tensor)]
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), None)
    if at is None or len(keys) == at + 1 or axes[at] != axes[at + 1] or not places:
        return x
    if not places[0] < at < places[-1]:
        return x
    widths = [k.ndim if k.dtype is torch.bool else 1 for k in (keys[i] for i in places)]
    moved = [axes[i] + j for i, n in zip(places, widths, strict=True) for j in range(n)]
    order = [*places, *(i for i in range(len(keys)) if i not in places and i != at)]
    keys[:] = [keys[i] for i in order]
    axes[:] = axes_of(keys, x.ndim)
    return x.permute(*moved, *(a for a in range(x.ndim) if a not in moved))


def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    if not x.ndim:
        raise ValueError("no axis")
    found = torch.nonzero(x.to(torch.bool), as_tuple=True)
    return tuple(places.to(torch.int32) for places in found)


def where(condition: Tensor, x1: Any = None, x2: Any = None) -> Any:
    return nonzero(condition) if x1 is None and x2 is None else _where(condition, x1, x2)


def _spans(x: Tensor, start_indices: Any, shape: Any) -> list[Any]:
    """For each axis what indexes it: a slice, or places where the start is a tensor."""
    spans: list[Any] = []
    for size, start, length in zip(x.shape, *slice_plan(x.shape, start_indices, shape)):
        if isinstance(start, int):
            spans.append(builtins.slice(start, start + length))
        else:
            start = torch.where(start < 0, start + size, start).clamp(0, size - length)
            spans.append(start + torch.arange(length, device=x.device))
    return spans


def slice(inputs: Tensor, start_indices: Any, shape: Any) -> Tensor:
    for axis, span in enumerate(_spans(inputs, start_indices, shape)):
        if isinstance(span, Tensor):
            inputs = torch.index_select(inputs, axis, span)
        else:
            inputs = inputs.narrow(axis, span.start, span.stop - span.start)
    return inputs


def slice_update(inputs: Tensor, start_indices: Any, updates: Tensor) -> Tensor:
    spans = _spans(inputs, start_indices, updates.shape)
    y = inputs.clone(memory_format=torch.contiguous_format)
    if any(isinstance(span, Tensor) for span in spans):
        rank = inputs.ndim
        spans = [
            torch.arange(s.start, s.stop, device=y.device) if isinstance(s, builtins.slice) else s
            for s in spans
        ]
        spans = [s.reshape(-1, *(1,) * (rank - 1 - i)) for i, s in enumerate(spans)]
    y[tuple(spans)] = updates.to(y.dtype)
    return y


_REDUCE = {"max": "amax", "min": "amin", "mul": "prod"}
_LOGICAL: dict[str | None, str] = {"add": "max", "mul": "min"}
_SCATTERED_AS = {
    torch.uint16: torch.int64, torch.uint32: torch.int64, torch.float16: torch.float32,
    torch.bfloat16: torch.float32, torch.float8_e4m3fn: torch.float32,
    torch.float8_e5m2: torch.float32,
}  # fmt: skip


def _flat_places(indices: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Places in the flattened axes of these `sizes`; one behind the last for what lies outside."""
    flat, inside = 0, True
    for i, size in zip(indices.to(torch.int64).unbind(-1), sizes, strict=True):
        i = torch.where(i < 0, i + size, i)
        flat, inside = flat * size + i, inside & (i >= 0) & (i < size)
    return torch.where(inside, flat, math.prod(sizes)).reshape(-1)


def _only_last(places: Tensor, end: int) -> Tensor:
    """`places`, those that come again later moved to `end`."""
    order = torch.arange(places.shape[0], device=places.device)
    last = order.new_zeros(end + 1).scatter_reduce_(0, places, order, "amax")
    return torch.where(last[places] == order, places, end)


def _scattered(x: Tensor, places: Tensor, rows: Tensor, reduction: str | None) -> Tensor:
    """Rows put into the rows of `x`, which has one more for those that are dropped."""
    if reduction is None:
        return x.index_copy_(0, _only_last(places, x.shape[0] - 1), rows)
    if reduction == "add":
        return x.index_add_(0, places, rows)
    return x.scatter_reduce_(0, places[:, None].expand_as(rows), rows, _REDUCE[reduction])


def scatter_update(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None
) -> Tensor:
    check_updates(inputs.shape, indices.shape, updates.shape)
    kind = inputs.dtype
    if kind is torch.bool:
        inputs, updates = inputs.to(torch.uint8), updates.to(torch.uint8)
        reduction = _LOGICAL.get(reduction, reduction)
    elif kind is torch.uint64:
        least = _LEAST if reduction in ("max", "min") else 0
        ours, theirs = (v.view(torch.int64) ^ least for v in (inputs, updates.to(kind)))
        return (scatter_update(ours, indices, theirs, reduction) ^ least).view(kind)
    wide = _SCATTERED_AS.get(kind, inputs.dtype)
    depth = indices.shape[-1]
    outer, inner = tuple(inputs.shape[:depth]), tuple(inputs.shape[depth:])
    count, width = math.prod(outer), math.prod(inner)
    places = _flat_places(indices, outer)
    rows = updates.to(wide).reshape(places.shape[0], width)
    table = torch.cat([inputs.reshape(count, width), inputs.new_zeros((1, width))])
    y = _scattered(table.to(wide), places, rows, reduction)
    return y[:count].reshape(inputs.shape).to(kind)


KERNELS: dict[str, Callable[..., Any]] = {
    "argsort": argsort, "sort": sort, "top_k": top_k, "searchsorted": searchsorted,
    "getitem": getitem, "nonzero": nonzero, "where": where, "slice": slice,
    "slice_update": widening(slice_update), "scatter_update": scatter_update,
}  # fmt: skip
