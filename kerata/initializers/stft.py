"""The kernels of the short-time Fourier transform as a convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.initializers.base import Initializer, Shape

_SCALINGS = (None, "density", "spectrum")
_WINDOWS: dict[str, Callable[[int], np.ndarray]] = {
    "hann": np.hanning,
    "hamming": np.hamming,
    "blackman": np.blackman,
    "bartlett": np.bartlett,
    "boxcar": np.ones,
}


class STFT(Initializer):
    """The real or the imaginary part of a windowed Fourier transform, as a convolution's kernel.

    `window[n] cos(2π n k / N)` or `-window[n] sin(2π n k / N)` for the shape
    `(frame length, 1, N / 2 + 1)`, with `n` along the first axis and `k` along the last.

    Args:
        side: "real" or "imag".
        window: "hann", "hamming", "blackman", "bartlett", "boxcar", another name that SciPy's
            `get_window` knows (needs scipy), an array `(frame length,)`, or None for ones.
        scaling: "density" divides the window by its L2 norm, "spectrum" by its sum; None, or no
            window, by nothing.
        periodic: whether the window goes on after its last point, as for spectra; otherwise it is
            symmetric.

    Raises:
        ValueError: an argument is none of these, or does not fit to the shape.

    >>> STFT("real", None)((4, 1, 3)).tolist()[1]
    [[1.0, 0.0, -1.0]]
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"STFT: side must be 'real' or 'imag'; got {side!r}")
        if scaling not in _SCALINGS:
            raise ValueError(f"STFT: scaling must be one of {_SCALINGS}; got {scaling!r}")
        if isinstance(window, str):
            _named(window, 2, periodic)
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def draw(self, shape: Shape, dtype: str) -> np.ndarray:
        if len(shape) != 3 or shape[2] < 2:
            raise ValueError(
                "STFT makes kernels (frame length, 1, frequencies) of two frequencies or more; "
                f"got the shape {tuple(shape)}"
            )
        length, _, frequencies = shape
        period = 2 * (frequencies - 1)
        turns = np.outer(np.arange(length), np.arange(frequencies)) % period
        angle = 2 * np.pi * turns / period
        kernel = np.cos(angle) if self.side == "real" else -np.sin(angle)
        # Zeros exactly where cosine and sine have theirs.
        kernel[(4 * turns) % (2 * period) == (period if self.side == "real" else 0)] = 0.0
        kernel = kernel * self._weights(length)[:, None]
        return np.array(np.broadcast_to(kernel[:, None], shape).astype(dtypes.numpy_dtype(dtype)))

    def _weights(self, length: int) -> np.ndarray:
        """The scaled window, `(length,)`."""
        if self.window is None:
            return np.ones(length)
        if isinstance(self.window, str):
            window = _named(self.window, length, self.periodic)
        else:
            window = np.asarray(self.window, "float64")
        if window.shape != (length,):
            raise ValueError(
                f"STFT: window must have the shape (frame length,), ({length},); got {window.shape}"
            )
        divisor = {None: 1.0, "density": np.linalg.norm(window), "spectrum": abs(window.sum())}
        if not divisor[self.scaling]:
            raise ValueError(f"STFT: the window {self.window!r} of {length} points is zero")
        return np.asarray(window / divisor[self.scaling])


def _named(name: str, length: int, periodic: bool) -> np.ndarray:
    """The window of that name, `(length,)`."""
    if name in _WINDOWS:
        return np.asarray(_WINDOWS[name](length + periodic)[:length], "float64")
    try:
        from scipy.signal import get_window
    except ImportError:
        raise ValueError(
            f"STFT: window {name!r} is none of {sorted(_WINDOWS)}; others need scipy "
            "(pip install scipy)"
        ) from None
    try:
        return np.asarray(get_window(name, length, fftbins=periodic))
    except ValueError as error:
        raise ValueError(f"STFT: window {name!r} can't be made: {error}") from error
