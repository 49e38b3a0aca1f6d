"""PyTorch's kernels of Fourier transforms; complex numbers are pairs (real, imaginary)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from kerata.backends.geometry import check_numbers, same_shape, transform_length

Pair = tuple[Tensor, Tensor]


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype.itemsize >= 4 else x.float()


def _complex(x: Sequence[Tensor]) -> Tensor:
    real, imaginary = x
    check_numbers(real.shape[-1])
    same_shape(real, imaginary)
    return torch.complex(_wide(real), _wide(imaginary))


def _pair(z: Tensor, dtype: torch.dtype) -> Pair:
    return z.real.to(dtype), z.imag.to(dtype)


def _transform(function: Callable[..., Tensor]) -> Callable[[Sequence[Tensor]], Pair]:
    def kernel(x: Sequence[Tensor]) -> Pair:
        z = _complex(x)
        return _pair(function(z) if z.numel() else z, x[0].dtype)  # MKL refuses empty batches

    return kernel


def rfft(x: Tensor, fft_length: int | None = None) -> Pair:
    length = x.shape[-1] if fft_length is None else fft_length
    check_numbers(x.shape[-1], length)
    if not x.numel():
        return (x.new_zeros((*x.shape[:-1], length // 2 + 1)),) * 2
    return _pair(torch.fft.rfft(_wide(x), length), x.dtype)


def irfft(x: Sequence[Tensor], fft_length: int | None = None) -> Tensor:
    count = transform_length(x[0].shape[-1], fft_length)
    z = _complex(x)
    if not z.numel():
        return x[0].new_zeros((*x[0].shape[:-1], count))
    return torch.fft.irfft(z, count).to(x[0].dtype)


KERNELS: dict[str, Callable[..., Any]] = {
    "fft": _transform(torch.fft.fft), "fft2": _transform(torch.fft.fft2),
    "ifft2": _transform(torch.fft.ifft2), "rfft": rfft, "irfft": irfft,
}  # fmt: skip
