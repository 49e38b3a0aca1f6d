"""JAX's kernels of Fourier transforms; complex numbers are pairs (real, imaginary)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from kerata.backends.geometry import check_numbers, same_shape, transform_length


def _wide(x: Any) -> Any:
    return x if x.dtype.itemsize >= 4 else x.astype(jnp.float32)


def _complex(x: Any) -> Any:
    real, imaginary = x
    check_numbers(real.shape[-1])
    same_shape(real, imaginary)
    return lax.complex(_wide(real), _wide(imaginary))


def _pair(z: Any, dtype: Any) -> Any:
    return z.real.astype(dtype), z.imag.astype(dtype)


def _transform(function: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: _pair(function(_complex(x)), x[0].dtype)


def rfft(x: Any, fft_length: int | None = None) -> Any:
    return _pair(jnp.fft.rfft(_wide(x), fft_length), x.dtype)


def irfft(x: Any, fft_length: int | None = None) -> Any:
    count = transform_length(x[0].shape[-1], fft_length)
    return jnp.fft.irfft(_complex(x), count).astype(x[0].dtype)


KERNELS: dict[str, Callable[..., Any]] = {
    "fft": _transform(jnp.fft.fft), "fft2": _transform(jnp.fft.fft2),
    "ifft2": _transform(jnp.fft.ifft2), "rfft": rfft, "irfft": irfft,
}  # fmt: skip
