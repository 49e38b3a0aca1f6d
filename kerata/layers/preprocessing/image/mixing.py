"""Images mixed with others of the batch, and parts of images erased."""

from __future__ import annotations

from typing import Any

from kerata import ops, random
from kerata.layers.preprocessing.image.base import ImageLayer, factor_range
from kerata.layers.preprocessing.seeds import seed_for
from kerata.ops.dispatch import Tensor
from kerata.ops.random import random_normal


class _WindowedLayer(ImageLayer):
    """Layers that change a window of each image."""

    def _window(self, shape: Any, share: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Windows with the images' aspect ratio at random places.

        Args:
            shape: of the images.
            share: of the images' areas, `(batch,)`.
            u: draws from [0, 1), for the places downwards.
            v: the same, to the right.

        Returns:
            Masks of the images' shape, with one channel, and the corners `(batch, 4)`, "xyxy".
        """
        side = ops.sqrt(share)
        inside, edges = None, []
        for axis, draw in zip(self.axes[:2], (u, v), strict=True):
            size = ops.cast(shape[axis], "float32")
            start = draw * (1.0 - side) * size
            stop = start + side * size
            along = [1, 1, 1, 1]
            along[axis] = -1
            place = ops.reshape(ops.arange(shape[axis], dtype="float32"), tuple(along))
            after = ops.greater_equal(place, self.per_image(start))
            part = ops.logical_and(after, ops.less(place, self.per_image(stop)))
            inside = part if inside is None else ops.logical_and(inside, part)
            edges.append((start, stop))
        (top, bottom), (left, right) = edges
        return inside, ops.stack([left, top, right, bottom], -1)


class RandomErasing(_WindowedLayer):
    """Erases a rectangle of some images (Zhong et al., 2020).

    Args:
        factor: the probability, or a pair that it is drawn from; one number `f` stands for
            `(0, f)`.
        scale: limits of the rectangle's share of the image, a pair from 0 to 1, or one number `s`
            for `(0, s)`.
        fill_value: what is there instead; None for noise.
        value_range: the least and the largest value of images.
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)
        self.scale = factor_range(self, "scale", scale, (0.0, 1.0))
        self.fill_value = fill_value

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`apply_erasing`; `batch_masks`, true where something is erased; `fill_value`."""
        probability, chance, share, u, v = self.drawn(data, 5, seed)
        found = super().get_random_transformation(data)
        shape = found["input_shape"]
        masks, _ = self._window(shape, self.spread(share, self.scale), u, v)
        fill = self.fill_value
        if fill is None:
            noise = random_normal(shape, seed_for(self.generator, seed, u, self.piped), "float32")
            fill = self.rescaled(ops.clip(noise, 0.0, 1.0), (0.0, 1.0), self.value_range)
        return {
            "apply_erasing": ops.less(chance, self.spread(probability, self.factor)),
            "batch_masks": masks, "fill_value": fill, **found,
        }  # fmt: skip

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, some of them with something missing."""
        applied = self.per_image(transformation["apply_erasing"])
        erased = ops.logical_and(applied, transformation["batch_masks"])
        return ops.where(erased, ops.cast(transformation["fill_value"], images.dtype), images)


class _MixingLayer(_WindowedLayer):
    """Layers that mix each image with another: labels are mixed by `mix_weight`."""

    def _beta(self, concentration: Any, like: Tensor, seed: Any) -> Tensor:
        """Draws from the beta distributions with both parameters `concentration`."""
        source = seed_for(self.generator, seed, like, self.piped)
        return random.beta(ops.shape(like), concentration, concentration, "float32", seed=source)

    def _mixed(self, x: Tensor, transformation: Any) -> Tensor:
        shape = ops.shape(x)
        x = ops.cast(x, self.compute_dtype)
        weight = ops.cast(transformation["mix_weight"], self.compute_dtype)
        weight = ops.reshape(weight, (-1,) + (1,) * (len(shape) - 1))
        return x * weight + self._others(x, transformation) * (1.0 - weight)

    def _others(self, x: Tensor, transformation: Any) -> Tensor:
        """For each image the one that it is mixed with."""
        return ops.take(x, transformation["permutation_order"], 0)

    def transform_labels(
        self, labels: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The labels (one-hot, or other numbers), mixed."""
        return self._mixed(labels, transformation)

    def moved_boxes(
        self, corners: Tensor, transformation: Any, height: Any, width: Any
    ) -> tuple[Tensor, Any, Any]:
        """The boxes of both images."""
        others = self._others(corners, transformation)
        window = transformation.get("window")
        if window is not None:  # only what lies within it is shown
            low, high = (
                ops.concatenate([w, w], -1) for w in ops.split(ops.expand_dims(window, 1), 2, -1)
            )
            others = ops.minimum(ops.maximum(others, low), high)
        return ops.concatenate([corners, others], 1), height, width

    def transform_bounding_boxes(
        self, bounding_boxes: dict[str, Any], transformation: Any, training: bool = True
    ) -> dict[str, Any]:
        """The boxes of both images, one after the other."""
        labels = ops.convert_to_tensor(bounding_boxes["labels"])
        both = ops.concatenate([labels, self._others(labels, transformation)], 1)
        bounding_boxes = {**bounding_boxes, "labels": both}
        return super().transform_bounding_boxes(bounding_boxes, transformation, training)


class CutMix(_MixingLayer):
    """Puts a window of another image of the batch into each (Yun et al., 2019).

    The share λ that stays comes from a beta distribution; labels are `λ y + (1 - λ) y'`.

    Args:
        factor: limits of the distribution's two equal parameters, a pair from 0 to 1, or one
            number `f` for `(0, f)`.
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
    """

    masks_as_images = True
    bounds = (0.0, 1.0)

    def __init__(
        self, factor: Any = 1.0, seed: Any = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, seed=seed)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`mix_weight`, `batch_masks`, the `window`, and whose it is, `permutation_order`."""
        a, u, v, order = self.drawn(data, 4, seed)
        found = super().get_random_transformation(data)
        weight = self._beta(ops.maximum(self.spread(a, self.factor), 1e-3), a, seed)
        masks, window = self._window(found["input_shape"], 1.0 - weight, u, v)
        return {
            "permutation_order": ops.argsort(order), "batch_masks": masks, "window": window,
            "mix_weight": self.per_image(weight), **found,
        }  # fmt: skip

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images with a window of another."""
        others = self._others(images, transformation)
        return ops.where(transformation["batch_masks"], others, images)


class MixUp(_MixingLayer):
    """Mixes each image with another of the batch (Zhang et al., 2018): `λ x + (1 - λ) x'`.

    Labels and masks are mixed alike; the boxes of both are kept.

    Args:
        alpha: both parameters of the beta distribution that λ comes from.
        data_format: where the channels are.
        seed: an int, for the same draws in every run.
    """

    masks_as_images = True

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ValueError(f"MixUp: alpha must be a positive number; got {alpha!r}")
        self._keep(seed=seed)
        self.alpha = alpha

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`mix_weight`, and what each image is mixed with, `permutation_order`."""
        (order,) = self.drawn(data, 1, seed)
        found = super().get_random_transformation(data)
        weight = self._beta(self.alpha, order, seed)
        return {"mix_weight": weight, "permutation_order": ops.argsort(order), **found}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, mixed."""
        return self._mixed(images, transformation)
