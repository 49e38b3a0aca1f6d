"""Changes of pixels' values, each for itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import config, ops
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.image.base import Draws, ImageLayer, factor_range
from kerata.layers.preprocessing.image.color import ColorLayer
from kerata.ops.dispatch import Tensor

_BYTES = (0.0, 255.0)


class Rescaling(DataLayer):
    """`x * scale + offset`, in training and outside of it.

    Args:
        scale: a number, or one for each channel.
        offset: the same.

    Input and output: any shape.

    >>> Rescaling(0.5, offset=1.0)(np.array([0, 51, 255], "uint8")).tolist()
    [1.0, 26.5, 128.5]
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Tensor) -> Tensor:
        """The rescaled inputs."""
        x = ops.cast(inputs, self.compute_dtype)
        first = config.image_data_format() == "channels_first"

        def beside(value: Any) -> Tensor:
            value = np.asarray(value)
            if first and value.ndim and len(ops.shape(x)) > 2:
                value = value.reshape(-1, 1, 1)
            return ops.cast(value, self.compute_dtype)

        return x * beside(self.scale) + beside(self.offset)


class AutoContrast(ImageLayer):
    """Stretches each channel of an image over the whole value range, in training and outside of it.

    A channel of one value stays as it is.

    Args:
        value_range: see `ImageLayer`.
    """

    always = True

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keep(value_range=value_range, draws=False)

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        low = ops.min(images, self.axes[:2], keepdims=True)
        width = ops.max(images, self.axes[:2], keepdims=True) - low
        flat = ops.less_equal(width, 0.0)
        x = (images - low) / ops.where(flat, ops.ones_like(width), width)
        return ops.where(flat, images, self.rescaled(x, (0.0, 1.0), self.value_range))


class RandomInvert(ImageLayer):
    """Turns some images into their negatives: `high - (x - low)`, as `high - x` for `low = 0`.

    Args:
        factor: the probability, or a pair that it is drawn from; one number `f` stands for
            `(0, f)`.
        value_range, seed, data_format: see `ImageLayer`.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        return {"apply_inversion": self.some(*draws(2))}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        low, high = self.value_range
        applied = self.per_image(transformation["apply_inversion"])
        return ops.where(applied, (low + high) - images, images)


class RandomPosterization(ColorLayer):
    """Keeps only the highest bits of each pixel's eight.

    Args:
        factor: how many bits, a pair from 1 to 8 whose second is left out, or one number `f` for
            `(1, f)`.
        value_range, data_format, seed: see `ImageLayer`.
    """

    bounds = (1, 8)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        bits = ops.floor(super().drawn(draws)["factor"])
        return {"shift_factor": 8 - ops.cast(bits, "int32")}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        shift = ops.cast(self.per_image(transformation["shift_factor"]), "float32")
        step = ops.round(ops.exp2(shift))
        x = ops.floor(self.rescaled(ops.cast(images, "float32"), self.value_range, _BYTES))
        x = ops.floor(x / step) * step
        return ops.cast(self.rescaled(x, _BYTES, self.value_range), images.dtype)


class Solarization(ImageLayer):
    """Adds a number to pixels, then inverts those that are above a threshold.

    Args:
        addition_factor: limits of the number as a share of 255, a pair from 0 to 1, or one number
            `f` for `(0, f)`.
        threshold_factor: the same of the threshold.
        value_range, seed: see `ImageLayer`.
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(value_range=value_range, seed=seed)
        unit = (0.0, 1.0)
        self.addition_factor = factor_range(self, "addition_factor", addition_factor, unit)
        self.threshold_factor = factor_range(self, "threshold_factor", threshold_factor, unit)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        u, v = draws(2)
        return {
            "additions": self.per_image(self.spread(u, self.addition_factor, 255.0)),
            "thresholds": self.per_image(self.spread(v, self.threshold_factor, 255.0)),
        }

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        dtype = images.dtype
        x = self.rescaled(images, self.value_range, _BYTES)
        x = ops.clip(x + ops.cast(transformation["additions"], dtype), 0.0, 255.0)
        bright = ops.greater_equal(x, ops.cast(transformation["thresholds"], dtype))
        x = ops.where(bright, 255.0 - x, x)
        return self.rescaled(x, _BYTES, self.value_range)
