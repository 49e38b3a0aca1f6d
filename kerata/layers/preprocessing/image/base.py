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
_MOVED = ("images", "labels", "bounding_boxes", "segmentation_masks")


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


class Draws:
    """Random numbers for the images of a batch.

    Called with a count it gives that many tensors `(batch,)`, uniform from 0 to 1.

    Attributes:
        shape: of the images.
        training: whether the layer is called in training.
    """

    def __init__(self, layer: ImageLayer, images: Tensor, training: bool, seed: Any) -> None:
        self.shape = ops.shape(images)
        self.training = training
        self._layer, self._images, self._given = layer, images, seed

    def seed(self) -> Tensor:
        """A seed for draws of another kind."""
        return seed_for(self._layer.generator, self._given, self._images, self._layer.piped)

    def transformation_of(self, layer: ImageLayer) -> dict[str, Any]:
        """What another layer draws for these images."""
        return layer.get_random_transformation(self._images, self.training, self._given)

    def __call__(self, count: int) -> list[Tensor]:
        draws = random_uniform((count, self.shape[0]), self.seed(), "float32")
        return list(ops.unstack(draws, count))


class ImageLayer(DataLayer):
    """The base of layers that change images, and with them masks, boxes and labels.

    A call takes one image `(height, width, channels)`, a batch of them, or a dict:

    - "images": such;
    - "labels": anything with the same batch;
    - "bounding_boxes": `{"boxes": (batch, boxes, 4), "labels": (batch, boxes)}`;
    - "segmentation_masks": `(batch, height, width)`, with or without an axis of channels.

    It draws a transformation, once for each image (`get_random_transformation`), and applies it to
    all of them (`transform_images`, `transform_labels`, `transform_bounding_boxes`,
    `transform_segmentation_masks`). Other entries of a dict stay as they are.

    Subclasses define `drawn` and `changed`, and those that move pixels `changed_masks` and
    `moved_boxes`. They see batches only.

    Args:
        bounding_box_format: the format of bounding boxes, in and out; see `utils.bounding_boxes`.
        data_format: where the channels are, "channels_last", "channels_first", or None for the
            configured one.

    Many of them have these arguments too:

        value_range: the least and the largest value of images.
        seed: an int, for the same draws in every run.

    Attributes:
        always: whether it works outside of training too.
        keeps_integers: whether images of ints stay such; others give floats.
        bounds: what `factor` may be.
    """

    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}
    always = False
    keeps_integers = False
    bounds: ClassVar[Range] = (-1.0, 1.0)
    factor: Any
    value_range: Range
    generator: DataSeeds

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

    def sizes(self, shape: Any) -> tuple[Any, Any]:
        """The height and the width in the shape of images."""
        return shape[self.axes[0]], shape[self.axes[1]]

    def per_image(self, x: Any, like: Tensor | None = None) -> Tensor:
        """One number for each image, to calculate with beside images (`like` these)."""
        x = ops.reshape(x, (-1, 1, 1, 1))
        return x if like is None else ops.cast(x, like.dtype)

    def spread(self, draws: Tensor, limits: Range, scale: float = 1.0) -> Tensor:
        """Draws from [0, 1) as draws from `limits`, times `scale`."""
        return draws * ((limits[1] - limits[0]) * scale) + limits[0] * scale

    def some(self, u: Tensor, v: Tensor) -> Tensor:
        """Which images are changed, by two draws, where `factor` limits the probability."""
        return ops.less(u, self.spread(v, self.factor))

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

    def drawn(self, draws: Draws) -> dict[str, Any]:
        """What is done to each image."""
        return {}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images under a transformation."""
        raise NotImplementedError(f"{type(self).__name__} must define changed")

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        """The masks, which have an axis of channels, under a transformation."""
        return masks

    def moved_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        """Boxes "xyxy" of images of this size under a transformation."""
        return boxes

    def new_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        """The size that images of this size get."""
        return height, width

    # The steps of a call, in Keras' names

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """What is done to a batch, drawn for each image, and "input_shape"."""
        images = ops.convert_to_tensor(data["images"] if isinstance(data, dict) else data)
        draws = Draws(self, images, training, seed)
        return {**self.drawn(draws), "input_shape": draws.shape}

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images under a transformation."""
        return self.changed(images, transformation)

    def transform_labels(
        self, labels: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The labels under a transformation."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks under a transformation."""
        if len(ops.shape(segmentation_masks)) != 3:
            return self.changed_masks(segmentation_masks, transformation)
        axis = self.axes[2]
        masks = ops.expand_dims(segmentation_masks, axis)
        return ops.squeeze(self.changed_masks(masks, transformation), axis)

    def transform_bounding_boxes(
        self, bounding_boxes: dict[str, Any], transformation: Any, training: bool = True
    ) -> dict[str, Any]:
        """The boxes under a transformation, cut off at the edges; label -1 where none is left."""
        if type(self).moved_boxes is ImageLayer.moved_boxes:
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
        size = self.sizes(transformation["input_shape"])
        corners = boxes.convert_format(bounding_boxes["boxes"], kind, "xyxy", *size)
        corners, size = self.moved_boxes(corners, transformation, *size), self.new_size(*size)
        moved = boxes.clip_to_image_size({**bounding_boxes, "boxes": corners}, *size)
        return boxes.convert_format(moved, "xyxy", kind, *size)

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
        data = {**data, "images": images}
        if not (training or self.always):
            return data
        batch = {k: v for k, v in data.items() if k in _MOVED}
        if rank == 3:
            batch = optree.tree_map(lambda x: ops.expand_dims(x, 0), batch)
        transformation = self.get_random_transformation(batch, training)
        found = {
            name: getattr(self, f"transform_{name}")(value, transformation, training)
            for name, value in batch.items()
        }
        if rank == 3:
            found = optree.tree_map(lambda x: ops.squeeze(x, 0), found)
        return data | found

    def as_images(self, images: Any) -> Tensor:
        """Images in the dtype of the result."""
        images = ops.convert_to_tensor(images)
        if self.keeps_integers and not dtypes.is_float(dtypes.standardize_dtype(images.dtype)):
            return images
        return ops.cast(images, self.compute_dtype)
