"""Random distortions of images."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import bounding_boxes as boxes
from kerata.layers.preprocessing.image.base import factor_range
from kerata.layers.preprocessing.image.geometry import MovingLayer
from kerata.layers.preprocessing.seeds import seed_for
from kerata.ops.dispatch import Tensor
from kerata.ops.image.sampling import interpolated
from kerata.ops.image.warping import grid, warped
from kerata.ops.random import random_normal


class RandomElasticTransform(MovingLayer):
    """Displaces the pixels of some images at random, smoothly (Simard, Steinkraus & Platt, 2003).

    Normal noise, smoothed with a deviation of 5 % of the shorter side, becomes displacements of
    about 3 % of the longer, both times a draw from `scale`.

    Args:
        factor: the probability, or a pair that it is drawn from; one number `f` stands for
            `(0, f)`.
        scale: limits of the strength, a pair from 0 to 1, or one number `f` for `(0, f)`.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies beyond the edges; see `RandomRotation`.
        fill_value: the value for "constant".
        value_range: the least and the largest value of images.
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)
        self._keep_sampling(interpolation, fill_mode, fill_value)
        self.scale = factor_range(self, "scale", scale, (0.0, 1.0))

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`apply_transform`, `distortion_factor`, and `displacements`, down and right."""
        probability, u, v = self.drawn(data, 3, seed)
        found = super().get_random_transformation(data)
        applied = ops.less(u, self.spread(probability, self.factor))
        strength = self.spread(v, self.scale)
        shape = found["input_shape"]
        height, width = (shape[a] for a in self.axes[:2])
        source = seed_for(self.generator, seed, u, self.piped)
        field = random_normal((shape[0], height, width, 2), source, "float32")
        sides = [ops.cast(n, "float32") for n in (height, width)]
        sigma = ops.minimum(*sides) * strength * 0.05
        for letters, size in (("bij,bjwc->biwc", height), ("bij,bhjc->bhic", width)):
            field = ops.einsum(letters, _smoothing(size, sigma), field)
        reach = ops.maximum(*sides) * strength * 0.1 * ops.cast(applied, "float32")
        field = field * self.per_image(reach * sigma)
        return {
            "apply_transform": applied, "distortion_factor": strength, "displacements": field,
            **found,
        }  # fmt: skip

    def _sampled(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        down, right = ops.unstack(transformation["displacements"], 2, -1)
        x, y = grid("RandomElasticTransform", images, self.data_format, "float32")
        return warped(
            "RandomElasticTransform", images, y + down, x + right, interpolation, self.fill_mode,
            self.fill_value, self.data_format,
        )  # fmt: skip

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, some of them distorted."""
        return self.in_range(self._sampled(images, transformation, self.interpolation))

    def moved_boxes(
        self, corners: Tensor, transformation: Any, height: Any, width: Any
    ) -> tuple[Tensor, Any, Any]:
        """The boxes around where about the corners go."""
        field = transformation["displacements"]

        def move(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            moves = interpolated(field, (y, x), 1, "nearest", 0.0, batch=True)
            down, right = ops.unstack(moves, 2, -1)
            return x - right, y - down

        return boxes.mapped(corners, move), height, width


def _smoothing(size: Any, sigma: Tensor) -> Tensor:
    """`(batch, size, size)`: matrices that smooth with Gaussians of the deviations `sigma`."""
    place = ops.arange(size, dtype="float32")
    distance = ops.expand_dims(place, 0) - ops.expand_dims(place, 1)
    scale = ops.reshape(ops.maximum(sigma, 1e-2), (-1, 1, 1))
    weights = ops.exp(ops.square(distance / scale) * -0.5)
    return weights / ops.max(ops.sum(weights, 2, keepdims=True), 1, keepdims=True)
