"""Images mixed with others of the batch, and parts of images erased."""

from __future__ import annotations

from typing import Any

from kerata import ops, random
from kerata.layers.preprocessing.image.base import Draws, ImageLayer, factor_range
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
        value_range, seed, data_format: see `ImageLayer`.
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

    def drawn(self, draws: Draws) -> dict[str, Any]:
        share, *places = draws(5)
        masks, _ = self._window(draws.shape, self.spread(share, self.scale), *places[:2])
        fill = self.fill_value
        if fill is None:
            noise = ops.clip(random_normal(draws.shape, draws.seed(), "float32"), 0.0, 1.0)
            fill = self.rescaled(noise, (0.0, 1.0), self.value_range)
        applied = self.some(*places[2:])
        return {"apply_erasing": applied, "batch_masks": masks, "fill_value": fill}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        applied = self.per_image(transformation["apply_erasing"])
        erased = ops.logical_and(applied, transformation["batch_masks"])
        return ops.where(erased, ops.cast(transformation["fill_value"], images.dtype), images)


class _MixingLayer(_WindowedLayer):
    """Layers that mix each image with another: labels are mixed by `mix_weight`."""

    def _beta(self, draws: Draws, concentration: Any) -> Tensor:
        """Draws from the beta distribution with both parameters `concentration`."""
        both = (concentration, concentration)
        return random.beta(draws.shape[:1], *both, "float32", seed=draws.seed())

    def _mixed(self, x: Tensor, transformation: Any) -> Tensor:
        x = ops.cast(x, self.compute_dtype)
        weight = ops.cast(transformation["mix_weight"], self.compute_dtype)
        weight = ops.reshape(weight, (-1,) + (1,) * (len(ops.shape(x)) - 1))
        return x * weight + self._others(x, transformation) * (1.0 - weight)

    def _others(self, x: Tensor, transformation: Any) -> Tensor:
        """For each image the one that it is mixed with."""
        return ops.take(x, transformation["permutation_order"], 0)

    def transform_labels(
        self, labels: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The labels (one-hot, or other numbers), mixed."""
        return self._mixed(labels, transformation)

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self.changed(masks, transformation)

    def moved_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        others = self._others(boxes, transformation)
        window = transformation.get("window")
        if window is not None:  # only what lies within it is shown
            low, high = (
                ops.concatenate([w, w], -1) for w in ops.split(ops.expand_dims(window, 1), 2, -1)
            )
            others = ops.minimum(ops.maximum(others, low), high)
        return ops.concatenate([boxes, others], 1)

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
        seed, data_format: see `ImageLayer`.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self, factor: Any = 1.0, seed: Any = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, seed=seed)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        a, u, v, order = draws(4)
        weight = self._beta(draws, ops.maximum(self.spread(a, self.factor), 1e-3))
        masks, window = self._window(draws.shape, 1.0 - weight, u, v)
        return {
            "permutation_order": ops.argsort(order), "batch_masks": masks, "window": window,
            "mix_weight": self.per_image(weight),
        }  # fmt: skip

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        others = self._others(images, transformation)
        return ops.where(transformation["batch_masks"], others, images)


class MixUp(_MixingLayer):
    """Mixes each image with another of the batch (Zhang et al., 2018): `λ x + (1 - λ) x'`.

    Labels and masks are mixed alike; the boxes of both are kept.

    Args:
        alpha: both parameters of the beta distribution that λ comes from.
        data_format, seed: see `ImageLayer`.
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ValueError(f"MixUp: alpha must be a positive number; got {alpha!r}")
        self._keep(seed=seed)
        self.alpha = alpha

    def drawn(self, draws: Draws) -> dict[str, Any]:
        (order,) = draws(1)
        weight = self._beta(draws, self.alpha)
        return {"mix_weight": weight, "permutation_order": ops.argsort(order)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        return self._mixed(images, transformation)
