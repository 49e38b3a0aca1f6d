"""Sound in WAV files, as arrays, at the rate that is asked for."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_DTYPES = {
    (_PCM, 8): "u1",
    (_PCM, 16): "<i2",
    (_PCM, 32): "<i4",
    (_FLOAT, 32): "<f4",
    (_FLOAT, 64): "<f8",
}
_ZEROS = 16  # zero crossings of the sinc on each side
_BLOCK = 2**16  # samples that are computed at a time


def read_wav(path: str) -> tuple[np.ndarray, int]:
    """The sound in a WAV file and its samples a second.

    Integers of 8 to 32 bits and floats are read; integers become floats from -1 to 1.

    Returns:
        float32 `(samples, channels)`, and the rate.

    Raises:
        ValueError: it is no WAV file, or its samples are of another kind.
    """
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError(f"{path} is no WAV file")
    chunks = _chunks(content)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise ValueError(f"{path} is a WAV file without a format or without samples")
    described = chunks[b"fmt "]
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", described)
    if kind == _EXTENSIBLE and len(described) >= 26:
        kind = struct.unpack_from("<H", described, 24)[0]
    values = _values(chunks[b"data"], kind, bits)
    if values is None or not channels:
        raise ValueError(
            f"{path}: samples of {bits} bits in the format {kind} can't be read; PCM of 8, 16, 24 "
            "or 32 bits and floats can"
        )
    whole = len(values) // channels * channels
    return values[:whole].reshape(-1, channels), rate


def _chunks(content: bytes) -> dict[bytes, Any]:
    """The parts of a RIFF file by name."""
    found: dict[bytes, Any] = {}
    place, view = 12, memoryview(content)
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        found.setdefault(name, view[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    return found


def _values(data: Any, kind: int, bits: int) -> np.ndarray | None:
    """Samples as float32; None where their format is not known."""
    if (kind, bits) == (_PCM, 24):
        parts = np.frombuffer(data, "u1", len(data) // 3 * 3).reshape(-1, 3)
        wide = np.zeros((len(parts), 4), "u1")
        wide[:, 1:] = parts
        return (wide.view("<i4")[:, 0] / 2.0**31).astype("float32")
    if (kind, bits) not in _DTYPES:
        return None
    dtype = np.dtype(_DTYPES[kind, bits])
    values = np.frombuffer(data, dtype, len(data) // dtype.itemsize)
    if dtype.kind == "f":
        return values.astype("float32")
    offset = 128.0 if dtype.kind == "u" else 0.0
    return ((values - offset) / 2.0 ** (bits - 1)).astype("float32")


def resampled(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Sound at another rate, by convolution with a windowed sinc that cuts what lies too high.

    Args:
        sound: float32 `(samples, channels)`.
        rate: its samples a second.
        wanted: those of the result.

    Returns:
        float32 `(ceil(samples * wanted / rate), channels)`.

    >>> resampled(np.ones((8, 1), "float32"), 8, 4).shape
    (4, 1)
    """
    if rate == wanted or not len(sound):
        return sound
    common = math.gcd(rate, wanted)
    up, down = wanted // common, rate // common
    cut = min(1.0, up / down)  # of the frequencies that the sound can hold
    reach = math.ceil(_ZEROS / cut)
    taps = np.arange(-reach, reach + 1)
    distance = (np.arange(up) / up)[:, None] - taps  # of the element at each tap, for each phase
    window = np.i0(10.0 * np.sqrt(np.clip(1 - (distance * cut / _ZEROS) ** 2, 0, None))) / np.i0(
        10.0
    )
    weights = np.sinc(distance * cut) * window
    weights = (weights / weights.sum(1, keepdims=True)).astype("float32")
    padded = np.pad(sound, ((reach, reach + 1), (0, 0)))
    result = np.empty((-(-len(sound) * up // down), sound.shape[1]), "float32")
    for start in range(0, len(result), _BLOCK):
        at = np.arange(start, min(start + _BLOCK, len(result))) * down
        places = (at // up)[:, None] + np.arange(len(taps))
        result[start : start + _BLOCK] = np.einsum("nt,ntc->nc", weights[at % up], padded[places])
    return result
