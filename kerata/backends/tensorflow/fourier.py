"""TensorFlow's kernels of Fourier transforms; complex numbers are pairs (real, imaginary)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerata.backends.geometry import check_numbers, same_shape, transform_length
from kerata.backends.tensorflow.kernels import HALF, as_dtype, raw, shape_of


def _wide(x: Any) -> Any:
    return as_dtype(x, tf.float32) if x.dtype in HALF else x


def _complex(x: Any) -> Any:
    real, imaginary = x
    check_numbers(real.shape[-1])
    if real.shape.is_fully_defined() and imaginary.shape.is_fully_defined():
        same_shape(real, imaginary)
    return tf.complex(_wide(real), _wide(imaginary))


def _pair(z: Any, dtype: Any) -> Any:
    return as_dtype(tf.math.real(z), dtype), as_dtype(tf.math.imag(z), dtype)


def _transform(function: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: _pair(function(input=_complex(x)), x[0].dtype)


def rfft(x: Any, fft_length: int | None = None) -> Any:
    check_numbers(x.shape[-1], fft_length)
    if fft_length is None:
        return _pair(tf.signal.rfft(_wide(x)), x.dtype)
    # Cut here: TensorFlow's gradient is only for what it fills up.
    return _pair(tf.signal.rfft(_wide(x[..., :fft_length]), [fft_length]), x.dtype)


def irfft(x: Any, fft_length: int | None = None) -> Any:
    count = transform_length(shape_of(x[0])[-1], fft_length)
    kept = _complex(x)[..., : count // 2 + 1]
    return as_dtype(tf.signal.irfft(kept, [count]), x[0].dtype)


KERNELS: dict[str, Callable[..., Any]] = {
    "fft": _transform(raw.FFT), "fft2": _transform(raw.FFT2D), "ifft2": _transform(raw.IFFT2D),
    "rfft": rfft, "irfft": irfft,
}  # fmt: skip
