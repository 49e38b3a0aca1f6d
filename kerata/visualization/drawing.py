"""Boxes and masks drawn into images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerata import config
from kerata.core.bounding_boxes import convert_format
from kerata.ops.shaping import convert_to_numpy
from kerata.utils.extras import extra

# Multiples of these, modulo 255, are colours that are far apart.
_PALETTE = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])


def array(x: Any) -> np.ndarray:
    """A tensor of any kind as a NumPy array."""
    return x if isinstance(x, np.ndarray) else np.asarray(convert_to_numpy(x))


def last(function: str, images: Any, data_format: str | None) -> np.ndarray:
    """A batch of images, the channels last.

    Raises:
        ValueError: it is no batch.
    """
    found = array(images)
    if found.ndim != 4:
        raise ValueError(
            f"{function}: images must be a batch with 4 axes; got the shape {found.shape}"
        )
    first = config.standardize_data_format(data_format) == "channels_first"
    return np.moveaxis(found, 1, -1) if first else found


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Any,
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Any = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with boxes drawn into them. Needs Pillow (`kerata[plot]`).

    Args:
        images: a batch, values from 0 to 255.
        bounding_boxes: `{"boxes": (batch, boxes, 4), "labels": (batch, boxes)}`, where a label of
            -1 means that there is no box; "confidences", shown beside the labels, may follow.
        bounding_box_format: see `utils.bounding_boxes`.
        class_mapping: the names of labels, which are written beside the boxes.
        color: red, green and blue.
        line_thickness: in pixels.
        text_thickness: of the letters' strokes.
        font_scale: the letters' size, 1 for 12 pixels.
        data_format: where the channels are in `images`.

    Returns:
        uint8 `(batch, height, width, 3)`.
    """
    name = "draw_bounding_boxes"
    image, drawing = extra("PIL.Image", "plot", name), extra("PIL.ImageDraw", "plot", name)
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(
            f"{name}: bounding_boxes must be a dict of 'boxes' and 'labels'; got {bounding_boxes!r}"
        )
    pixels = np.clip(last(name, images, data_format), 0, 255).astype("uint8")
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, -1)
    _, height, width, _ = pixels.shape
    given = convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", height, width)
    boxes, labels = array(given), array(bounding_boxes["labels"])
    sure = bounding_boxes.get("confidences")
    sure = None if sure is None else array(sure)
    font = extra("PIL.ImageFont", "plot", name).load_default(12 * font_scale)
    found = []
    for i, one in enumerate(pixels):
        picture = image.fromarray(one)
        pen = drawing.Draw(picture)
        for j, (left, top, right, bottom) in enumerate(boxes[i]):
            label = int(labels[i, j])
            if label == -1:
                continue
            corners = [left, top, max(left, right), max(top, bottom)]
            pen.rectangle([int(v) for v in corners], outline=tuple(color), width=line_thickness)
            if class_mapping is not None and label in class_mapping:
                text = class_mapping[label]
                text = text if sure is None else f"{text} {sure[i, j]:.2f}"
                y = max(int(top) - 14 * font_scale, 0)
                stroke = text_thickness - 1
                pen.text((int(left), y), text, tuple(color), font, stroke_width=stroke)
        found.append(np.asarray(picture))
    return np.stack(found)


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Any] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with the classes of their pixels in colours.

    Args:
        images: a batch, values from 0 to 255.
        segmentation_masks: the classes, `(batch, height, width)`, with or without a last axis of 1
            (a second one where the channels come first).
        num_classes: how many classes there are; None for what the masks show.
        color_mapping: red, green and blue of each class; None for colours that are far apart.
        alpha: the colours' share.
        blend: False paints the colours over the images.
        ignore_index: the class that is not painted.
        data_format: where the channels are.

    Returns:
        uint8 `(batch, height, width, 3)`.
    """
    name = "draw_segmentation_masks"
    pixels = last(name, images, data_format).astype("float32")
    masks = array(segmentation_masks)
    masks = last(name, masks, data_format)[..., 0] if masks.ndim == 4 else masks
    if masks.shape != pixels.shape[:3]:
        raise ValueError(
            f"{name}: segmentation_masks must have the images' sizes; "
            f"got the shapes {masks.shape} and {pixels.shape}"
        )
    masks = masks.astype("int64")
    count = max(num_classes or 0, int(masks.max(initial=0)) + 1)
    colors = np.arange(count)[:, None] * _PALETTE % 255
    for index, color in (color_mapping or {}).items():
        if 0 <= index < count:
            colors[index] = color
    painted = colors[np.clip(masks, 0, None)].astype("float32")
    mixed = painted * alpha + pixels * (1 - alpha) if blend else painted
    shown = ((masks != ignore_index) & (masks >= 0))[..., None]
    return np.clip(np.where(shown, mixed, pixels), 0, 255).astype("uint8")


__all__ = ["draw_bounding_boxes", "draw_segmentation_masks"]
