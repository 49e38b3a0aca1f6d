"""Images of another size."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import one_of, positive
from kerata.layers.preprocessing.image.base import ImageLayer
from kerata.ops.dispatch import Tensor
from kerata.ops.image.layout import number


class _SizedLayer(ImageLayer):
    """Layers that give images of `height` and `width`."""

    always = True
    height: int
    width: int

    def _keep_size(self, height: Any, width: Any) -> None:
        self.height = positive(self, "height", height)
        self.width = positive(self, "width", width)

    def _filled(self, images: Tensor) -> Tensor:
        """The largest window of the right aspect ratio in the middle, resized."""
        return ops.image.resize(
            images, (self.height, self.width), crop_to_aspect_ratio=True,
            data_format=self.data_format,
        )  # fmt: skip

    def _resized_boxes(
        self, corners: Tensor, height: Any, width: Any, crop: bool, pad: bool = False
    ) -> Tensor:
        """Boxes after resizing the whole images, or a window, or images with edges added."""
        before, after = [number(n) for n in (height, width)], (self.height, self.width)
        moved = list(ops.split(corners, 4, -1))
        for i in (0, 1):
            extent, start = before[i], 0
            if crop or pad:
                fitting = ops.floor_divide(before[1 - i] * after[i], after[1 - i])
                if crop:
                    extent = ops.minimum(ops.maximum(fitting, 1), before[i])
                    start = ops.floor_divide(before[i] - extent, 2)
                else:
                    start = ops.negative(ops.floor_divide(ops.maximum(fitting - before[i], 0), 2))
                    extent = before[i] - 2 * start
            scale = after[i] / ops.cast(extent, corners.dtype)
            for j in (1 - i, 3 - i):
                moved[j] = (moved[j] - ops.cast(start, corners.dtype)) * scale
        return ops.concatenate(moved, -1)


class Resizing(_SizedLayer):
    """Resizes images, in training and outside of it; see `ops.image.resize`.

    Args:
        height: the height to have.
        width: the width to have.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5" or "area".
        crop_to_aspect_ratio: cut the middle of the images, in the right ratio, to begin with.
        pad_to_aspect_ratio: extend the images to the right ratio to begin with.
        fill_mode: "constant", what is added then.
        fill_value: its value.
        antialias: widen the kernel when shrinking.
        data_format: where the channels are.

    Masks are resized to the nearest pixel. Images of ints stay such.
    """

    keeps_integers = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep_size(height, width)
        methods = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area")
        self.interpolation = one_of(self, "interpolation", interpolation, methods)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = one_of(self, "fill_mode", fill_mode, ("constant",))
        self.fill_value = fill_value
        self.antialias = antialias

    def _resized(self, images: Tensor, interpolation: str, antialias: bool) -> Tensor:
        return ops.image.resize(
            images, (self.height, self.width), interpolation, antialias, self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio, self.fill_mode, self.fill_value, self.data_format,
        )  # fmt: skip

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images in the new size."""
        return self._resized(images, self.interpolation, self.antialias)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks in the new size."""
        return self._resized(segmentation_masks, "nearest", False)

    def moved_boxes(
        self, corners: Tensor, transformation: Any, height: Any, width: Any
    ) -> tuple[Tensor, Any, Any]:
        """The boxes in the new images."""
        crop, pad = self.crop_to_aspect_ratio, self.pad_to_aspect_ratio
        moved = self._resized_boxes(corners, height, width, crop, pad)
        return moved, self.height, self.width


class _WindowLayer(_SizedLayer):
    """Layers that cut out a window, or resize images that are smaller than it.

    Attributes:
        at_random: whether the window's place is drawn, and nothing is cut outside of training.
    """

    at_random = False

    def _room(self, shape: Any) -> tuple[Any, Any]:
        """How many rows and columns there are besides the window."""
        return shape[self.axes[0]] - self.height, shape[self.axes[1]] - self.width

    def _large(self, shape: Any) -> Any:
        """Whether the window fits: a bool where sizes are known, else a tensor."""
        room = self._room(shape)
        if all(isinstance(n, int) for n in room):
            return min(room) >= 0
        down, across = (number(n) for n in room)
        return ops.logical_and(ops.greater_equal(down, 0), ops.greater_equal(across, 0))

    def _either(self, shape: Any, window: Any, resized: Any, training: bool = True) -> Any:
        large = self._large(shape) if training or not self.at_random else False
        if isinstance(large, bool):
            return window() if large else resized()
        return ops.cond(large, window, resized)

    def _window(self, images: Tensor, transformation: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define _window")

    def _corner(self, transformation: Any) -> tuple[Any, Any]:
        """The first row and the first column of the window."""
        raise NotImplementedError(f"{type(self).__name__} must define _corner")

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The windows."""
        return self._either(
            ops.shape(images),
            lambda: self._window(images, transformation),
            lambda: self._filled(images),
            training,
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The same windows of the masks."""
        return self._either(
            ops.shape(segmentation_masks),
            lambda: self._window(segmentation_masks, transformation),
            lambda: ops.image.resize(
                segmentation_masks, (self.height, self.width), "nearest",
                crop_to_aspect_ratio=True, data_format=self.data_format,
            ),
            training,
        )  # fmt: skip

    def moved_boxes(
        self, corners: Tensor, transformation: Any, height: Any, width: Any
    ) -> tuple[Tensor, Any, Any]:
        """The boxes in the windows."""

        def shifted() -> Tensor:
            top, left = (
                ops.reshape(ops.cast(v, corners.dtype), (-1, 1, 1))
                for v in self._corner(transformation)
            )
            return corners - ops.concatenate([left, top, left, top], -1)

        moved = self._either(
            transformation["input_shape"],
            shifted,
            lambda: self._resized_boxes(corners, height, width, True),
            transformation.get("starts", ()) is not None,
        )
        return moved, self.height, self.width


class CenterCrop(_WindowLayer):
    """Cuts out the middle of images, in training and outside of it.

    Images that are smaller than it are resized: the largest window of its aspect ratio.

    Args:
        height: the height to have.
        width: the width to have.
        data_format: where the channels are.
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep_size(height, width)

    def _corner(self, transformation: Any) -> tuple[Any, Any]:
        down, across = self._room(transformation["input_shape"])
        return down // 2, across // 2

    def _window(self, images: Tensor, transformation: Any) -> Tensor:
        top, left = (n // 2 for n in self._room(ops.shape(images)))
        return ops.image.crop_images(
            images, top_cropping=top, left_cropping=left, target_height=self.height,
            target_width=self.width, data_format=self.data_format,
        )  # fmt: skip


class RandomCrop(_WindowLayer):
    """Cuts out a window at random, another one for each image.

    Outside of training, and where an image is smaller than the window, images are resized instead:
    the largest window of that aspect ratio in the middle.

    Args:
        height: the height to have.
        width: the width to have.
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
        name: its name.
    """

    at_random = True

    def __init__(
        self,
        height: int,
        width: int,
        seed: Any = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self._keep_size(height, width)
        self._keep(seed=seed)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`starts`: the windows' first rows and first columns; None outside of training."""
        found = super().get_random_transformation(data)
        if not training:
            return {"starts": None, **found}
        draws = self.drawn(data, 2, seed)
        room = self._room(found["input_shape"])
        starts = tuple(
            ops.cast(ops.floor(u * (ops.cast(n, "float32") + 1.0)), "int32")
            for u, n in zip(draws, room, strict=True)
        )
        return {"starts": starts, **found}

    def _corner(self, transformation: Any) -> tuple[Any, Any]:
        found: tuple[Any, Any] = transformation["starts"]
        return found

    def _window(self, images: Tensor, transformation: Any) -> Tensor:
        top, left = (ops.reshape(v, (-1, 1, 1)) for v in transformation["starts"])
        x = images if self.axes[2] == -1 else ops.moveaxis(images, 1, -1)
        batch, height, width, channels = ops.shape(x)
        image = ops.reshape(ops.arange(batch, dtype="int32"), (-1, 1, 1))
        row = top + ops.reshape(ops.arange(self.height, dtype="int32"), (1, -1, 1))
        column = left + ops.reshape(ops.arange(self.width, dtype="int32"), (1, 1, -1))
        places = (image * number(height) + row) * number(width) + column
        y = ops.take(ops.reshape(x, (-1, channels)), places, 0)
        return y if self.axes[2] == -1 else ops.moveaxis(y, -1, 1)
