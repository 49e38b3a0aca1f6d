"""Changes of pixels' values, each for itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import config, ops
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.image.base import ImageLayer, factor_range
from kerata.ops.dispatch import Tensor

_BYTES = (0.0, 255.0)


class Rescaling(DataLayer):
    """`x * scale + offset`, in training and outside of it.

    Args:
        scale: a number, or one for each channel.
        offset: the same.

    Input and output: any shape.

    >>> Rescaling(1 / 255)(np.array([0, 51, 255], "uint8")).tolist()
    [0.0, 0.20000000298023224, 1.0]
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
        value_range: the least and the largest value of images.
    """

    always = True

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keep(value_range=value_range, draws=False)

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images with full contrast."""
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
        value_range: the least and the largest value of images.
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
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

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`apply_inversion`, which images are inverted."""
        probability, u = self.drawn(data, 2, seed)
        return {"apply_inversion": ops.less(u, self.spread(probability, self.factor))}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, some of them inverted."""
        low, high = self.value_range
        applied = self.per_image(transformation["apply_inversion"])
        return ops.where(applied, (low + high) - images, images)


class RandomPosterization(ImageLayer):
    """Keeps only the highest bits of each pixel's eight.

    Args:
        factor: how many bits, a pair from 1 to 8 whose second is left out, or one number `f` for
            `(1, f)`.
        value_range: the least and the largest value of images.
        data_format: where the channels are.
        seed: an int, for the same draws in every run.
    """

    bounds = (1, 8)

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`shift_factor`, how many bits are lost."""
        (u,) = self.drawn(data, 1, seed)
        bits = ops.cast(ops.floor(self.spread(u, self.factor)), "int32")
        return {"shift_factor": 8 - bits}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images with fewer tones."""
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
        value_range: the least and the largest value of images.
        seed: an int, for the same draws in every run.
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

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`additions` and `thresholds`, from 0 to 255."""
        u, v = self.drawn(data, 2, seed)
        return {
            "additions": self.per_image(self.spread(u, self.addition_factor, 255.0)),
            "thresholds": self.per_image(self.spread(v, self.threshold_factor, 255.0)),
        }

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, solarized."""
        dtype = images.dtype
        x = self.rescaled(images, self.value_range, _BYTES)
        x = ops.clip(x + ops.cast(transformation["additions"], dtype), 0.0, 255.0)
        bright = ops.greater_equal(x, ops.cast(transformation["thresholds"], dtype))
        x = ops.where(bright, 255.0 - x, x)
        return self.rescaled(x, _BYTES, self.value_range)
