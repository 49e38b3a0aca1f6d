"""Random changes of colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata import ops
from kerata.backends import dtypes
from kerata.layers.preprocessing.image.base import ImageLayer
from kerata.ops.dispatch import Tensor


class RandomBrightness(ImageLayer):
    """Adds a random number to all pixels of an image: `clip(x + delta)`.

    Args:
        factor: limits of delta as a share of the value range, a pair from -1 to 1, or one number
            `f` for `(-f, f)`.
        value_range: the least and the largest value of images.
        seed: an int, for the same draws in every run.
    """

    keeps_integers = True

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._keep(factor, value_range, seed)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`rgb_delta`."""
        (u,) = self.drawn(data, 1, seed)
        width = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": self.per_image(self.spread(u, self.factor, width))}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, brighter or darker."""
        delta, dtype = transformation["rgb_delta"], images.dtype
        if dtypes.is_float(dtypes.standardize_dtype(dtype)):
            return self.in_range(images + ops.cast(delta, dtype))
        return ops.cast(self.in_range(ops.cast(images, "float32") + ops.trunc(delta)), dtype)


class RandomContrast(ImageLayer):
    """Spreads each channel around its mean: `clip((x - mean) * c + mean)`.

    Args:
        factor: a pair `(a, b)` from 0 to 1: c is drawn from 1 - a to 1 + b; one number `f` stands
            for `(0, f)`.
        value_range: the least and the largest value of images.
        seed: an int, for the same draws in every run.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._keep(factor, value_range, seed)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`contrast_factor`."""
        (u,) = self.drawn(data, 1, seed)
        low, high = self.factor
        return {"contrast_factor": self.per_image(self.spread(u, (1.0 - low, 1.0 + high)))}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images with more or less contrast."""
        factor = ops.cast(transformation["contrast_factor"], images.dtype)
        mean = ops.mean(images, self.axes[:2], keepdims=True)
        return self.in_range((images - mean) * factor + mean)


class _ColorLayer(ImageLayer):
    """Layers with the arguments `factor`, `value_range`, `data_format` and `seed`."""

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

    def _in_hsv(self, images: Tensor, change: Callable[..., tuple[Tensor, ...]]) -> Tensor:
        """Images whose hue, saturation and value, all from 0 to 1, `change` replaced."""
        x = self.rescaled(images, self.value_range, (0.0, 1.0))
        hsv = ops.split(ops.image.rgb_to_hsv(x, self.data_format), 3, self.axes[2])
        x = ops.concatenate(list(change(*hsv)), self.axes[2])
        x = ops.image.hsv_to_rgb(x, self.data_format)
        return self.rescaled(x, (0.0, 1.0), self.value_range)


class RandomSaturation(_ColorLayer):
    """Multiplies the saturation of colours by `s / (1 - s)`, which may exceed the value range.

    Args:
        factor: limits of s, a pair from 0 (gray) over 0.5 (unchanged) to 1 (full colours), or one
            number `f` for `(-f, f)`, where negative draws give gray.
        value_range: the least and the largest value of images.
        data_format: where the channels are.
        seed: an int, for the same draws in every run.
    """

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`factor`, what the saturation is multiplied by."""
        (u,) = self.drawn(data, 1, seed)
        share = self.spread(u, self.factor)
        return {"factor": share / ops.maximum(1.0 - share, 1e-7)}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images with other saturation."""
        factor = ops.cast(self.per_image(transformation["factor"]), images.dtype)
        return self._in_hsv(images, lambda h, s, v: (h, ops.maximum(s * factor, 0.0), v))


class RandomHue(_ColorLayer):
    """Turns the hue of colours, to either side.

    Args:
        factor: limits of the turn as a share of half the circle, a pair from 0 to 1, or one number
            `f` for `(0, f)`.
        value_range: the least and the largest value of images.
        data_format: where the channels are.
        seed: an int, for the same draws in every run.
    """

    bounds = (0.0, 1.0)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`factor`, the turn as a share of the circle."""
        u, side = self.drawn(data, 2, seed)
        turn = self.spread(u, self.factor, 0.5)
        return {"factor": ops.where(ops.less(side, 0.5), turn, ops.negative(turn))}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images with other hues."""
        turn = ops.cast(self.per_image(transformation["factor"]), images.dtype)

        def turned(h: Tensor, s: Tensor, v: Tensor) -> tuple[Tensor, ...]:
            h = h + turn
            return h - ops.floor(h), s, v

        return self._in_hsv(images, turned)


class RandomColorDegeneration(_ColorLayer):
    """Mixes images with their gray version: `x * (1 - f) + gray * f`.

    Args:
        factor: limits of f, a pair from -1 to 1, or one number for `(-factor, factor)`.
        value_range: the least and the largest value of images.
        data_format: where the channels are.
        seed: an int, for the same draws in every run.
    """

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`factor`, the share of gray."""
        (u,) = self.drawn(data, 1, seed)
        return {"factor": self.per_image(self.spread(u, self.factor))}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, grayer or more colourful."""
        share = ops.cast(transformation["factor"], images.dtype)
        gray = ops.image.rgb_to_grayscale(images, self.data_format)
        return self.in_range(images + (gray - images) * share)


class RandomGrayscale(ImageLayer):
    """Makes some images gray; they keep their channels.

    Args:
        factor: the share of images, from 0 to 1.
        data_format: where the channels are.
        seed: an int, for the same draws in every run.
    """

    keeps_integers = True

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(
                f"RandomGrayscale: factor must be a number from 0 to 1; got {factor!r}"
            )
        self._keep(seed=seed)
        self.factor = factor

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`should_apply`, which images become gray."""
        (u,) = self.drawn(data, 1, seed)
        return {"should_apply": ops.less(u, self.factor)}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, some of them gray."""
        gray = ops.image.rgb_to_grayscale(images, self.data_format)
        return ops.where(self.per_image(transformation["should_apply"]), gray, images)


class RandomColorJitter(ImageLayer):
    """Changes brightness, contrast, saturation and hue, in this order; see the layers of these.

    Args:
        value_range: the least and the largest value of images.
        brightness_factor: `factor` of `RandomBrightness`; None or 0 leaves it out.
        contrast_factor: that of `RandomContrast`.
        saturation_factor: that of `RandomSaturation`.
        hue_factor: that of `RandomHue`.
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(value_range=value_range, seed=seed, draws=False)
        options = {
            "value_range": value_range, "seed": seed, "data_format": self.data_format,
            "dtype": self.dtype_policy,
        }  # fmt: skip

        def made(layer: Any, factor: Any) -> Any:
            return layer(factor, **options) if factor else None

        self.random_brightness = made(RandomBrightness, brightness_factor)
        self.random_contrast = made(RandomContrast, contrast_factor)
        self.random_saturation = made(RandomSaturation, saturation_factor)
        self.random_hue = made(RandomHue, hue_factor)

    @property
    def _steps(self) -> list[Any]:
        steps = (
            self.random_brightness, self.random_contrast, self.random_saturation, self.random_hue
        )  # fmt: skip
        return [step for step in steps if step is not None]

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """For each of the layers that it consists of, by name, its transformation."""
        return {
            type(step).__name__: step.get_random_transformation(data, training, seed)
            for step in self._steps
        }

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images in other colours."""
        for step in self._steps:
            images = step.transform_images(images, transformation[type(step).__name__], training)
        return images
