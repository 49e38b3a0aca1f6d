"""Random changes of colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata import ops
from kerata.backends import dtypes
from kerata.layers.preprocessing.image.base import Draws, ImageLayer
from kerata.ops.dispatch import Tensor


class _ToneLayer(ImageLayer):
    """Layers with the arguments `factor`, `value_range` and `seed`."""

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._keep(factor, value_range, seed)


class RandomBrightness(_ToneLayer):
    """Adds a random number to all pixels of an image: `clip(x + delta)`.

    Args:
        factor: limits of delta as a share of the value range, a pair from -1 to 1, or one number
            `f` for `(-f, f)`.
        value_range, seed: see `ImageLayer`.
    """

    keeps_integers = True

    def drawn(self, draws: Draws) -> dict[str, Any]:
        (u,) = draws(1)
        width = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": self.per_image(self.spread(u, self.factor, width))}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        delta, dtype = transformation["rgb_delta"], images.dtype
        if dtypes.is_float(dtypes.standardize_dtype(dtype)):
            return self.in_range(images + ops.cast(delta, dtype))
        return ops.cast(self.in_range(ops.cast(images, "float32") + ops.trunc(delta)), dtype)


class RandomContrast(_ToneLayer):
    """Spreads each channel around its mean: `clip((x - mean) * c + mean)`.

    Args:
        factor: a pair `(a, b)` from 0 to 1: c is drawn from 1 - a to 1 + b; one number `f` stands
            for `(0, f)`.
        value_range, seed: see `ImageLayer`.
    """

    bounds = (0.0, 1.0)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        (u,) = draws(1)
        low, high = self.factor
        return {"contrast_factor": self.per_image(self.spread(u, (1.0 - low, 1.0 + high)))}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        factor = ops.cast(transformation["contrast_factor"], images.dtype)
        mean = ops.mean(images, self.axes[:2], keepdims=True)
        return self.in_range((images - mean) * factor + mean)


class ColorLayer(ImageLayer):
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

    def drawn(self, draws: Draws) -> dict[str, Any]:
        (u,) = draws(1)
        return {"factor": self.spread(u, self.factor)}

    def _in_hsv(self, images: Tensor, change: Callable[..., tuple[Tensor, ...]]) -> Tensor:
        """Images whose hue, saturation and value, all from 0 to 1, `change` replaced."""
        x = self.rescaled(images, self.value_range, (0.0, 1.0))
        hsv = ops.split(ops.image.rgb_to_hsv(x, self.data_format), 3, self.axes[2])
        x = ops.concatenate(list(change(*hsv)), self.axes[2])
        x = ops.image.hsv_to_rgb(x, self.data_format)
        return self.rescaled(x, (0.0, 1.0), self.value_range)


class RandomSaturation(ColorLayer):
    """Multiplies the saturation of colours by `s / (1 - s)`, which may exceed the value range.

    Args:
        factor: limits of s, a pair from 0 (gray) over 0.5 (unchanged) to 1 (full colours), or one
            number `f` for `(-f, f)`, where negative draws give gray.
        value_range, data_format, seed: see `ImageLayer`.
    """

    def drawn(self, draws: Draws) -> dict[str, Any]:
        share = super().drawn(draws)["factor"]
        return {"factor": share / ops.maximum(1.0 - share, 1e-7)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        factor = self.per_image(transformation["factor"], images)
        return self._in_hsv(images, lambda h, s, v: (h, ops.maximum(s * factor, 0.0), v))


class RandomHue(ColorLayer):
    """Turns the hue of colours, to either side.

    Args:
        factor: limits of the turn as a share of half the circle, a pair from 0 to 1, or one number
            `f` for `(0, f)`.
        value_range, data_format, seed: see `ImageLayer`.
    """

    bounds = (0.0, 1.0)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        u, side = draws(2)
        turn = self.spread(u, self.factor, 0.5)
        return {"factor": ops.where(ops.less(side, 0.5), turn, ops.negative(turn))}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        turn = self.per_image(transformation["factor"], images)
        return self._in_hsv(images, lambda h, s, v: (h + turn - ops.floor(h + turn), s, v))


class RandomColorDegeneration(ColorLayer):
    """Mixes images with their gray version: `x * (1 - f) + gray * f`.

    Args:
        factor: limits of f, a pair from -1 to 1, or one number for `(-factor, factor)`.
        value_range, data_format, seed: see `ImageLayer`.
    """

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        share = self.per_image(transformation["factor"], images)
        gray = ops.image.rgb_to_grayscale(images, self.data_format)
        return self.in_range(images + (gray - images) * share)


class RandomGrayscale(ImageLayer):
    """Makes some images gray; they keep their channels.

    Args:
        factor: the share of images, from 0 to 1.
        data_format, seed: see `ImageLayer`.
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

    def drawn(self, draws: Draws) -> dict[str, Any]:
        (u,) = draws(1)
        return {"should_apply": ops.less(u, self.factor)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        gray = ops.image.rgb_to_grayscale(images, self.data_format)
        return ops.where(self.per_image(transformation["should_apply"]), gray, images)


class RandomColorJitter(ImageLayer):
    """Changes brightness, contrast, saturation and hue, in this order; see the layers of these.

    Args:
        value_range, seed, data_format: see `ImageLayer`.
        brightness_factor: `factor` of `RandomBrightness`; None or 0 leaves it out.
        contrast_factor: that of `RandomContrast`.
        saturation_factor: that of `RandomSaturation`.
        hue_factor: that of `RandomHue`.
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
        options: dict[str, Any] = {
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

    def drawn(self, draws: Draws) -> dict[str, Any]:
        return {type(s).__name__: draws.transformation_of(s) for s in self._steps}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        for step in self._steps:
            images = step.changed(images, transformation[type(step).__name__])
        return images
