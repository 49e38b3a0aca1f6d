"""PyTorch's kernels for running products, paddings, repetitions, rolls, triangles and diagonals."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerata.backends.geometry import FILLED, MIRRORED, axes_tuple, padding, places_of
from kerata.backends.state import body_of
from kerata.backends.torch.kernels import SUMS, UNSIGNED, torch_dtype, widening


def cumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    kind = SUMS.get(x.dtype, x.dtype) if dtype is None else torch_dtype(dtype)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    wide = torch.int64 if kind in UNSIGNED else kind
    wide = torch.float32 if kind in (torch.float16, torch.bfloat16) else wide
    return torch.cumprod(x, axis, dtype=wide).to(kind)


def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    pairs = padding(x.shape, pad_width, mode, constant_values)
    if mode in FILLED:
        flat = [v for pair in reversed(pairs) for v in pair]
        return torch.constant_pad_nd(x, flat, constant_values or 0)
    if mode not in MIRRORED:
        found: Tensor = body_of("pad")(x, pad_width, mode, constant_values)
        return found
    for axis, (n, pair) in enumerate(zip(x.shape, pairs, strict=True)):
        if pair != (0, 0):
            places = np.pad(np.arange(n), pair, mode)  # type: ignore[call-overload]
            x = torch.index_select(x, axis, torch.from_numpy(places).to(x.device))
    return x


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    x, place = (x.reshape(-1), 0) if axis is None else (x, *axes_tuple(axis, x.ndim))
    if isinstance(repeats, Tensor):
        return torch.repeat_interleave(x, repeats.to(torch.int64), place)
    if not isinstance(repeats, Integral):
        places = places_of(repeats, x.shape[place])
        return torch.index_select(x, place, torch.tensor(places, dtype=torch.int64).to(x.device))
    sizes = list(x.shape)
    wide = x.unsqueeze(place + 1).expand(*sizes[: place + 1], repeats, *sizes[place + 1 :])
    sizes[place] *= repeats
    return wide.reshape(sizes)


def roll(x: Tensor, shift: Any, axis: Any = None) -> Tensor:
    if isinstance(shift, int) and (axis is None or isinstance(axis, int)):
        return torch.roll(x, shift, axis)
    found: Tensor = body_of("roll")(x, shift, axis)
    return found


@widening
def tril(x: Tensor, k: int = 0) -> Tensor:
    return torch.tril(x, k)


@widening
def triu(x: Tensor, k: int = 0) -> Tensor:
    return torch.triu(x, k)


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return torch.diagonal(x, offset, axis1, axis2)


_OWN = (cumprod, pad, repeat, roll, diagonal)
KERNELS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in _OWN}, "copy": torch.clone, "tril": tril, "triu": triu,
}  # fmt: skip
