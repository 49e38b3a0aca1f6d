"""PyTorch's kernels for the primitives: its own functions where they mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple, check_number, cut_points, reduced_axes
from kerata.backends.state import state

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# On the processor torch finds an index that is out of range itself; elsewhere it must not see one.
CHECKED = DEVICE.type == "cpu"

NAMES = {getattr(torch, name): name for name in dtypes.ALL if hasattr(torch, name)}
DTYPES: dict[Any, torch.dtype] = {name: kind for kind, name in NAMES.items()}
DTYPES |= {kind: kind for kind in NAMES}
FLOATS = frozenset(DTYPES[name] for name in dtypes.FLOATS)


def torch_dtype(dtype: Any) -> torch.dtype:
    """Torch's dtype for whatever stands for one; `config.floatx()` for None."""
    return DTYPES.get(dtype) or DTYPES[dtypes.standardize_dtype(dtype)]


def as_tensor(x: Any) -> Tensor:
    """What the functions and callers of users may hand us, as a tensor."""
    if isinstance(x, Tensor):
        return x
    return x.value if hasattr(type(x), "__kerata_value__") else state.backend.convert(x)


Kernel: TypeAlias = Callable[..., Tensor]
UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)
_WIDER = {
    **dict.fromkeys(UNSIGNED, torch.int64),
    torch.bool: torch.int32,
    **dict.fromkeys((torch.float8_e4m3fn, torch.float8_e5m2), torch.float32),
}


def _in_wider(function: Kernel, args: Any, kwargs: Any, error: Exception) -> Tensor:
    kind = next(a.dtype for a in args if isinstance(a, Tensor))
    wide = _WIDER.get(kind)
    if wide is None:
        raise error
    y = function(*(a.to(wide) if isinstance(a, Tensor) else a for a in args), **kwargs)
    return y.to(kind) if y.dtype is wide else y


def widening(function: Kernel) -> Kernel:
    """`function`, done in a wider dtype for those that torch stores and computes little with."""

    def kernel(*args: Any, **kwargs: Any) -> Tensor:
        try:
            return function(*args, **kwargs)
        except NotImplementedError as error:
            return _in_wider(function, args, kwargs, error)

    return kernel


def _widening_pair(function: Kernel) -> Kernel:
    """`widening` for two operands, at a third of its cost."""

    def kernel(x1: Any, x2: Any) -> Tensor:
        try:
            return function(x1, x2)
        except NotImplementedError as error:
            return _in_wider(function, (x1, x2), {}, error)

    return kernel


# Elements


def _comparison(function: Kernel, mirrored: Kernel) -> Kernel:
    """`function`, which takes a Python number on its right, with one on its left too."""

    def kernel(x1: Any, x2: Any) -> Tensor:
        return function(x1, x2) if isinstance(x1, Tensor) else mirrored(x2, x1)

    return kernel


def where(condition: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    if condition.dtype is not torch.bool:
        condition = condition.to(torch.bool)
    return torch.where(condition, x1, x2)


def absolute(x: Tensor) -> Tensor:
    return x if x.dtype is torch.bool else torch.abs(x)


def sign(x: Tensor) -> Tensor:
    signs = torch.sign(x)
    return signs.masked_fill(torch.isnan(x), float("nan")) if x.dtype in FLOATS else signs


def round_(x: Tensor, decimals: int = 0) -> Tensor:
    if x.dtype in FLOATS:
        return torch.round(x, decimals=decimals)
    return x if decimals >= 0 else torch.round(x.double(), decimals=decimals).to(x.dtype)


def cast(x: Tensor, dtype: Any) -> Tensor:
    return x.to(DTYPES.get(dtype) or torch_dtype(dtype))


def stop_gradient(variable: Tensor) -> Tensor:
    return variable.detach()


# Reductions. Integers are summed as 32 bits; torch would take 64.

SUMS = {
    torch.bool: torch.int32, torch.int8: torch.int32, torch.int16: torch.int32,
    torch.int32: torch.int32, torch.uint8: torch.uint32, torch.uint16: torch.uint32,
    torch.uint32: torch.uint32, torch.uint64: torch.uint64,
}  # fmt: skip


def sum_(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    kind = SUMS.get(x.dtype)
    if axis == ():
        return x if kind is None else x.to(kind)
    if kind is None:
        return torch.sum(x, axis, keepdims)
    if kind in UNSIGNED:
        return torch.sum(x, axis, keepdims, dtype=torch.int64).to(kind)
    return torch.sum(x, axis, keepdims, dtype=kind)


def prod(x: Tensor, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    kind = SUMS.get(x.dtype, x.dtype) if dtype is None else torch_dtype(dtype)
    x = x.to(torch.int64 if kind in UNSIGNED else kind)
    for a in sorted(reduced_axes(axis, x.ndim), reverse=True):
        x = torch.prod(x, a, keepdims, dtype=x.dtype)
    return x.to(kind)


def mean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return x if axis == () else torch.mean(x, axis, keepdims)


def _extreme(function: Kernel, bound: str) -> Kernel:
    def kernel(x: Tensor, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
        if initial is None:
            return x if axis == () else function(x, () if axis is None else axis, keepdims)
        if x.numel() == 0:
            return torch.full_like(sum_(x, axis, keepdims), initial, dtype=x.dtype)
        found = x if axis == () else function(x, () if axis is None else axis, keepdims)
        return torch.clamp(found, **{bound: initial})

    return kernel


def _truth(function: Kernel) -> Kernel:
    def kernel(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        x = x if x.dtype is torch.bool else x != 0
        return x if axis == () else function(x, axis, keepdims)

    return kernel


def _arg(function: Kernel) -> Kernel:
    def kernel(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
        x = x.to(torch.uint8) if x.dtype is torch.bool else x
        return function(x, axis, keepdims).to(torch.int32)

    return kernel


def cumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    kind = SUMS.get(x.dtype, x.dtype) if dtype is None else torch_dtype(dtype)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    if kind in UNSIGNED:
        return torch.cumsum(x, axis, dtype=torch.int64).to(kind)
    return torch.cumsum(x, axis, dtype=kind)


# Shapes


def reshape(x: Tensor, newshape: Any) -> Tensor:
    return x.reshape(newshape)


def transpose(x: Tensor, axes: Any = None) -> Tensor:
    return x.permute(tuple(range(x.ndim - 1, -1, -1)) if axes is None else axes)


def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    return x.expand(shape)


def expand_dims(x: Tensor, axis: Any) -> Tensor:
    if isinstance(axis, int):
        return x.unsqueeze(axis)
    for a in sorted(axes_tuple(axis, x.ndim + len(axis))):
        x = x.unsqueeze(a)
    return x


def squeeze(x: Tensor, axis: Any = None) -> Tensor:
    if axis is None:
        return x.squeeze()
    for a in (axis,) if isinstance(axis, int) else axis:
        if x.shape[a] != 1:
            raise ValueError(f"squeeze: axis {axis} of the shape {tuple(x.shape)} is not of size 1")
    return x.squeeze(axis if isinstance(axis, int) else tuple(axis))


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    parts = list(x.unbind(axis))
    check_number(num, len(parts))
    return parts


def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    cuts = cut_points(indices_or_sections, x.shape[axis])
    if isinstance(indices_or_sections, int) and x.shape[axis]:
        return list(x.chunk(indices_or_sections, axis))
    return list(torch.tensor_split(x, cuts, axis))


def flip(x: Tensor, axis: Any = None) -> Tensor:
    return torch.flip(x, axes_tuple(axis, x.ndim))


def tile(x: Tensor, repeats: Any) -> Tensor:
    return torch.tile(x, (repeats,) if isinstance(repeats, int) else tuple(repeats))


def _in_range(indices: Tensor, size: int) -> Tensor:
    return torch.where(indices < 0, indices + size, indices).clamp(0, max(size - 1, 0))


def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, *axes_tuple(axis, x.ndim))
    if indices.dtype is not torch.int64 and indices.dtype is not torch.int32:
        indices = indices.to(torch.int64)
    if CHECKED and not torch.compiler.is_compiling():
        try:
            return _taken(x, indices, axis)
        except (IndexError, RuntimeError):
            pass
    return _taken(x, _in_range(indices, x.shape[axis]), axis)


def _taken(x: Tensor, indices: Tensor, axis: int) -> Tensor:
    if axis == 0 and x.ndim == 2:
        return torch.embedding(x, indices)
    found = torch.index_select(x, axis, indices.reshape(-1))
    return found.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        x, indices, axis = x.reshape(-1), indices.reshape(-1), 0
    (axis,) = axes_tuple(axis, x.ndim)
    indices = indices.to(torch.int64)
    rest = x.shape[:axis] + x.shape[axis + 1 :]
    if rest != indices.shape[:axis] + indices.shape[axis + 1 :]:
        sizes = torch.broadcast_shapes(rest, indices.shape[:axis] + indices.shape[axis + 1 :])
        x = x.expand(*sizes[:axis], x.shape[axis], *sizes[axis:])
        indices = indices.expand(*sizes[:axis], indices.shape[axis], *sizes[axis:])
    if CHECKED and not torch.compiler.is_compiling():
        try:
            return torch.gather(x, axis, indices)
        except RuntimeError:
            pass
    return torch.gather(x, axis, _in_range(indices, x.shape[axis]))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    ends = [v for v in (start, stop, step) if v is not None]
    kind = torch_dtype(dtype or dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in ends)))
    first, last = (0, start) if stop is None else (start, stop)
    by = 1 if step is None else step
    first, last, by = (v.item() if hasattr(v, "item") else v for v in (first, last, by))
    if (last - first) * by < 0:
        last = first  # empty, where torch would raise an error
    if any(isinstance(v, float) for v in (first, last, by)) and kind not in FLOATS:
        return torch.arange(first, last, by, dtype=torch.float64, device=DEVICE).to(kind)
    if kind in UNSIGNED:
        return torch.arange(first, last, by, device=DEVICE).to(kind)
    return torch.arange(first, last, by, dtype=kind, device=DEVICE)


def full(shape: Any, fill_value: Tensor, dtype: Any = None) -> Tensor:
    value = fill_value if dtype is None else fill_value.to(torch_dtype(dtype))
    return value.expand(shape).clone(memory_format=torch.contiguous_format)


# Products


def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.dtype is torch.bool:
        return torch.matmul(x1.float(), x2.float()) != 0
    return torch.matmul(x1, x2)


def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    kind = operands[0].dtype
    if kind is torch.bool:
        return torch.einsum(subscripts, *(o.float() for o in operands)) != 0
    y = torch.einsum(subscripts, *operands)
    return y if y.dtype is kind else y.to(kind)  # sums of integers become wider


_TORCH: dict[str, Kernel] = {
    "multiply": torch.multiply, "true_divide": torch.true_divide, "floor": torch.floor,
    "ceil": torch.ceil, "exp": torch.exp, "expm1": torch.expm1, "log": torch.log,
    "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "sin": torch.sin,
    "cos": torch.cos, "tanh": torch.tanh, "erf": torch.erf, "erfinv": torch.erfinv,
    "isnan": torch.isnan, "concatenate": torch.cat, "stack": torch.stack,
}  # fmt: skip
_OWN = (
    where, cast, stop_gradient, prod, mean, cumsum, reshape, transpose, broadcast_to, expand_dims,
    squeeze, unstack, split, tile, arange, full,
)  # fmt: skip
_PAIRS: dict[str, Kernel] = {
    "add": torch.add, "subtract": torch.subtract, "floor_divide": torch.floor_divide,
    "mod": torch.remainder, "power": torch.pow, "maximum": torch.maximum,
    "minimum": torch.minimum, "logical_and": torch.logical_and, "logical_or": torch.logical_or,
    "less": _comparison(torch.lt, torch.gt), "less_equal": _comparison(torch.le, torch.ge),
    "greater": _comparison(torch.gt, torch.lt), "greater_equal": _comparison(torch.ge, torch.le),
    "matmul": matmul,
}  # fmt: skip
_WIDENED: dict[str, Kernel] = {
    "logical_not": torch.logical_not, "negative": torch.neg, "absolute": absolute, "sign": sign,
    "max": _extreme(torch.amax, "min"), "min": _extreme(torch.amin, "max"),
    "argmax": _arg(torch.argmax), "argmin": _arg(torch.argmin), "flip": flip, "take": take,
    "take_along_axis": take_along_axis, "einsum": einsum,
}  # fmt: skip
PRIMITIVES: dict[str, Callable[..., Any]] = {
    **_TORCH,
    **{function.__name__: function for function in _OWN},
    **{name: _widening_pair(function) for name, function in _PAIRS.items()},
    **{name: widening(function) for name, function in _WIDENED.items()},
    "equal": _comparison(torch.eq, torch.eq),
    "not_equal": _comparison(torch.ne, torch.ne),
    "round": round_,
    "sum": sum_,
    "any": _truth(torch.any),
    "all": _truth(torch.all),
}
