"""Random movements of images, with what they show: rotation, shift, zoom, shear, perspective."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core import bounding_boxes as boxes
from kerata.layers.arguments import one_of
from kerata.layers.preprocessing.image.base import ImageLayer, Range, factor_range
from kerata.ops.dispatch import Tensor
from kerata.ops.image.sampling import FILL_MODES
from kerata.ops.image.warping import adjugate, perspective_map


class MovingLayer(ImageLayer):
    """The base of layers under which each image is a map of itself.

    Subclasses define `maps`. Masks are sampled at the nearest pixel.
    """

    interpolation = "bilinear"
    fill_mode = "constant"
    fill_value: Any = 0.0

    def _keep_sampling(self, interpolation: str, fill_mode: str, fill_value: Any) -> None:
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

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, moved."""
        return self._sampled(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks, moved."""
        return self._sampled(segmentation_masks, transformation, "nearest")

    def moved_boxes(
        self, corners: Tensor, transformation: Any, height: Any, width: Any
    ) -> tuple[Tensor, Any, Any]:
        """The boxes around what the boxes become."""
        maps = ops.cast(self.maps(transformation), corners.dtype)
        back = ops.concatenate([maps, ops.ones_like(maps[:, :1])], -1)
        there = ops.reshape(adjugate(ops.reshape(back, (-1, 3, 3))), (-1, 9, 1, 1))
        a = ops.unstack(there, 9, 1)

        def move(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            u, v, k = (a[i] * x + a[i + 1] * y + a[i + 2] for i in (0, 3, 6))
            return u / k, v / k

        return boxes.mapped(corners, move), height, width


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
        fill_mode: what lies beyond the edges: "constant", "nearest", "wrap", "mirror" or "reflect"
            (`ops.image.map_coordinates`).
        interpolation: "nearest" or "bilinear".
        seed: an int, for the same draws in every run.
        fill_value: the value for "constant".
        data_format: where the channels are.
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
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, seed=seed)
        self._keep_sampling(interpolation, fill_mode, fill_value)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`angle`, in degrees."""
        (u,) = self.drawn(data, 1, seed)
        angle = self.spread(u, self.factor, 360.0)
        return {"angle": angle, **super().get_random_transformation(data)}

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Turns around the middle."""
        angle = ops.cast(transformation["angle"], "float32") * (math.pi / 180.0)
        sine, cosine = ops.sin(angle), ops.cos(angle)
        shape = transformation["input_shape"]
        y, x = ((ops.cast(shape[a], "float32") - 1.0) * 0.5 for a in self.axes[:2])
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
        fill_mode: what lies beyond the edges; see `RandomRotation`.
        interpolation: "nearest" or "bilinear".
        seed: an int, for the same draws in every run.
        fill_value: the value for "constant".
        data_format: where the channels are.
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
        super().__init__(data_format=data_format, **kwargs)
        self._keep(seed=seed)
        self._keep_sampling(interpolation, fill_mode, fill_value)
        self.height_factor = factor_range(self, "height_factor", height_factor, self.bounds)
        self.width_factor = factor_range(self, "width_factor", width_factor, self.bounds)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`translations`, `(batch, 2)`: to the right and downwards, in pixels."""
        u, v = self.drawn(data, 2, seed)
        found = super().get_random_transformation(data)
        height, width = (ops.cast(found["input_shape"][a], "float32") for a in self.axes[:2])
        right = self.spread(u, self.width_factor) * width
        down = self.spread(v, self.height_factor) * height
        return {"translations": ops.stack([right, down], -1), **found}

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
        fill_mode: what lies beyond the edges; see `RandomRotation`.
        interpolation: "nearest" or "bilinear".
        seed: an int, for the same draws in every run.
        fill_value: the value for "constant".
        data_format: where the channels are.
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
        super().__init__(data_format=data_format, **kwargs)
        self._keep(seed=seed)
        self._keep_sampling(interpolation, fill_mode, fill_value)
        self.height_factor = factor_range(self, "height_factor", height_factor, self.bounds)
        self.width_factor: Range | None = None
        if width_factor is not None:
            self.width_factor = factor_range(self, "width_factor", width_factor, self.bounds)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`height_zoom` and `width_zoom`, `(batch, 1)`: how much is shown."""
        u, v = (ops.expand_dims(x, 1) for x in self.drawn(data, 2, seed))
        height = self.spread(u, self.height_factor) + 1.0
        width = height if self.width_factor is None else self.spread(v, self.width_factor) + 1.0
        found = super().get_random_transformation(data)
        return {"height_zoom": height, "width_zoom": width, **found}

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Scaled places."""
        down, across = (
            ops.reshape(ops.cast(transformation[n], "float32"), (-1,))
            for n in ("height_zoom", "width_zoom")
        )
        shape = transformation["input_shape"]
        y, x = ((ops.cast(shape[a], "float32") - 1.0) * 0.5 for a in self.axes[:2])
        return _rows(across, 0.0, x - x * across, 0.0, down, y - y * down, 0.0, 0.0)


class RandomShear(MovingLayer):
    """Slants images.

    Args:
        x_factor: limits of the slant along the rows, a pair from 0 to 1, or one number `f` for
            `(0, f)`; it goes to either side.
        y_factor: the same along the columns.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies beyond the edges; see `RandomRotation`.
        fill_value: the value for "constant".
        data_format: where the channels are.
        seed: an int, for the same draws in every run.
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
        super().__init__(data_format=data_format, **kwargs)
        self._keep(seed=seed)
        self._keep_sampling(interpolation, fill_mode, fill_value)
        for name, value in (("x_factor", x_factor), ("y_factor", y_factor)):
            if isinstance(value, (int, float)) and value < 0:
                raise ValueError(f"RandomShear: {name} must not be negative; got {value!r}")
        self.x_factor = factor_range(self, "x_factor", x_factor, self.bounds)
        self.y_factor = factor_range(self, "y_factor", y_factor, self.bounds)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`shear_factor`, `(batch, 2)`: along the rows and along the columns."""
        u, v, side = self.drawn(data, 3, seed)
        sign = ops.where(ops.less(side, 0.5), -1.0, 1.0)
        slants = (self.spread(u, self.x_factor), self.spread(v, self.y_factor))
        shear = ops.stack([s * sign for s in slants], -1)
        return {"shear_factor": shear, **super().get_random_transformation(data)}

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
        interpolation: "nearest" or "bilinear".
        fill_value: what lies beyond the edges.
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
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
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, seed=seed)
        self._keep_sampling(interpolation, "constant", fill_value)
        self.scale = factor_range(self, "scale", scale, (0.0, 1.0))[1]

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`apply_perspective`; `start_points` and `end_points`, where the corners go."""
        probability, u, *moves = self.drawn(data, 10, seed)
        found = super().get_random_transformation(data)
        y, x = (ops.cast(found["input_shape"][a], "float32") - 1.0 for a in self.axes[:2])
        zero = ops.zeros_like(x)
        corners = ops.reshape(ops.stack([zero, zero, x, zero, zero, y, x, y]), (1, 4, 2))
        half = self.scale * 0.5
        factors = ops.reshape(ops.stack(moves, -1), (-1, 4, 2)) * (2.0 * half) + (1.0 - half)
        return {
            "apply_perspective": ops.less(u, self.spread(probability, self.factor)),
            "start_points": corners * ops.ones_like(factors),
            "end_points": corners * factors,
            **found,
        }

    def maps(self, transformation: dict[str, Any]) -> Tensor:
        """Places in the image seen from the front."""
        start, end = (
            ops.cast(transformation[n], "float32") for n in ("start_points", "end_points")
        )
        back = ops.reshape(perspective_map(end, start), (-1, 9))
        back = back[:, :8] / back[:, 8:]
        applied = ops.expand_dims(transformation["apply_perspective"], 1)
        same = ops.cast([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], "float32")
        return ops.where(applied, back, same)


class RandomFlip(ImageLayer):
    """Mirrors half of the images.

    Args:
        mode: "horizontal" (left and right), "vertical", or "horizontal_and_vertical" (both at
            once).
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
    """

    masks_as_images = True

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

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`flips`, which images are mirrored."""
        (u,) = self.drawn(data, 1, seed)
        flips = self.per_image(ops.less(u, 0.5))
        return {"flips": flips, **super().get_random_transformation(data)}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, some of them mirrored."""
        sides = zip(("vertical", "horizontal"), self.axes, strict=False)
        flipped = ops.flip(images, tuple(axis for name, axis in sides if name in self.mode))
        return ops.where(transformation["flips"], flipped, images)

    def moved_boxes(
        self, corners: Tensor, transformation: Any, height: Any, width: Any
    ) -> tuple[Tensor, Any, Any]:
        """The boxes, some of them mirrored."""
        left, top, right, bottom = ops.split(corners, 4, -1)
        if "horizontal" in self.mode:
            wide = ops.cast(width, corners.dtype)
            left, right = wide - right, wide - left
        if "vertical" in self.mode:
            high = ops.cast(height, corners.dtype)
            top, bottom = high - bottom, high - top
        flips = ops.reshape(transformation["flips"], (-1, 1, 1))
        flipped = ops.concatenate([left, top, right, bottom], -1)
        return ops.where(flips, flipped, corners), height, width
