"""Images of another size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata import ops
from kerata.layers.arguments import one_of, positive
from kerata.layers.preprocessing.image.base import Draws, ImageLayer
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

    def new_size(self, height: Any, width: Any) -> tuple[int, int]:
        return self.height, self.width

    def _resized(self, images: Tensor, interpolation: str = "bilinear", **more: Any) -> Tensor:
        """The images resized; unless told otherwise the largest window of the right ratio."""
        more = more or {"crop_to_aspect_ratio": True}
        size = (self.height, self.width)
        return ops.image.resize(images, size, interpolation, data_format=self.data_format, **more)

    def _resized_boxes(
        self, boxes: Tensor, height: Any, width: Any, crop: bool = True, pad: bool = False
    ) -> Tensor:
        """Boxes after resizing the whole images, or a window, or images with edges added."""
        before, after = [number(n) for n in (height, width)], (self.height, self.width)
        moved = list(ops.split(boxes, 4, -1))
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
            scale = after[i] / ops.cast(extent, boxes.dtype)
            for j in (1 - i, 3 - i):
                moved[j] = (moved[j] - ops.cast(start, boxes.dtype)) * scale
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
        data_format: see `ImageLayer`.

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

    def changed(
        self, images: Tensor, transformation: Any, interpolation: str | None = None
    ) -> Tensor:
        return self._resized(
            images,
            interpolation or self.interpolation,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_value=self.fill_value,
            antialias=self.antialias and interpolation is None,
        )

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self.changed(masks, transformation, "nearest")

    def moved_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        ways = (self.crop_to_aspect_ratio, self.pad_to_aspect_ratio)
        return self._resized_boxes(boxes, height, width, *ways)


class _WindowLayer(_SizedLayer):
    """Layers that cut out a window, or resize images that are smaller than it.

    Subclasses define `_corner` and `_window`.
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep_size(height, width)

    def _room(self, shape: Any) -> tuple[Any, Any]:
        """How many rows and columns there are besides the window."""
        height, width = self.sizes(shape)
        return height - self.height, width - self.width

    def _corner(self, transformation: Any, shape: Any) -> Any:
        """The first row and the first column of the window; None where nothing is cut."""
        raise NotImplementedError(f"{type(self).__name__} must define _corner")

    def _window(self, images: Tensor, corner: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define _window")

    def _either(
        self,
        transformation: Any,
        shape: Any,
        window: Callable[[Any], Tensor],
        resized: Callable[[], Tensor],
    ) -> Tensor:
        """`window` of the corner where the images are large enough, else `resized`."""
        corner = self._corner(transformation, shape)
        room = self._room(shape)
        if corner is None or (all(isinstance(n, int) for n in room) and min(room) < 0):
            return resized()
        if all(isinstance(n, int) for n in room):
            return window(corner)
        down, across = (ops.greater_equal(number(n), 0) for n in room)
        return ops.cond(ops.logical_and(down, across), lambda: window(corner), resized)

    def _cut(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        return self._either(
            transformation,
            ops.shape(images),
            lambda corner: self._window(images, corner),
            lambda: self._resized(images, interpolation),
        )

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        return self._cut(images, transformation, "bilinear")

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._cut(masks, transformation, "nearest")

    def moved_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        def shifted(corner: Any) -> Tensor:
            top, left = (ops.reshape(ops.cast(v, boxes.dtype), (-1, 1, 1)) for v in corner)
            return boxes - ops.concatenate([left, top, left, top], -1)

        return self._either(
            transformation,
            transformation["input_shape"],
            shifted,
            lambda: self._resized_boxes(boxes, height, width),
        )


class CenterCrop(_WindowLayer):
    """Cuts out the middle of images, in training and outside of it.

    Images that are smaller than it are resized: the largest window of its aspect ratio.

    Args:
        height: the height to have.
        width: the width to have.
        data_format: see `ImageLayer`.
    """

    def _corner(self, transformation: Any, shape: Any) -> tuple[Any, Any]:
        down, across = self._room(shape)
        return down // 2, across // 2

    def _window(self, images: Tensor, corner: Any) -> Tensor:
        return ops.image.crop_images(
            images, top_cropping=corner[0], left_cropping=corner[1], target_height=self.height,
            target_width=self.width, data_format=self.data_format,
        )  # fmt: skip


class RandomCrop(_WindowLayer):
    """Cuts out a window at random, another one for each image.

    Outside of training, and where an image is smaller than the window, images are resized instead:
    the largest window of that aspect ratio in the middle.

    Args:
        height: the height to have.
        width: the width to have.
        seed, data_format: see `ImageLayer`.
        name: its name.
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: Any = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format, name=name, **kwargs)
        self._keep(seed=seed)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        if not draws.training:
            return {"starts": None}
        starts = tuple(
            ops.cast(ops.floor(u * (ops.cast(n, "float32") + 1.0)), "int32")
            for u, n in zip(draws(2), self._room(draws.shape), strict=True)
        )
        return {"starts": starts}

    def _corner(self, transformation: Any, shape: Any) -> Any:
        return transformation["starts"]

    def _window(self, images: Tensor, corner: Any) -> Tensor:
        top, left = (ops.reshape(v, (-1, 1, 1)) for v in corner)
        x = images if self.axes[2] == -1 else ops.moveaxis(images, 1, -1)
        batch, height, width, channels = ops.shape(x)
        image = ops.reshape(ops.arange(batch, dtype="int32"), (-1, 1, 1))
        row = top + ops.reshape(ops.arange(self.height, dtype="int32"), (1, -1, 1))
        column = left + ops.reshape(ops.arange(self.width, dtype="int32"), (1, 1, -1))
        places = (image * number(height) + row) * number(width) + column
        y = ops.take(ops.reshape(x, (-1, channels)), places, 0)
        return y if self.axes[2] == -1 else ops.moveaxis(y, -1, 1)
