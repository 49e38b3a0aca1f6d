"""The kernels of `abstract`: what shape and dtype each primitive gives, and how much work it is."""

from __future__ import annotations

import functools
import itertools
import math
import string
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import optree

from kerata.backends import dtypes
from kerata.backends.abstract.elements import KERNELS as ELEMENTS
from kerata.backends.abstract.elements import WORKING, broadcast, describe
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.geometry import (
    axes_tuple,
    check_number,
    cut_points,
    reduced_axes,
    summed,
    window,
)


class _Tally(threading.local):
    counts: Any = None


tally = _Tally()


def reduced(shape: Sequence[Any], axis: Any, keepdims: bool) -> tuple[Any, ...]:
    """The shape that is left when `axis` is reduced."""
    axes = reduced_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else s for i, s in enumerate(shape))
    return tuple(s for i, s in enumerate(shape) if i not in axes)


def _reduction(rule: Callable[[str], str]) -> Callable[..., T]:
    def kernel(x: T, axis: Any = None, keepdims: bool = False) -> T:
        return T(reduced(x.shape, axis, keepdims), rule(x.dtype))

    return kernel


def _prod(x: T, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> T:
    return T(reduced(x.shape, axis, keepdims), dtypes.standardize_dtype(dtype or summed(x.dtype)))


def _cumsum(x: T, axis: Any = None, dtype: Any = None) -> T:
    shape = (math.prod(x.shape),) if axis is None else x.shape
    axes_tuple(axis, len(x.shape))
    return T(shape, dtypes.standardize_dtype(dtype or summed(x.dtype)))


def _reshape(x: T, newshape: Any) -> T:
    shape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    total = math.prod(x.shape)
    if -1 in shape:
        known = math.prod(s for s in shape if s != -1)
        rest = total // known if known else 0
        shape = tuple(rest if s == -1 else s for s in shape)
    if math.prod(shape) != total:
        raise ValueError(
            f"reshape: {describe(x)} has {total} elements, which don't fill the shape "
            f"{tuple(newshape) if not isinstance(newshape, int) else newshape}"
        )
    return T(shape, x.dtype)


def _transpose(x: T, axes: Any = None) -> T:
    rank = len(x.shape)
    order = tuple(range(rank))[::-1] if axes is None else axes_tuple(tuple(axes), rank)
    if sorted(order) != list(range(rank)):
        raise ValueError(f"transpose: axes {axes} is no order of the {rank} axes of {describe(x)}")
    return T(tuple(x.shape[a] for a in order), x.dtype)


def _broadcast_to(x: T, shape: Any) -> T:
    shape = tuple(shape)
    if broadcast("broadcast_to", x.shape, shape) != shape:
        raise ValueError(f"broadcast_to: {describe(x)} does not broadcast to {shape}")
    return T(shape, x.dtype)


def _expand_dims(x: T, axis: Any) -> T:
    added = 1 if isinstance(axis, int) else len(axis)
    axes = axes_tuple(axis, len(x.shape) + added)
    rest = iter(x.shape)
    return T(tuple(1 if i in axes else next(rest) for i in range(len(x.shape) + added)), x.dtype)


def _squeeze(x: T, axis: Any = None) -> T:
    if axis is None:
        return T(tuple(s for s in x.shape if s != 1), x.dtype)
    axes = axes_tuple(axis, len(x.shape))
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"squeeze: axis {axis} of {describe(x)} is not of size 1")
    return T(tuple(s for i, s in enumerate(x.shape) if i not in axes), x.dtype)


def _concatenate(xs: Sequence[T], axis: int = 0) -> T:
    rank = len(xs[0].shape)
    (place,) = axes_tuple(axis, rank)
    for x in xs:
        others = [i for i in range(rank) if i != place]
        if len(x.shape) != rank or any(x.shape[i] != xs[0].shape[i] for i in others):
            raise ValueError(
                f"concatenate: the tensors must agree on all axes but {axis}; got {describe(*xs)}"
            )
    total = sum(x.shape[place] for x in xs)
    return T((*xs[0].shape[:place], total, *xs[0].shape[place + 1 :]), xs[0].dtype)


def _stack(x: Sequence[T], axis: int = 0) -> T:
    if any(t.shape != x[0].shape for t in x):
        raise ValueError(f"stack: the tensors must have one shape; got {describe(*x)}")
    (place,) = axes_tuple(axis, len(x[0].shape) + 1)
    return T((*x[0].shape[:place], len(x), *x[0].shape[place:]), x[0].dtype)


def _unstack(x: T, num: int | None = None, axis: int = 0) -> list[T]:
    (place,) = axes_tuple(axis, len(x.shape))
    check_number(num, x.shape[place])
    return [T(reduced(x.shape, place, False), x.dtype) for _ in range(x.shape[place])]


def _split(x: T, indices_or_sections: Any, axis: int = 0) -> list[T]:
    (place,) = axes_tuple(axis, len(x.shape))
    cuts = [0, *cut_points(indices_or_sections, x.shape[place]), x.shape[place]]
    before, after = x.shape[:place], x.shape[place + 1 :]
    return [T((*before, max(b - a, 0), *after), x.dtype) for a, b in itertools.pairwise(cuts)]


def _flip(x: T, axis: Any = None) -> T:
    axes_tuple(axis, len(x.shape))
    return x


def _tile(x: T, repeats: Any) -> T:
    times = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    if any(isinstance(t, int) and t < 0 for t in times):
        raise ValueError(f"tile: repeats must not be negative; got {repeats}")
    rank = max(len(times), len(x.shape))
    times = (1,) * (rank - len(times)) + times
    shape = (1,) * (rank - len(x.shape)) + tuple(x.shape)
    return T(tuple(s * t for s, t in zip(shape, times, strict=True)), x.dtype)


def _take(x: T, indices: T, axis: int | None = None) -> T:
    if axis is None:
        return T(indices.shape, x.dtype)
    (place,) = axes_tuple(axis, len(x.shape))
    return T((*x.shape[:place], *indices.shape, *x.shape[place + 1 :]), x.dtype)


def _take_along_axis(x: T, indices: T, axis: int | None = None) -> T:
    if axis is None:
        return T((math.prod(indices.shape),), x.dtype)
    (place,) = axes_tuple(axis, len(x.shape))
    if len(indices.shape) != len(x.shape):
        raise ValueError(f"take_along_axis: the ranks differ: {describe(x, indices)}")
    free = [1 if i == place else s for i, s in enumerate(x.shape)]
    shape = list(broadcast("take_along_axis", free, [*indices.shape]))
    shape[place] = indices.shape[place]
    return T(tuple(shape), x.dtype)


def _arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> T:
    ends = [v for v in (start, stop, step) if v is not None]
    kind = dtype or dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in ends))
    first, last = (0, start) if stop is None else (start, stop)
    if isinstance(step, (int, float)) and step == 0:
        raise ValueError(f"arange: step must not be 0 (from {first} to {last})")
    count = max(math.ceil((last - first) / (1 if step is None else step)), 0)
    return T((count,), dtypes.standardize_dtype(kind))


def _full(shape: Any, fill_value: T, dtype: Any = None) -> T:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(isinstance(n, int) and n < 0 for n in sizes):
        raise ValueError(f"full: a size must not be negative; got the shape {shape}")
    return T(sizes, dtypes.standardize_dtype(dtype or fill_value.dtype))


def leading(name: str, a: Sequence[Any], b: Sequence[Any], tensors: str) -> tuple[Any, ...]:
    """What all but the last two axes broadcast to; `tensors` ends the error's text."""
    try:
        return broadcast(name, a[:-2], b[:-2])
    except ValueError:
        raise ValueError(f"{name}: all axes but the last two must broadcast {tensors}") from None


def _matmul(x1: T, x2: T) -> T:
    a = x1.shape if len(x1.shape) > 1 else (1, *x1.shape)
    b = x2.shape if len(x2.shape) > 1 else (*x2.shape, 1)
    both = f"(x1 {describe(x1)}, x2 {describe(x2)})"
    if not x1.shape or not x2.shape:
        raise ValueError(f"matmul: both tensors need an axis {both}")
    if a[-1] != b[-2]:
        which = "second last" if len(x2.shape) > 1 else "only one"
        raise ValueError(
            f"matmul: the last axis of x1 has {a[-1]} entries, the {which} of x2 has {b[-2]} {both}"
        )
    shape = (*leading("matmul", a, b, both), a[-2], b[-1])
    if len(x1.shape) == 1:
        shape = (*shape[:-2], shape[-1])
    return T(shape[:-1] if len(x2.shape) == 1 else shape, x1.dtype)


def _letters(subscripts: str, operands: Sequence[T]) -> tuple[list[str], str]:
    """The terms and the output of an einsum, its ellipses spelled out in capitals."""
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} tensors; got {len(operands)}")
    extra = [c for c in string.ascii_uppercase[::-1] if c not in subscripts]
    longest = ""
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        if "..." in term:
            dots = "".join(extra[: max(len(x.shape) - len(term) + 3, 0)][::-1])
            longest = dots if len(dots) > len(longest) else longest
            terms[i] = term.replace("...", dots)
    if not arrow:
        every = "".join(terms)
        once = (c for c in set(every) if every.count(c) == 1 and c not in extra)
        out = "..." + "".join(sorted(once))
    return terms, out.replace("...", longest)


def _einsum_sizes(subscripts: str, operands: Sequence[T]) -> tuple[dict[str, Any], str]:
    terms, out = _letters(subscripts, operands)
    sizes: dict[str, Any] = {}
    for term, x in zip(terms, operands, strict=True):
        if len(term) != len(x.shape):
            raise ValueError(
                f"einsum: {term!r} of {subscripts!r} names {len(term)} axes; got {describe(x)}"
            )
        for letter, size in zip(term, x.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                if 1 not in (sizes[letter], size):
                    raise ValueError(
                        f"einsum: {letter!r} of {subscripts!r} is {sizes[letter]} and {size} "
                        f"({describe(*operands)})"
                    )
                sizes[letter] = size if sizes[letter] == 1 else sizes[letter]
    if not set(out) <= set(sizes) or len(set(out)) != len(out):
        raise ValueError(
            f"einsum: the result of {subscripts!r} must name axes of the operands, each once"
        )
    return sizes, out


def _einsum(subscripts: str, *operands: T) -> T:
    sizes, out = _einsum_sizes(subscripts, operands)
    return T(tuple(sizes[letter] for letter in out), operands[0].dtype)


def _framed(plan: Any, x: T, channels: Any) -> tuple[Any, ...]:
    sizes = plan.output(plan.spatial(x.shape))
    if any(s < 1 for s in sizes):
        raise ValueError(
            f"The window {plan.size} is larger than the input {describe(x)}: no output is left"
        )
    if plan.channels_last:
        return (x.shape[0], *sizes, channels)
    return (x.shape[0], channels, *sizes)


def _conv(
    inputs: T,
    kernel: T,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> T:
    if len(kernel.shape) != len(inputs.shape):
        raise ValueError(f"conv: the ranks of inputs and kernel differ: {describe(inputs, kernel)}")
    size = tuple(kernel.shape[:-2])
    plan = window(len(inputs.shape), size, strides, padding, data_format, dilation_rate)
    channels = inputs.shape[-1] if plan.channels_last else inputs.shape[1]
    if channels % kernel.shape[-2] or kernel.shape[-1] % max(channels // kernel.shape[-2], 1):
        raise ValueError(
            f"conv: the inputs have {channels} channels, which the kernel's {kernel.shape[-2]} "
            f"must divide, and the {kernel.shape[-1]} filters that number of groups "
            f"({describe(inputs, kernel)})"
        )
    return T(_framed(plan, inputs, kernel.shape[-1]), inputs.dtype)


def _pool(
    inputs: T,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> T:
    plan = window(len(inputs.shape), pool_size, strides, padding, data_format)
    channels = inputs.shape[-1] if plan.channels_last else inputs.shape[1]
    return T(_framed(plan, inputs, channels), inputs.dtype)


_PLAIN: dict[str, Callable[..., Any]] = {
    **ELEMENTS,
    "sum": _reduction(summed), "mean": _reduction(lambda d: d),
    "any": _reduction(lambda _: "bool"), "all": _reduction(lambda _: "bool"), "prod": _prod,
    "cumsum": _cumsum,
    "reshape": _reshape, "transpose": _transpose, "broadcast_to": _broadcast_to,
    "expand_dims": _expand_dims, "squeeze": _squeeze, "concatenate": _concatenate, "stack": _stack,
    "unstack": _unstack, "split": _split, "flip": _flip,
    "tile": _tile, "take": _take, "take_along_axis": _take_along_axis,
    "arange": _arange, "full": _full, "matmul": _matmul, "einsum": _einsum, "conv": _conv,
    "max_pool": _pool, "average_pool": _pool,
}  # fmt: skip


# Work


def _work_matmul(out: T, x1: T, x2: T) -> int:
    return 2 * math.prod(out.shape) * x1.shape[-1]


def _work_einsum(out: T, subscripts: str, *operands: T) -> int:
    sizes, _ = _einsum_sizes(subscripts, operands)
    return 2 * math.prod(sizes.values())


def _work_conv(out: T, inputs: T, kernel: T, *_: Any, **__: Any) -> int:
    return 2 * math.prod(out.shape) * math.prod(kernel.shape[:-1])


def _work_pool(out: T, inputs: T, pool_size: Any, *_: Any, **__: Any) -> int:
    rank = len(inputs.shape) - 2
    return math.prod(out.shape) * (
        pool_size**rank if isinstance(pool_size, int) else math.prod(pool_size)
    )


_REDUCING = ["sum", "prod", "mean", "any", "all", "cumsum"]
_WORK: dict[str, Callable[..., int]] = {
    **{n: lambda out, *_, **__: math.prod(out.shape) for n in WORKING},
    **{n: lambda out, x, *_, **__: math.prod(x.shape) for n in _REDUCING},
    "matmul": _work_matmul, "einsum": _work_einsum, "conv": _work_conv,
    "max_pool": _work_pool, "average_pool": _work_pool,
}  # fmt: skip


def _size(x: Any) -> int:
    if isinstance(x, T):
        return math.prod(x.shape) * dtypes.size(x.dtype)
    return sum(_size(v) for v in x) if isinstance(x, (list, tuple)) else 0


def _named(name: str, error: Exception, tensors: Sequence[T]) -> Exception:
    """`error` of the operation `name`, saying so and on what."""
    return type(error)(f"{name}: {error} ({describe(*tensors)})")


def counted(
    name: str, kernel: Callable[..., Any], work: Callable[..., int] | None = None
) -> Callable[..., Any]:
    """A kernel that names itself in its errors, and tallies its work: by `work`, or by `_WORK`."""
    work = work or _WORK.get(name)

    @functools.wraps(kernel)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            out = kernel(*args, **kwargs)
        except (ValueError, IndexError) as error:
            if str(error).startswith(f"{name}:"):
                raise
            tensors = [x for x in optree.tree_leaves(cast(Any, args)) if isinstance(x, T)]
            raise _named(name, error, tensors) from None
        if tally.counts is not None:
            tally.counts.flops += work(out, *args, **kwargs) if work is not None else 0
            tally.counts.bytes += _size(args) + _size(out)
        return out

    return run


KERNELS: dict[str, Callable[..., Any]] = {n: counted(n, k) for n, k in _PLAIN.items()}
