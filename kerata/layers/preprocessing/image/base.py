"""What the layers of images share: their inputs, factors, draws, and what moves along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import optree

from kerata import config, ops
from kerata.backends import dtypes
from kerata.core import bounding_boxes as boxes
from kerata.layers.layer import Layer
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.seeds import DataSeeds, seed_for
from kerata.ops.dispatch import Tensor
from kerata.ops.random import random_uniform

Range = tuple[float, float]


def factor_range(layer: Layer, name: str, value: Any, bounds: Range) -> Range:
    """Where a factor is drawn from: the pair that was given, or what one number stands for.

    A number `f` is `(-f, f)` where `bounds` reach below 0, and else `(bounds[0], f)`.

    Raises:
        ValueError: it is neither, or lies outside of `bounds`.
    """
    low, high = bounds
    pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
    numbers = list(value) if pair else [value]
    fits = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in numbers) and (
        max(numbers) >= low and min(numbers) <= high if pair else low <= value <= high
    )
    if not fits:
        raise ValueError(
            f"{type(layer).__name__}: {name} must be a number from {low} to {high}, or a pair of "
            f"them; got {value!r}"
        )
    if pair:
        return min(numbers), max(numbers)
    return (-abs(value), abs(value)) if low < 0 else (low, value)


class ImageLayer(DataLayer):
    """The base of layers that change images, and with them masks, boxes and labels.

    A call takes one image `(height, width, channels)`, a batch of them, or a dict:

    - "images": such;
    - "labels": anything with the same batch;
    - "bounding_boxes": `{"boxes": (batch, boxes, 4), "labels": (batch, boxes)}`;
    - "segmentation_masks": `(batch, height, width)`, with or without an axis of channels.

    It draws a transformation, once for each image (`get_random_transformation`), and applies it to
    all of them (`transform_images`, `transform_labels`, `transform_bounding_boxes`,
    `transform_segmentation_masks`). Other entries of a dict stay as they are. Subclasses define
    `get_random_transformation` and `transform_images`; those that move pixels `moved_boxes` and
    `transform_segmentation_masks` besides. They see batches only.

    Args:
        bounding_box_format: the format of bounding boxes, in and out; see `utils.bounding_boxes`.
        data_format: where the channels are, "channels_last", "channels_first", or None for the
            configured one.

    Attributes:
        always: whether it works outside of training too.
        keeps_integers: whether images of ints stay such; others give floats.
        masks_as_images: whether masks are transformed as images are.
        bounds: what `factor` may be.
    """

    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}
    always = False
    keeps_integers = False
    masks_as_images = False
    bounds: ClassVar[Range] = (-1.0, 1.0)
    factor: Any
    value_range: Range

    def __init__(
        self, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # coordinates and labels keep their precision
        self.bounding_box_format = bounding_box_format
        self.data_format = config.standardize_data_format(data_format)

    def _keep(
        self, factor: Any = None, value_range: Any = None, seed: Any = None, draws: bool = True
    ) -> None:
        """Set the attributes that most layers have, from the arguments of these names."""
        if factor is not None:
            self.factor = factor_range(self, "factor", factor, self.bounds)
        if value_range is not None:
            if not isinstance(value_range, Sequence) or len(value_range) != 2:
                raise ValueError(
                    f"{type(self).__name__}: value_range must be two numbers; got {value_range!r}"
                )
            self.value_range = (value_range[0], value_range[1])
        self.seed = seed
        if draws:
            self.generator = DataSeeds(seed)

    # Axes and numbers

    @property
    def axes(self) -> tuple[int, int, int]:
        """The axes of the height, the width and the channels."""
        return (-3, -2, -1) if self.data_format == "channels_last" else (-2, -1, -3)

    def sizes(self, images: Tensor) -> tuple[Any, Any]:
        """The height and the width."""
        shape = ops.shape(images)
        return shape[self.axes[0]], shape[self.axes[1]]

    def per_image(self, x: Any) -> Tensor:
        """One number for each image, `(batch,)`, to calculate with beside images."""
        return ops.reshape(x, (-1, 1, 1, 1))

    def drawn(self, data: Any, count: int, seed: Any = None) -> list[Tensor]:
        """`count` tensors `(batch,)` of uniform draws from [0, 1)."""
        images = _images(data)
        source = seed_for(self.generator, seed, images, self.piped)
        shape = (count, ops.shape(images)[0])
        return list(ops.unstack(random_uniform(shape, source, "float32"), count))

    def spread(self, draws: Tensor, limits: Range, scale: float = 1.0) -> Tensor:
        """Draws from [0, 1) as draws from `limits`, times `scale`."""
        return draws * ((limits[1] - limits[0]) * scale) + limits[0] * scale

    def in_range(self, images: Tensor) -> Tensor:
        """Images cut off at the ends of the value range."""
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def rescaled(self, images: Tensor, source: Range, target: Range) -> Tensor:
        """Images of one value range in another."""
        if tuple(source) == tuple(target):
            return images
        factor = (target[1] - target[0]) / (source[1] - source[0])
        return (images - source[0]) * factor + target[0]

    # What subclasses define

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """What is done to a batch, drawn for each image."""
        return {"input_shape": ops.shape(_images(data))}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images under a transformation."""
        raise NotImplementedError(f"{type(self).__name__} must define transform_images")

    def transform_labels(
        self, labels: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The labels under a transformation."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks under a transformation."""
        if self.masks_as_images:
            return self.transform_images(segmentation_masks, transformation, training)
        return segmentation_masks

    def moved_boxes(
        self, corners: Tensor, transformation: Any, height: Any, width: Any
    ) -> tuple[Tensor, Any, Any] | None:
        """Boxes "xyxy" under a transformation, and the images' new sizes; None where none move."""
        return None

    def transform_bounding_boxes(
        self, bounding_boxes: dict[str, Any], transformation: Any, training: bool = True
    ) -> dict[str, Any]:
        """The boxes under a transformation, cut off at the edges; label -1 where none is left."""
        shape = (transformation or {}).get("input_shape")
        if type(self).moved_boxes is ImageLayer.moved_boxes or shape is None:
            return bounding_boxes
        name, kind = type(self).__name__, self.bounding_box_format
        if kind is None:
            raise ValueError(
                f"{name}: bounding boxes need a format; pass bounding_box_format='xyxy', say"
            )
        if not isinstance(bounding_boxes, dict) or set(bounding_boxes) != {"boxes", "labels"}:
            raise ValueError(
                f"{name}: bounding_boxes must be a dict of 'boxes' and 'labels'; "
                f"got {bounding_boxes!r}"
            )
        height, width = shape[self.axes[0]], shape[self.axes[1]]
        corners = boxes.convert_format(bounding_boxes["boxes"], kind, "xyxy", height, width)
        found = self.moved_boxes(corners, transformation, height, width)
        if found is None:
            return bounding_boxes
        corners, height, width = found
        moved = boxes.clip_to_image_size(
            {"boxes": corners, "labels": bounding_boxes["labels"]}, height, width
        )
        return boxes.convert_format(moved, "xyxy", kind, height, width)

    # Calling

    def call(self, data: Any, training: bool = True) -> Any:
        """The images, or the dict, transformed."""
        if not isinstance(data, dict):
            found: dict[str, Any] = self.call({"images": data}, training)
            return found["images"]
        if "images" not in data:
            raise ValueError(
                f"{type(self).__name__}: a dict must have the key 'images'; got {list(data)}"
            )
        images = self.as_images(data["images"])
        rank = len(ops.shape(images))
        if rank not in (3, 4):
            raise ValueError(
                f"{type(self).__name__}: images must have 3 axes, or 4 with a batch; "
                f"got the shape {tuple(ops.shape(images))}"
            )
        if not (training or self.always):
            return {**data, "images": images}
        kept = {k: v for k, v in data.items() if k not in _MOVED}
        moving = {k: v for k, v in data.items() if k in _MOVED} | {"images": images}
        if rank == 4:
            return kept | self._transformed(moving, training)
        batch = optree.tree_map(lambda x: ops.expand_dims(x, 0), moving)
        found = self._transformed(batch, training)
        return kept | optree.tree_map(lambda x: ops.squeeze(x, 0), found)

    def as_images(self, images: Any) -> Tensor:
        """Images in the dtype of the result."""
        images = ops.convert_to_tensor(images)
        dtype = dtypes.standardize_dtype(images.dtype)
        if self.keeps_integers and not dtypes.is_float(dtype):
            return images
        return ops.cast(images, self.compute_dtype)

    def _transformed(self, data: dict[str, Any], training: bool) -> dict[str, Any]:
        transformation = self.get_random_transformation(data, training)
        found = {}
        for name, value in data.items():
            transform = getattr(self, f"transform_{name}")
            if name == "segmentation_masks":
                found[name] = self._masks(transform, value, transformation, training)
            else:
                found[name] = transform(value, transformation, training)
        return found

    def _masks(self, transform: Any, masks: Tensor, transformation: Any, training: bool) -> Tensor:
        """`transform` of masks, which may lack the axis of channels."""
        if len(ops.shape(masks)) != 3:
            return transform(masks, transformation, training)
        axis = self.axes[2]
        masks = ops.expand_dims(masks, axis)
        return ops.squeeze(transform(masks, transformation, training), axis)


_MOVED = ("images", "labels", "bounding_boxes", "segmentation_masks")


def _images(data: Any) -> Tensor:
    return ops.convert_to_tensor(data["images"] if isinstance(data, dict) else data)
