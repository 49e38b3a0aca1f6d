"""Random movements of images, with what they show."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core.bounding_boxes import mapped
from kerata.layers.arguments import one_of
from kerata.layers.preprocessing.image.base import Draws, ImageLayer, Range, factor_range
from kerata.ops.dispatch import Tensor
from kerata.ops.image.sampling import FILL_MODES, interpolated
from kerata.ops.image.warping import adjugate, grid, perspective_map, warped
from kerata.ops.random import random_normal


class MovingLayer(ImageLayer):
    """The base of layers under which each image is a map of itself.

    Subclasses define `maps`. Masks are sampled at the nearest pixel.

    Args:
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies beyond the edges: "constant", "nearest", "wrap", "mirror" or "reflect"
            (`ops.image.map_coordinates`).
        fill_value: the value for "constant".
        **kwargs: as of `ImageLayer`.
    """

    def __init__(self, interpolation: str, fill_mode: str, fill_value: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_mode = one_of(self, "fill_mode", fill_mode, FILL_MODES)
        self.fill_value = fill_value

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """`(batch, 8)`: where the pixels of the results are taken from (`affine_transform`)."""
        raise NotImplementedError(f"{type(self).__name__} must define maps")

    def _sampled(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        return ops.image.affine_transform(
            images, self.maps(transformation), interpolation, self.fill_mode, self.fill_value,
            self.data_format,
        )  # fmt: skip

    def _middle(self, transformation: Any) -> tuple[Tensor, Tensor]:
        """The row and the column in the middle of the images."""
        height, width = self.sizes(transformation["input_shape"])
        return (ops.cast(height, "float32") - 1.0) * 0.5, (ops.cast(width, "float32") - 1.0) * 0.5

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        return self._sampled(images, transformation, self.interpolation)

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._sampled(masks, transformation, "nearest")

    def moved_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        maps = ops.cast(self.maps(transformation), boxes.dtype)
        back = ops.concatenate([maps, ops.ones_like(maps[:, :1])], -1)
        there = ops.reshape(adjugate(ops.reshape(back, (-1, 3, 3))), (-1, 9, 1, 1))
        a = ops.unstack(there, 9, 1)

        def move(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            u, v, k = (a[i] * x + a[i + 1] * y + a[i + 2] for i in (0, 3, 6))
            return u / k, v / k

        return mapped(boxes, move)


def _rows(*columns: Any) -> Tensor:
    """Maps from eight columns `(batch,)` or numbers, at least one of them a tensor."""
    like = next(c for c in columns if not isinstance(c, (int, float)))
    full = [ops.ones_like(like) * c if isinstance(c, (int, float)) else c for c in columns]
    return ops.stack(full, -1)


class RandomRotation(MovingLayer):
    """Turns images around their middle.

    Args:
        factor: limits of the angle as a share of a full turn, a pair from -1 to 1 (positive is
            counterclockwise), or one number `f` for `(-f, f)`.
        fill_mode, interpolation, fill_value: see `MovingLayer`.
        seed, data_format: see `ImageLayer`.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_mode, fill_value, data_format=data_format, **kwargs)
        self._keep(factor, seed=seed)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        (u,) = draws(1)
        return {"angle": self.spread(u, self.factor, 360.0)}  # in degrees

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Turns around the middle."""
        angle = ops.cast(transformation["angle"], "float32") * (math.pi / 180.0)
        sine, cosine = ops.sin(angle), ops.cos(angle)
        y, x = self._middle(transformation)
        return _rows(
            cosine, ops.negative(sine), x - x * cosine + y * sine,
            sine, cosine, y - x * sine - y * cosine, 0.0, 0.0,
        )  # fmt: skip


class RandomTranslation(MovingLayer):
    """Shifts images.

    Args:
        height_factor: limits of the shift downwards as a share of the height, a pair from -1 to 1,
            or one number `f` for `(-f, f)`.
        width_factor: the same to the right, of the width.
        fill_mode, interpolation, fill_value: see `MovingLayer`.
        seed, data_format: see `ImageLayer`.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_mode, fill_value, data_format=data_format, **kwargs)
        self._keep(seed=seed)
        self.height_factor = factor_range(self, "height_factor", height_factor, self.bounds)
        self.width_factor = factor_range(self, "width_factor", width_factor, self.bounds)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        u, v = draws(2)
        height, width = (ops.cast(n, "float32") for n in self.sizes(draws.shape))
        right = self.spread(u, self.width_factor) * width
        down = self.spread(v, self.height_factor) * height
        return {"translations": ops.stack([right, down], -1)}

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Shifts back."""
        right, down = ops.unstack(ops.cast(transformation["translations"], "float32"), 2, -1)
        return _rows(1.0, 0.0, ops.negative(right), 0.0, 1.0, ops.negative(down), 0.0, 0.0)


class RandomZoom(MovingLayer):
    """Scales images around their middle.

    Args:
        height_factor: limits of how much more (positive, the image shrinks) or less of the height
            is shown, a pair from -1 to 1, or one number `f` for `(-f, f)`.
        width_factor: the same of the width; None keeps the aspect ratio.
        fill_mode, interpolation, fill_value: see `MovingLayer`.
        seed, data_format: see `ImageLayer`.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_mode, fill_value, data_format=data_format, **kwargs)
        self._keep(seed=seed)
        self.height_factor = factor_range(self, "height_factor", height_factor, self.bounds)
        self.width_factor: Range | None = None
        if width_factor is not None:
            self.width_factor = factor_range(self, "width_factor", width_factor, self.bounds)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        u, v = (ops.expand_dims(x, 1) for x in draws(2))
        height = self.spread(u, self.height_factor) + 1.0
        width = height if self.width_factor is None else self.spread(v, self.width_factor) + 1.0
        return {"height_zoom": height, "width_zoom": width}

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Scaled places."""
        down, across = (
            ops.reshape(ops.cast(transformation[n], "float32"), (-1,))
            for n in ("height_zoom", "width_zoom")
        )
        y, x = self._middle(transformation)
        return _rows(across, 0.0, x - x * across, 0.0, down, y - y * down, 0.0, 0.0)


class RandomShear(MovingLayer):
    """Slants images.

    Args:
        x_factor: limits of the slant along the rows, a pair from 0 to 1, or one number `f` for
            `(0, f)`; it goes to either side.
        y_factor: the same along the columns.
        interpolation, fill_mode, fill_value: see `MovingLayer`.
        data_format, seed: see `ImageLayer`.
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_mode, fill_value, data_format=data_format, **kwargs)
        self._keep(seed=seed)
        for name, value in (("x_factor", x_factor), ("y_factor", y_factor)):
            if isinstance(value, (int, float)) and value < 0:
                raise ValueError(f"RandomShear: {name} must not be negative; got {value!r}")
        self.x_factor = factor_range(self, "x_factor", x_factor, self.bounds)
        self.y_factor = factor_range(self, "y_factor", y_factor, self.bounds)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        u, v, side = draws(3)
        sign = ops.where(ops.less(side, 0.5), -1.0, 1.0)
        slants = (self.spread(u, self.x_factor), self.spread(v, self.y_factor))
        return {"shear_factor": ops.stack([s * sign for s in slants], -1)}

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Slanted places."""
        x, y = ops.unstack(ops.cast(transformation["shear_factor"], "float32"), 2, -1)
        return _rows(1.0, x, 0.0, y, 1.0, 0.0, 0.0, 0.0)


class RandomPerspective(MovingLayer):
    """Shows some images as if they were seen from another side.

    Args:
        factor: the probability, or a pair that it is drawn from; one number `f` stands for
            `(0, f)`.
        scale: how far corners move: their coordinates are multiplied by 1 ± scale / 2 at most.
        interpolation, fill_value: see `MovingLayer`; `fill_value` lies beyond the edges.
        seed, data_format: see `ImageLayer`.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, "constant", fill_value, data_format=data_format, **kwargs)
        self._keep(factor, seed=seed)
        self.scale = factor_range(self, "scale", scale, (0.0, 1.0))[1]

    def drawn(self, draws: Draws) -> dict[str, Any]:
        u, v, *moves = draws(10)
        y, x = (ops.cast(n, "float32") - 1.0 for n in self.sizes(draws.shape))
        zero = ops.zeros_like(x)
        corners = ops.reshape(ops.stack([zero, zero, x, zero, zero, y, x, y]), (1, 4, 2))
        factors = ops.reshape(ops.stack(moves, -1), (-1, 4, 2))
        factors = factors * self.scale + (1.0 - self.scale * 0.5)
        return {
            "apply_perspective": self.some(u, v),
            "start_points": corners * ops.ones_like(factors),
            "end_points": corners * factors,
        }

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Places in the image seen from the front."""
        points = (ops.cast(transformation[f"{n}_points"], "float32") for n in ("end", "start"))
        back = ops.reshape(perspective_map(*points), (-1, 9))
        back = back[:, :8] / back[:, 8:]
        applied = ops.expand_dims(transformation["apply_perspective"], 1)
        same = ops.cast([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], "float32")
        return ops.where(applied, back, same)


class RandomFlip(ImageLayer):
    """Mirrors half of the images.

    Args:
        mode: "horizontal" (left and right), "vertical", or "horizontal_and_vertical" (both at
            once).
        seed, data_format: see `ImageLayer`.
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(seed=seed)
        modes = ("horizontal", "vertical", "horizontal_and_vertical")
        self.mode = one_of(self, "mode", mode, modes)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        (u,) = draws(1)
        return {"flips": self.per_image(ops.less(u, 0.5))}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        sides = zip(("vertical", "horizontal"), self.axes, strict=False)
        flipped = ops.flip(images, tuple(axis for name, axis in sides if name in self.mode))
        return ops.where(transformation["flips"], flipped, images)

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self.changed(masks, transformation)

    def moved_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        left, top, right, bottom = ops.split(boxes, 4, -1)
        if "horizontal" in self.mode:
            width = ops.cast(width, boxes.dtype)
            left, right = width - right, width - left
        if "vertical" in self.mode:
            height = ops.cast(height, boxes.dtype)
            top, bottom = height - bottom, height - top
        flips = ops.reshape(transformation["flips"], (-1, 1, 1))
        flipped = ops.concatenate([left, top, right, bottom], -1)
        return ops.where(flips, flipped, boxes)


class RandomElasticTransform(MovingLayer):
    """Displaces the pixels of some images at random, smoothly (Simard, Steinkraus & Platt, 2003).

    Normal noise, smoothed with a deviation of 5 % of the shorter side, becomes displacements of
    about 3 % of the longer, both times a draw from `scale`.

    Args:
        factor: the probability, or a pair that it is drawn from; one number `f` stands for
            `(0, f)`.
        scale: limits of the strength, a pair from 0 to 1, or one number `f` for `(0, f)`.
        interpolation, fill_mode, fill_value: see `MovingLayer`.
        value_range, seed, data_format: see `ImageLayer`.
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
        super().__init__(interpolation, fill_mode, fill_value, data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)
        self.scale = factor_range(self, "scale", scale, (0.0, 1.0))

    def drawn(self, draws: Draws) -> dict[str, Any]:
        share, u, v = draws(3)
        strength, applied = self.spread(share, self.scale), self.some(u, v)
        height, width = self.sizes(draws.shape)
        field = random_normal((draws.shape[0], height, width, 2), draws.seed(), "float32")
        sides = [ops.cast(n, "float32") for n in (height, width)]
        sigma = ops.minimum(*sides) * strength * 0.05
        for letters, size in (("bij,bjwc->biwc", height), ("bij,bhjc->bhic", width)):
            field = ops.einsum(letters, _smoothing(size, sigma), field)
        reach = ops.maximum(*sides) * strength * 0.1 * ops.cast(applied, "float32")
        field = field * self.per_image(reach * sigma)  # down and right
        return {
            "apply_transform": applied, "distortion_factor": strength, "displacements": field
        }  # fmt: skip

    def _sampled(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        down, right = ops.unstack(transformation["displacements"], 2, -1)
        x, y = grid("RandomElasticTransform", images, self.data_format, "float32")
        return warped(
            "RandomElasticTransform", images, y + down, x + right, interpolation, self.fill_mode,
            self.fill_value, self.data_format,
        )  # fmt: skip

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        return self.in_range(self._sampled(images, transformation, self.interpolation))

    def moved_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        field = transformation["displacements"]

        def move(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            moves = interpolated(field, (y, x), 1, "nearest", 0.0, batch=True)
            down, right = ops.unstack(moves, 2, -1)
            return x - right, y - down

        return mapped(boxes, move)


def _smoothing(size: Any, sigma: Tensor) -> Tensor:
    """`(batch, size, size)`: matrices that smooth with Gaussians of the deviations `sigma`."""
    place = ops.arange(size, dtype="float32")
    distance = ops.expand_dims(place, 0) - ops.expand_dims(place, 1)
    scale = ops.reshape(ops.maximum(sigma, 1e-2), (-1, 1, 1))
    weights = ops.exp(ops.square(distance / scale) * -0.5)
    return weights / ops.max(ops.sum(weights, 2, keepdims=True), 1, keepdims=True)
