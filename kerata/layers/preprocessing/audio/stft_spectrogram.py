"""`STFTSpectrogram`: the short-time Fourier transform as a convolution with weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import config, ops
from kerata.initializers import STFT
from kerata.layers.arguments import one_of, positive
from kerata.layers.input_spec import InputSpec
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.ops.dispatch import Tensor

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_TINY = 1e-7


class STFTSpectrogram(DataLayer):
    """The spectrum of pieces of sound, computed as a convolution whose kernels can be trained.

    Modes, for the transform `s` of a piece: "log" `ln |s|`, "magnitude" `|s|`, "psd" `|s|²` (twice
    that where a frequency stands for its negative too), "real", "imag", "angle", and "stft", the
    real and the imaginary parts side by side.

    Args:
        mode: what to return.
        frame_length: how many samples a piece has.
        frame_step: how many samples apart pieces start; None for `frame_length // 2`.
        fft_length: of the transform, `frame_length` or more, for `fft_length // 2 + 1` frequencies;
            None for the next power of two.
        window, periodic, scaling: see `initializers.STFT`.
        padding: "valid", or "same" for `ceil(samples / frame_step)` pieces.
        expand_dims: whether frequencies have an axis of their own.
        data_format: where the channels are.

    Input: `(batch, samples, channels)`, or `(batch, channels, samples)`.
    Output: `(batch, pieces, channels * frequencies)`, or with `expand_dims`
    `(batch, pieces, frequencies, channels)`; or these with the channels first,
    `(batch, channels * frequencies, pieces)` or `(batch, channels, pieces, frequencies)`.
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mode = one_of(self, "mode", mode, _MODES)
        self.frame_length = positive(self, "frame_length", frame_length)
        self.frame_step = frame_step
        self.fft_length = fft_length
        self._step = frame_length // 2 or 1
        if frame_step is not None:
            self._step = positive(self, "frame_step", frame_step)
        self._length = 1 << (self.frame_length - 1).bit_length()
        if fft_length is not None:
            self._length = positive(self, "fft_length", fft_length)
        if self._step > frame_length or self._length < frame_length:
            raise ValueError(
                "STFTSpectrogram: frame_step must not exceed frame_length, nor that fft_length; "
                f"got {frame_step}, {frame_length} and {fft_length}"
            )
        self.window = window
        self.periodic = periodic
        self.scaling = scaling
        self._kernels = {s: STFT(s, window, scaling, periodic) for s in ("real", "imag")}
        self.padding = one_of(self, "padding", padding, ("valid", "same"))
        self.expand_dims = expand_dims
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        """Make the kernels, `(frame_length, 1, frequencies)`."""
        shape = (self.frame_length, 1, self._length // 2 + 1)
        self.real_kernel = self.imag_kernel = None
        if self.mode != "imag":
            self.real_kernel = self.add_weight(shape, self._kernels["real"], name="real_kernel")
        if self.mode != "real":
            self.imag_kernel = self.add_weight(shape, self._kernels["imag"], name="imag_kernel")

    def call(self, inputs: Tensor) -> Tensor:
        """The spectrogram."""
        x = ops.cast(inputs, self.compute_dtype)
        last = self.data_format == "channels_last"
        x = ops.swapaxes(x, 1, 2) if last else x  # (batch, channels, samples)
        batch, channels, samples = ops.shape(x)
        x = ops.reshape(x, (batch * channels, samples, 1))
        y = self._spectrum(*(
            None if kernel is None
            else ops.conv(x, kernel.value, self._step, self.padding, "channels_last")
            for kernel in (self.real_kernel, self.imag_kernel)
        ))  # fmt: skip
        _, pieces, frequencies = ops.shape(y)
        y = ops.reshape(y, (batch, channels, pieces, frequencies))
        if self.expand_dims:
            return ops.transpose(y, (0, 2, 3, 1)) if last else y
        if last:
            y = ops.transpose(y, (0, 2, 1, 3))
            return ops.reshape(y, (batch, pieces, channels * frequencies))
        y = ops.transpose(y, (0, 1, 3, 2))
        return ops.reshape(y, (batch, channels * frequencies, pieces))

    def _spectrum(self, real: Any, imag: Any) -> Tensor:
        """What `mode` asks for, from the parts, `(batch * channels, pieces, frequencies)`."""
        if self.mode in ("real", "imag"):
            return real if self.mode == "real" else imag
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        if self.mode == "stft":
            return ops.concatenate([real, imag], -1)
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":
            twice = np.full(self._length // 2 + 1, 2.0)
            twice[[0, -1]] = 1.0
            return power * ops.cast(twice, power.dtype)
        power = ops.maximum(power, _TINY)
        return ops.log(power) * 0.5 if self.mode == "log" else ops.sqrt(power)
