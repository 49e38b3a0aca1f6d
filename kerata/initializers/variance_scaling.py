"""Initializers whose variance follows from how many values meet in a unit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kerata.core.seeds import SeedGenerator
from kerata.initializers import sampling
from kerata.initializers.base import Shape
from kerata.initializers.random import RandomInitializer

Seed = int | SeedGenerator | None
Axes = Sequence[int] | None

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
# The standard deviation of a standard normal that is cut off at ±2.
_CUT_STDDEV = 0.87962566103423978


def fans(shape: Shape, input_axes: Axes = None, output_axes: Axes = None) -> tuple[int, int]:
    """How many values a unit takes and gives, for a kernel `(*window, inputs, outputs)`.

    `input_axes` and `output_axes`, given together, say which axes count instead.

    >>> fans((3, 3, 16, 32))
    (144, 288)
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


class VarianceScaling(RandomInitializer):
    """Draws of the variance `scale / n`.

    `n` is the number of inputs of a unit ("fan_in"), of its outputs ("fan_out"), or the mean of
    both ("fan_avg").

    Args:
        scale: a positive number.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
        seed: see `RandomInitializer`.
        input_axes: the axes of inputs; None for the second last, and the window before it.
        output_axes: the axes of outputs; None for the last, and the window.

    Raises:
        ValueError: an argument is none of these.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ) -> None:
        super().__init__(seed)
        if scale <= 0:
            raise ValueError(f"VarianceScaling: scale must be positive; got {scale}")
        if mode not in _MODES:
            raise ValueError(f"VarianceScaling: mode must be one of {_MODES}; got {mode!r}")
        name = distribution.lower()
        name = "truncated_normal" if name == "normal" else name
        if name not in _DISTRIBUTIONS:
            raise ValueError(
                f"VarianceScaling: distribution must be one of {_DISTRIBUTIONS}; "
                f"got {distribution!r}"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = name
        self.input_axes = input_axes
        self.output_axes = output_axes

    def sample(self, shape: Shape, dtype: str, seed: int) -> np.ndarray:
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, count))
        if self.distribution == "uniform":
            fill = sampling.uniform(-stddev * math.sqrt(3.0), stddev * math.sqrt(3.0))
        elif self.distribution == "untruncated_normal":
            fill = sampling.normal(0.0, stddev)
        else:
            fill = sampling.truncated_normal(0.0, stddev / _CUT_STDDEV)
        return sampling.draw(shape, dtype, seed, fill)


class GlorotUniform(VarianceScaling):
    """Uniform draws of the variance `2 / (fan_in + fan_out)` (Glorot & Bengio, 2010).

    >>> float(abs(GlorotUniform(seed=1).draw((3, 3), "float32")).max()) < 1
    True
    """

    def __init__(
        self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None
    ) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """Truncated normal draws of the variance `2 / (fan_in + fan_out)` (Glorot & Bengio, 2010)."""

    def __init__(
        self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None
    ) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """Uniform draws of the variance `2 / fan_in` (He et al., 2015)."""

    def __init__(
        self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None
    ) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """Truncated normal draws of the variance `2 / fan_in` (He et al., 2015)."""

    def __init__(
        self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None
    ) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """Uniform draws of the variance `1 / fan_in` (LeCun et al., 1998)."""

    def __init__(
        self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None
    ) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """Truncated normal draws of the variance `1 / fan_in` (Klambauer et al., 2017)."""

    def __init__(
        self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None
    ) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)
