"""NumPy's kernels of Fourier transforms; complex numbers are pairs (real, imaginary)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.backends.geometry import same_shape, transform_length

Pair = tuple[np.ndarray, np.ndarray]


def _complex(x: Sequence[np.ndarray]) -> np.ndarray:
    real, imaginary = x
    same_shape(real, imaginary)
    wide = real.dtype if real.dtype.itemsize > 4 else np.dtype(np.float32)
    found = np.empty(real.shape, np.result_type(wide, np.complex64))
    found.real, found.imag = real, imaginary
    return found


def _pair(z: np.ndarray, dtype: Any) -> Pair:
    return z.real.astype(dtype), z.imag.astype(dtype)


def _transform(function: Callable[..., Any]) -> Callable[[Sequence[np.ndarray]], Pair]:
    def kernel(x: Sequence[np.ndarray]) -> Pair:
        return _pair(function(_complex(x)), x[0].dtype)

    return kernel


def rfft(x: np.ndarray, fft_length: int | None = None) -> Pair:
    wide = x if x.dtype.itemsize >= 4 else x.astype(np.float32)
    return _pair(np.fft.rfft(wide, fft_length), x.dtype)


def irfft(x: Sequence[np.ndarray], fft_length: int | None = None) -> np.ndarray:
    count = transform_length(x[0].shape[-1], fft_length)
    return np.fft.irfft(_complex(x), count).astype(x[0].dtype)


KERNELS: dict[str, Callable[..., Any]] = {
    "fft": _transform(np.fft.fft), "fft2": _transform(np.fft.fft2),
    "ifft2": _transform(np.fft.ifft2), "rfft": rfft, "irfft": irfft,
}  # fmt: skip
