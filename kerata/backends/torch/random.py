"""PyTorch's draws, from a generator that is seeded anew for each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kerata.backends.torch.kernels import CHECKED, DEVICE, torch_dtype

_BITS = 0xFFFFFFFF
_LOWEST = -(2**63)


class _Local(threading.local):
    def __init__(self) -> None:
        self.generator = torch.Generator(DEVICE)


_local = _Local()


def _hashed(first: int, second: int) -> int:
    """64 bits, each of which depends on every bit of both (the finalizer of splitmix64, 2014).

    The Mersenne twister takes 32 of them, so the seeds of two streams must not stay neighbours.
    """
    x = (first & _BITS) << 32 | (second & _BITS)
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return x ^ (x >> 31)


def _generator(seed: Tensor) -> torch.Generator:
    """This thread's generator, started from `seed`."""
    return _local.generator.manual_seed(_hashed(*seed.tolist()))


def random_uniform(shape: Any, seed: Tensor, dtype: str = "float32") -> Tensor:
    empty = torch.empty(shape, dtype=torch_dtype(dtype), device=DEVICE)
    return empty.uniform_(generator=_generator(seed))


def random_normal(shape: Any, seed: Tensor, dtype: str = "float32") -> Tensor:
    empty = torch.empty(shape, dtype=torch_dtype(dtype), device=DEVICE)
    return empty.normal_(generator=_generator(seed))


def random_randint(
    shape: Any, minval: Any, maxval: Any, seed: Tensor, dtype: str = "int32"
) -> Tensor:
    low, high, kind = int(minval), int(maxval), torch_dtype(dtype)
    drawn = torch.empty(shape, dtype=torch.int64, device=DEVICE)
    high_half = kind is torch.uint64 and high > 2**63
    if high_half:  # drawn 2⁶³ lower, then the upper bit turned
        low, high = low + _LOWEST, high + _LOWEST
    if high - low == 2**64:
        drawn.random_(low, None, generator=_generator(seed))
    elif high == 2**63:  # one more than what `random_` takes
        drawn.random_(low - 1, high - 1, generator=_generator(seed)).add_(1)
    else:
        drawn.random_(low, high, generator=_generator(seed))
    return (drawn ^ _LOWEST).view(kind) if high_half else drawn.to(kind)


def _sixteen_bits(count: int, seed: Tensor) -> Tensor:
    """Random int16 numbers: a quarter of the draws, and a tenth of the time, of `bernoulli_`."""
    words = (count + 3) // 4
    if CHECKED and words > 2**14:  # twice as fast as the twister, once it is set up
        raw = np.random.SFC64([v & _BITS for v in seed.tolist()]).random_raw(words)
        return torch.from_numpy(raw.view(np.int16))[:count]
    empty = torch.empty(words, dtype=torch.int64, device=DEVICE)
    return empty.random_(_LOWEST, None, generator=_generator(seed)).view(torch.int16)[:count]


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


def random_gamma(alpha: Tensor, seed: Tensor) -> Tensor:
    return torch._standard_gamma(alpha, generator=_generator(seed))


def random_binomial(counts: Tensor, probabilities: Tensor, seed: Tensor) -> Tensor:
    return torch.binomial(counts, probabilities, generator=_generator(seed))


_OWN = (
    random_uniform, random_normal, random_randint, random_bernoulli, random_gamma, random_binomial,
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
