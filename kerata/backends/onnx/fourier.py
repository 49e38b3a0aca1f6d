"""The kernels of `onnx` for Fourier transforms, by its operator DFT.

Runtimes know little more of it than the transform of complex numbers over one axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kerata.backends.geometry import transform_length
from kerata.backends.onnx.arrays import concatenate, flip, pad, reshape, stack, unstack
from kerata.backends.onnx.graph import OnnxValue, Size, Unsupported, constant, emit
from kerata.backends.onnx.kernels import cast, multiply, negative

Pair = tuple[OnnxValue, OnnxValue]


def _dft(parts: Sequence[OnnxValue], inverse: int = 0) -> Pair:
    real, imaginary = parts
    kind, shape = real.dtype, real.shape
    x = stack([reshape(part, (-1, shape[-1])) for part in (real, imaginary)], -1)
    wide = cast(x, kind if kind in ("float32", "float64") else "float32")
    inputs = [wide, None, constant(1, "int64")]  # of two axes: OpenVINO fails with more
    y = cast(emit("DFT", inputs, x.shape, wide.dtype, inverse=inverse), kind)
    first, second = unstack(y, axis=-1)
    return reshape(first, shape), reshape(second, shape)


def fft(x: Sequence[OnnxValue]) -> Pair:
    return _dft(x)


def rfft(x: OnnxValue, fft_length: int | None = None) -> Pair:
    known = x.shape[-1]
    length = known if fft_length is None else fft_length
    if fft_length is not None:
        if isinstance(known, Size):
            raise Unsupported("rfft of an open number of entries, cut or filled up to fft_length")
        x = _fitted(x, known, fft_length)
    real, imaginary = _dft((x, multiply(x, 0.0)))
    return real[..., : length // 2 + 1], imaginary[..., : length // 2 + 1]


def irfft(x: Sequence[OnnxValue], fft_length: int | None = None) -> OnnxValue:
    """The frequencies above the middle are those below it, conjugated and in reverse."""
    known = x[0].shape[-1]
    if isinstance(known, Size):
        raise Unsupported("irfft of an open number of frequencies")
    length = transform_length(known, fft_length)
    count = length // 2 + 1
    lower = [_fitted(part, known, count) for part in x]
    upper = [flip(part[..., 1 : length - count + 1], -1) for part in lower]
    whole = [concatenate([a, b], -1) for a, b in zip(lower, [upper[0], negative(upper[1])])]
    return _dft(whole, inverse=1)[0]


def _fitted(x: OnnxValue, known: int, count: int) -> OnnxValue:
    if known >= count:
        return x[..., :count]
    return pad(x, [(0, 0)] * (x.ndim - 1) + [(0, count - known)])


KERNELS: dict[str, Callable[..., Any]] = {"fft": fft, "rfft": rfft, "irfft": irfft}
