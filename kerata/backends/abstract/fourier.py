"""What Fourier transforms give, and how much work they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kerata.backends.abstract.kernels import counted
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.geometry import same_shape, transform_length


def _checked(x: Sequence[T]) -> tuple[T, T]:
    if len(x) != 2:
        raise ValueError(f"x must be a pair of real and imaginary parts; got {len(x)} tensors")
    same_shape(*x)
    _check_axes(x[0])
    return x[0], x[1]


def _check_axes(x: T) -> None:
    if not x.shape:
        raise ValueError("x needs an axis")
    if x.shape[-1] == 0:
        raise ValueError("x has no numbers to transform")


def _fft(x: Sequence[T]) -> tuple[T, T]:
    return _checked(x)


def _rfft(x: T, fft_length: int | None = None) -> tuple[T, T]:
    _check_axes(x)
    length = x.shape[-1] if fft_length is None else fft_length
    if length < 1:
        raise ValueError(f"fft_length must be positive; got {fft_length}")
    y = T((*x.shape[:-1], length // 2 + 1), x.dtype)
    return y, y


def _irfft(x: Sequence[T], fft_length: int | None = None) -> T:
    real, _ = _checked(x)
    length = transform_length(real.shape[-1], fft_length)
    return T((*real.shape[:-1], length), real.dtype)


def _work(out: Any, *_: Any, **__: Any) -> int:
    """`5 n log2 n` for each complex transform of `n`, half of it for a real one."""
    pair = isinstance(out, tuple)
    shape = out[0].shape if pair else out.shape
    size = shape[-1] if shape else 1
    return round((5 if pair else 2.5) * math.prod(shape) * math.log2(max(size, 2)))


_PLAIN: dict[str, Callable[..., Any]] = {"fft": _fft, "rfft": _rfft, "irfft": _irfft}
KERNELS = {n: counted(n, k, _work) for n, k in _PLAIN.items()}
