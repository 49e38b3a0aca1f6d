"""Fourier transforms, and sequences cut into overlapping frames and joined again.

Complex tensors are pairs (real, imaginary) of one shape, as in Keras. Integers are computed in
`config.floatx()`, half precision in float32 and cast back.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.ops import creation, indexing
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite, primitive

__all__ = (
    "extract_sequences", "fft", "fft2", "ifft2", "rfft", "irfft", "stft", "istft",
)  # fmt: skip

_NOTHING = 1e-10  # what overlapping squared windows may add up to and count as none


@primitive(promote="float")
def fft(x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """The discrete Fourier transform over the last axis.

    Args:
        x: a pair (real, imaginary) `(..., n)`.

    Returns:
        A pair `(..., n)`.

    Raises:
        ValueError: `x` is no pair of one shape, or its last axis has no entries.
    """


@primitive(promote="float")
def rfft(x: Tensor, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """The discrete Fourier transform of real numbers over the last axis.

    Args:
        x: `(..., n)`.
        fft_length: to how many numbers the last axis is cut or filled up with zeros; `n` if None.

    Returns:
        A pair `(..., fft_length // 2 + 1)` of the frequencies from 0 to the highest.

    Raises:
        ValueError: there are no numbers to transform.
    """


@primitive(promote="float")
def irfft(x: Sequence[Tensor], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    Args:
        x: a pair `(..., m)`.
        fft_length: how many numbers come out; `2 (m - 1)` if None.

    Raises:
        ValueError: `x` is no pair of one shape, or no number would come out.
    """


@composite(promote="float")
def fft2(x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """The discrete Fourier transform over the last two axes of a pair (real, imaginary).

    Raises:
        ValueError: `x` is no pair of one shape with two axes or more.
    """
    parts = _pair_of_matrices("fft2", x)
    turned = fft([sh.swapaxes(part, -1, -2) for part in fft(parts)])
    return sh.swapaxes(turned[0], -1, -2), sh.swapaxes(turned[1], -1, -2)


@composite(promote="float")
def ifft2(x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """The inverse of `fft2`.

    Raises:
        ValueError: `x` is no pair of one shape with two axes or more.
    """
    real, imaginary = _pair_of_matrices("ifft2", x)
    rows, columns = sh.shape(real)[-2:]
    back, forth = fft2((imaginary, real))
    count = ew.cast(rows * columns, real.dtype)
    return forth / count, back / count


@composite()
def extract_sequences(x: Tensor, sequence_length: int, sequence_stride: int) -> Tensor:
    """The overlapping pieces of the last axis, `(..., count, sequence_length)`.

    Args:
        x: `(..., n)`.
        sequence_length: how long each piece is.
        sequence_stride: how far apart they start.

    Pieces that would reach over the end are left out.

    Raises:
        ValueError: a length is not positive, or `x` has no axes.

    >>> extract_sequences([1, 2, 3, 4, 5], 3, 2).tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    _check_positive(
        "extract_sequences", sequence_length=sequence_length, sequence_stride=sequence_stride
    )
    if not sh.shape(x):
        raise ValueError("extract_sequences: x needs an axis; got a scalar")
    starts = creation.arange(0, sh.shape(x)[-1] - sequence_length + 1, sequence_stride)
    places = sh.expand_dims(starts, 1) + creation.arange(sequence_length)
    return indexing.take(x, places, -1)


@composite(promote="float", operands=("x",))
def stft(
    x: Tensor,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """The short-time Fourier transform: `rfft` of windowed pieces of the last axis.

    Args:
        x: `(..., n)`.
        sequence_length: how long a window is.
        sequence_stride: how far apart pieces start.
        fft_length: how long a piece is, `sequence_length` or more; the window stands in its middle.
        window: "hann" or "hamming" (periodic), an array `(sequence_length,)`, or None for ones.
        center: whether `x` is mirrored at both ends, so that piece `t` is centered at
            `t * sequence_stride`.

    Returns:
        A pair (real, imaginary) `(..., pieces, fft_length // 2 + 1)`.

    Raises:
        ValueError: the lengths or the window do not fit.
    """
    weights = _window("stft", window, sequence_length, sequence_stride, fft_length, x.dtype)
    rank = len(sh.shape(x))
    if center:
        half = fft_length // 2
        x = sh.pad(x, [(0, 0)] * (rank - 1) + [(half, half)], "reflect")
    return rfft(extract_sequences(x, fft_length, sequence_stride) * weights)


@composite(promote="float", operands=("x",))
def istft(
    x: Sequence[Tensor],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The sequence whose `stft` is nearest to `x` (Griffin & Lim, 1984); other arguments as there.

    Args:
        x: a pair (real, imaginary) `(..., pieces, fft_length // 2 + 1)`.
        sequence_length: how long a window is.
        sequence_stride: how far apart pieces start.
        fft_length: how long a piece is.
        length: how many entries to return of those that the pieces give; all of them if None.
        window: the window of the `stft`.
        center: whether the `stft` had mirrored its ends, which are then cut off.

    What no window reaches comes out as 0.

    Raises:
        ValueError: the lengths or the window do not fit.
    """
    weights = _window("istft", window, sequence_length, sequence_stride, fft_length, x[0].dtype)
    frames = irfft(x, fft_length)
    total = _overlapped(frames * weights, fft_length, sequence_stride)
    squares = sh.broadcast_to(ew.square(weights), sh.shape(frames)[-2:])
    reached = _overlapped(squares, fft_length, sequence_stride)
    y = total / ew.where(ew.greater(reached, _NOTHING), reached, 1.0)
    start = fft_length // 2 if center else 0
    stop = -start or None if length is None else start + length
    return y[..., start:stop]


def _overlapped(frames: Tensor, length: int, stride: int) -> Tensor:
    """Frames `(..., count, length)` added up, each `stride` after the one before.

    They are cut into blocks of `stride`; every further block is shifted by one row, which comes of
    laying rows of `count + blocks` out again as rows of one less.
    """
    *batch, count, _ = sh.shape(frames)
    blocks = -(-length // stride)
    none = [(0, 0)] * len(batch)
    x = sh.pad(frames, [*none, (0, 0), (0, blocks * stride - length)])
    x = sh.reshape(x, (*batch, count, blocks, stride))
    x = sh.pad(sh.swapaxes(x, -2, -3), [*none, (0, 0), (0, blocks), (0, 0)])
    x = sh.reshape(x, (*batch, blocks * (count + blocks), stride))[..., :-blocks, :]
    rows = count + blocks - 1
    x = red.sum(sh.reshape(x, (*batch, blocks, rows, stride)), -3)
    return sh.reshape(x, (*batch, rows * stride))[..., : (count - 1) * stride + length]


@functools.cache
def _named_window(name: str, length: int) -> np.ndarray:
    turn = 2 * np.pi * np.arange(length) / length
    first = {"hann": 0.5, "hamming": 0.54}[name]
    return first - (1 - first) * np.cos(turn)


def _window(name: str, window: Any, length: int, stride: int, fft_length: int, dtype: Any) -> Any:
    """The window `(fft_length,)`, after a check of the lengths."""
    _check_positive(name, sequence_length=length, sequence_stride=stride, fft_length=fft_length)
    if fft_length < length:
        raise ValueError(
            f"{name}: fft_length must be sequence_length or more; got {fft_length} and {length}"
        )
    if window is None:
        window = np.ones(length)
    elif isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(f"{name}: window must be 'hann' or 'hamming'; got {window!r}")
        window = _named_window(window, length)
    weights = ew.cast(sh.convert_to_tensor(window), dtype)
    if sh.shape(weights) != (length,):
        raise ValueError(
            f"{name}: window must have the shape (sequence_length,), ({length},); "
            f"got {sh.shape(weights)}"
        )
    before = (fft_length - length) // 2
    return sh.pad(weights, [(before, fft_length - length - before)])


def _check_positive(name: str, **lengths: Any) -> None:
    for argument, value in lengths.items():
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name}: {argument} must be a positive int; got {value!r}")


def _pair_of_matrices(name: str, x: Sequence[Tensor]) -> Sequence[Tensor]:
    if len(x) != 2:
        raise ValueError(
            f"{name}: x must be a pair of real and imaginary parts; got {len(x)} tensors"
        )
    first, second = (tuple(sh.shape(part)) for part in x)
    if len(first) < 2:
        raise ValueError(f"{name}: x must have 2 axes or more; got the shape {first}")
    if all(isinstance(n, int) for n in (*first, *second)) and first != second:
        raise ValueError(
            f"{name}: the real part's shape {first} and the imaginary part's {second} differ"
        )
    return x
