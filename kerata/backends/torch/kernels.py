"""PyTorch's kernels for the primitives: its own functions where they mean the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import optree
import torch
from torch import Tensor

from kerata.backends import dtypes
from kerata.backends.geometry import axes_tuple, cut_points, pad_pairs
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
_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)
_WIDER = {
    **dict.fromkeys(_UNSIGNED, torch.int64),
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

_SUMS = {
    torch.bool: torch.int32, torch.int8: torch.int32, torch.int16: torch.int32,
    torch.int32: torch.int32, torch.uint8: torch.uint32, torch.uint16: torch.uint32,
    torch.uint32: torch.uint32, torch.uint64: torch.uint64,
}  # fmt: skip


def sum_(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    kind = _SUMS.get(x.dtype)
    if axis == ():
        return x if kind is None else x.to(kind)
    if kind is None:
        return torch.sum(x, axis, keepdims)
    if kind in _UNSIGNED:
        return torch.sum(x, axis, keepdims, dtype=torch.int64).to(kind)
    return torch.sum(x, axis, keepdims, dtype=kind)


def prod(x: Tensor, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    kind = _SUMS.get(x.dtype, x.dtype) if dtype is None else torch_dtype(dtype)
    x = x.to(torch.int64 if kind in _UNSIGNED else kind)
    for a in sorted(axes_tuple(axis, x.ndim), reverse=True):
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
        return torch.clamp(function(x, () if axis is None else axis, keepdims), **{bound: initial})

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
    kind = _SUMS.get(x.dtype, x.dtype) if dtype is None else torch_dtype(dtype)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    if kind in _UNSIGNED:
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
    return list(x.unbind(axis))


def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    cuts = cut_points(indices_or_sections, x.shape[axis])
    if isinstance(indices_or_sections, int) and x.shape[axis]:
        return list(x.chunk(indices_or_sections, axis))
    return list(torch.tensor_split(x, cuts, axis))


def getitem(x: Tensor, key: Any) -> Tensor:
    for k in key if type(key) is tuple else (key,):
        if type(k) is slice:
            if k.step is not None and k.step < 0:
                return _getitem_by_arrays(x, key)
        elif type(k) is not int and k is not None and k is not Ellipsis:
            return _getitem_by_arrays(x, key)
    return x[key]


def _index(k: Any) -> Any:
    """An index as torch takes it: a Python int or an int64 or bool tensor."""
    k = k.value if hasattr(type(k), "__kerata_value__") else k
    if isinstance(k, int):
        return k
    k = torch.as_tensor(k, device=DEVICE)
    return k if k.dtype in (torch.bool, torch.int64) else k.to(torch.int64)


def _getitem_by_arrays(x: Tensor, key: Any) -> Tensor:
    keys: list[Any] = [
        k if k is None or k is Ellipsis or isinstance(k, slice) else _index(k)
        for k in (key if type(key) is tuple else (key,))
    ]
    widths = [0 if k is None else k.ndim if _is_mask(k) else 1 for k in keys]
    arrays = any(isinstance(k, Tensor) and k.ndim > 0 for k in keys)
    place = 0
    for i, k in enumerate(keys):
        if k is Ellipsis:
            place = x.ndim - sum(widths[i + 1 :])
            continue
        if isinstance(k, slice) and k.step is not None and k.step < 0:
            taken = range(*k.indices(x.shape[place]))
            part = slice(taken[-1], taken[0] + 1, -k.step) if taken else slice(0, 0)
            x, keys[i] = x[(slice(None),) * place + (part,)].flip(place), slice(None)
        elif isinstance(k, int) and arrays:  # NumPy counts it among the arrays, torch does not
            keys[i] = torch.tensor([k], device=x.device)
        place += widths[i]
    return x[tuple(keys)]


def _is_mask(k: Any) -> bool:
    return isinstance(k, Tensor) and k.dtype is torch.bool


def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    pairs = pad_pairs(pad_width, x.ndim)
    if mode == "constant":
        flat = [v for pair in reversed(pairs) for v in pair]
        return torch.constant_pad_nd(x, flat, constant_values or 0)
    for axis, (n, pair) in enumerate(zip(x.shape, pairs, strict=True)):
        if pair != (0, 0):
            places = np.pad(np.arange(n), pair, mode)  # type: ignore[call-overload]
            x = torch.index_select(x, axis, torch.from_numpy(places).to(x.device))
    return x


def flip(x: Tensor, axis: Any = None) -> Tensor:
    return torch.flip(x, axes_tuple(axis, x.ndim))


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    if not isinstance(repeats, int):
        return torch.repeat_interleave(x, torch.as_tensor(repeats, device=x.device), axis)
    x, place = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    sizes = list(x.shape)
    wide = x.unsqueeze(place + 1).expand(*sizes[: place + 1], repeats, *sizes[place + 1 :])
    sizes[place] *= repeats
    return wide.reshape(sizes)


def tile(x: Tensor, repeats: Any) -> Tensor:
    return torch.tile(x, (repeats,) if isinstance(repeats, int) else tuple(repeats))


def _in_range(indices: Tensor, size: int) -> Tensor:
    return torch.where(indices < 0, indices + size, indices).clamp(0, max(size - 1, 0))


def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
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
    axis %= x.ndim
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
    first, last, by = (v.item() if hasattr(v, "item") else v for v in (first, last, step or 1))
    if (last - first) * by < 0:
        last = first  # empty, where torch would raise an error
    if any(isinstance(v, float) for v in (first, last, by)) and kind not in FLOATS:
        return torch.arange(first, last, by, dtype=torch.float64, device=DEVICE).to(kind)
    if kind in _UNSIGNED:
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


# Control


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    leaves, tree = optree.tree_flatten(xs)
    # One `unbind` each: indexing in the loop would fill a whole sequence with zeros per step,
    # going backwards.
    rows = list(zip(*(leaf.unbind(0) for leaf in leaves))) if leaves else [()] * (length or 0)
    carry, outputs = init, []
    for row in reversed(rows) if reverse else rows:
        carry, y = f(carry, optree.tree_unflatten(tree, row))
        outputs.append(y)
    if reverse:
        outputs.reverse()
    if not outputs:
        return carry, None
    if isinstance(outputs[0], Tensor):
        return carry, torch.stack(outputs)
    return carry, optree.tree_map(lambda *ys: torch.stack(ys), *outputs)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    single = not isinstance(loop_vars, (list, tuple))
    values = (loop_vars,) if single else tuple(loop_vars)
    count = 0
    while (maximum_iterations is None or count < maximum_iterations) and cond(*values):
        result = body(*values)
        values = (result,) if single else tuple(result)
        count += 1
    return values[0] if single else values


def cond(pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    return optree.tree_map(as_tensor, true_fn() if pred else false_fn())


# Random draws, from a generator that is seeded anew for each

_BITS = 0xFFFFFFFF


class _Local(threading.local):
    def __init__(self) -> None:
        self.generator = torch.Generator(DEVICE)


_local = _Local()


def _generator(seed: Tensor) -> torch.Generator:
    """This thread's generator, started from `seed`; the Mersenne twister takes 32 bits of it."""
    first, second = seed.tolist()
    mixed = (second * 0x9E3779B1 + first * 0x85EBCA6B) & _BITS
    return _local.generator.manual_seed((first & _BITS) << 32 | mixed)


def random_uniform(shape: Any, seed: Tensor, dtype: str = "float32") -> Tensor:
    empty = torch.empty(shape, dtype=torch_dtype(dtype), device=DEVICE)
    return empty.uniform_(generator=_generator(seed))


def random_normal(shape: Any, seed: Tensor, dtype: str = "float32") -> Tensor:
    empty = torch.empty(shape, dtype=torch_dtype(dtype), device=DEVICE)
    return empty.normal_(generator=_generator(seed))


def random_randint(
    shape: Any, minval: Any, maxval: Any, seed: Tensor, dtype: str = "int32"
) -> Tensor:
    drawn = torch.empty(shape, dtype=torch.int64, device=DEVICE)
    drawn.random_(int(minval), int(maxval), generator=_generator(seed))
    return drawn.to(torch_dtype(dtype))


def _sixteen_bits(count: int, seed: Tensor) -> Tensor:
    """Random int16 numbers: a quarter of the draws, and a tenth of the time, of `bernoulli_`."""
    words = (count + 3) // 4
    if CHECKED and words > 2**14:  # twice as fast as the twister, once it is set up
        raw = np.random.SFC64([v & _BITS for v in seed.tolist()]).random_raw(words)
        return torch.from_numpy(raw.view(np.int16))[:count]
    empty = torch.empty(words, dtype=torch.int64, device=DEVICE)
    return empty.random_(-(2**63), None, generator=_generator(seed)).view(torch.int16)[:count]


def draw_mask(shape: Any, probability: float, seed: Tensor, dtype: torch.dtype) -> Tensor:
    """Ones with `probability`, otherwise zeros."""
    drawn = torch.empty(shape, dtype=dtype, device=DEVICE)
    if torch.compiler.is_compiling():  # a compiled program draws from torch's own state
        return drawn.bernoulli_(probability)
    bound = round(probability * 2**16) - 2**15
    if bound >= 2**15:
        return drawn.fill_(1)
    flat = drawn.view(-1)
    torch.lt(_sixteen_bits(flat.shape[0], seed), bound, out=flat)
    return drawn


def random_bernoulli(shape: Any, probability: float, seed: Tensor) -> Tensor:
    return draw_mask(shape, probability, seed, torch.bool)


_TORCH: dict[str, Kernel] = {
    "multiply": torch.multiply, "true_divide": torch.true_divide, "floor": torch.floor,
    "ceil": torch.ceil, "exp": torch.exp, "expm1": torch.expm1, "log": torch.log,
    "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "sin": torch.sin,
    "cos": torch.cos, "tanh": torch.tanh, "erf": torch.erf, "erfinv": torch.erfinv,
    "isnan": torch.isnan, "concatenate": torch.cat, "stack": torch.stack,
}  # fmt: skip
_OWN = (
    where, cast, stop_gradient, prod, mean, cumsum, reshape, transpose, broadcast_to, expand_dims,
    squeeze, unstack, split, getitem, pad, repeat, tile, arange, full, scan, while_loop, cond,
    random_uniform, random_normal, random_randint, random_bernoulli,
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
    "take_along_axis": take_along_axis, "einsum": torch.einsum,
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
