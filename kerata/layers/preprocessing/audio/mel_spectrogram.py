"""`MelSpectrogram`: how strong the pitches of a sound are over time."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from kerata import ops
from kerata.layers.arguments import positive
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.ops.dispatch import Tensor


class MelSpectrogram(DataLayer):
    """The power of sound in bands that are equally wide on the mel scale (Stevens et al., 1937).

    `mel = 1127 ln(1 + hertz / 700)`; each band is a triangle there. In decibels a power `p` is
    `10 log10(max(p, min_power) / ref_power)`.

    Args:
        fft_length: how many samples a piece has.
        sequence_stride: how many samples apart pieces start.
        sequence_length: how long the window in each piece is; None for `fft_length`.
        window: "hann", "hamming", an array, or None.
        sampling_rate: samples a second.
        num_mel_bins: how many bands.
        min_freq: where the lowest band begins, in hertz.
        max_freq: where the highest band ends; None for half of `sampling_rate`.
        power_to_db: whether to return decibels.
        top_db: how far below the largest value others may lie; None for no limit.
        mag_exp: the exponent of the magnitude, 1 for magnitudes, 2 for powers.
        min_power: see above.
        ref_power: see above.

    Input: `(..., samples)`. Output: `(..., num_mel_bins, pieces)`.
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float | None = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = positive(self, "fft_length", fft_length)
        self.sequence_stride = positive(self, "sequence_stride", sequence_stride)
        self.sequence_length = sequence_length or fft_length
        self.window = window
        self.sampling_rate = positive(self, "sampling_rate", sampling_rate)
        self.num_mel_bins = positive(self, "num_mel_bins", num_mel_bins)
        self.min_freq = min_freq
        self.max_freq = max_freq or sampling_rate / 2
        if not 0 <= self.min_freq < self.max_freq <= sampling_rate / 2:
            raise ValueError(
                "MelSpectrogram: min_freq and max_freq must be ordered, from 0 to half of "
                f"sampling_rate; got {min_freq!r}, {max_freq!r} and {sampling_rate!r}"
            )
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power

    def call(self, inputs: Tensor) -> Tensor:
        """The spectrogram."""
        wide = "float64" if self.compute_dtype == "float64" else "float32"
        real, imaginary = ops.stft(
            ops.cast(inputs, wide), self.sequence_length, self.sequence_stride, self.fft_length,
            self.window,
        )  # fmt: skip
        power = ops.square(real) + ops.square(imaginary)
        if self.mag_exp != 2:
            power = ops.power(ops.maximum(power, 1e-30), self.mag_exp / 2)
        bands = _triangles(
            self.fft_length, self.sampling_rate, self.num_mel_bins, self.min_freq, self.max_freq
        )
        mel = ops.swapaxes(ops.matmul(power, ops.cast(bands, wide)), -1, -2)
        return ops.cast(self._decibels(mel) if self.power_to_db else mel, self.compute_dtype)

    def _decibels(self, power: Tensor) -> Tensor:
        scale = 10.0 / math.log(10.0)
        reference = scale * math.log(max(self.min_power, self.ref_power))
        found = ops.log(ops.maximum(power, self.min_power)) * scale - reference
        return found if self.top_db is None else ops.maximum(found, ops.max(found) - self.top_db)


@functools.lru_cache(16)
def _triangles(length: int, rate: float, count: int, low: float, high: float) -> np.ndarray:
    """`(length // 2 + 1, count)`: the weights of frequencies in each band; 0 for the constant."""

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)

    places = mel(np.linspace(0.0, rate / 2, length // 2 + 1))[:, None]
    edges = np.linspace(mel(low), mel(high), count + 2)
    rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
    found = np.maximum(np.minimum(rising, falling), 0.0)
    found[0] = 0.0
    return found.astype("float32")
