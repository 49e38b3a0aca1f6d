"""Many images in one picture, by matplotlib."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerata.saving.files import replacing
from kerata.utils.extras import extra
from kerata.visualization.drawing import (
    array,
    draw_bounding_boxes,
    draw_segmentation_masks,
    last,
)


def _in_bytes(images: np.ndarray, value_range: Sequence[float]) -> np.ndarray:
    """Images of a value range as values from 0 to 255."""
    low, high = value_range
    return (images.astype("float32") - low) * (255.0 / (high - low))


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Any = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Show or save images side by side. Needs matplotlib (`kerata[plot]`).

    Args:
        images: a batch.
        y_true: their labels, written below them.
        y_pred: what was predicted, written beside that.
        label_map: the names of labels.
        rows: how many rows; None for about as many as columns.
        cols: how many columns.
        value_range: the least and the largest value of images.
        scale: the size of an image, in inches.
        path: the file to save to.
        show: whether to show it; None where there is no `path`.
        transparent: whether the saved background is transparent.
        dpi: dots an inch.
        legend_handles: what a legend explains, as matplotlib takes it.
        data_format: where the channels are.

    Raises:
        ValueError: it would neither be shown nor saved, or both.
    """
    plt = extra("matplotlib.pyplot", "plot", "plot_image_gallery")
    show = path is None if show is None else show
    if path is not None and show:
        raise ValueError("plot_image_gallery: give a path, or show=True, but not both")
    pixels = _in_bytes(last("plot_image_gallery", images, data_format), value_range)
    pixels = np.clip(pixels, 0, 255).astype("uint8")
    count = len(pixels)
    rows = rows or math.ceil(count / cols if cols else math.sqrt(count))
    cols = cols or math.ceil(count / rows)
    size = (cols * scale, rows * scale)
    figure, axes = plt.subplots(rows, cols, figsize=size, squeeze=False, layout="constrained")
    titles = _titles(y_true, y_pred, label_map)
    for i, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if i < count:
            one = pixels[i]
            axis.imshow(one[..., 0] if one.shape[-1] == 1 else one, cmap="gray")
            if titles is not None:
                axis.set_title(titles[i], fontsize=9)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="outside lower center")
    if path is not None:
        path = Path(os.fspath(path))
        path = path if path.suffix else path.with_suffix(".png")
        with replacing(path) as file:
            figure.savefig(file, transparent=transparent, dpi=dpi, format=path.suffix[1:])
    if show:
        plt.show()
    plt.close(figure)


def _titles(y_true: Any, y_pred: Any, names: Mapping[int, str] | None) -> list[str] | None:
    parts = []
    for label, values in (("true", y_true), ("pred", y_pred)):
        if values is not None:
            numbers = [v.item() for v in array(values).reshape(-1)]
            parts.append([f"{label}: {(names or {}).get(v, v)}" for v in numbers])
    return ["\n".join(lines) for lines in zip(*parts, strict=True)] if parts else None


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Any = None,
    y_pred: Any = None,
    value_range: Any = (0, 255),
    true_color: Any = (0, 188, 212),
    pred_color: Any = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show or save images with boxes. Needs matplotlib and Pillow (`kerata[plot]`).

    Args:
        images: a batch.
        bounding_box_format: see `utils.bounding_boxes`.
        y_true: the true boxes, as `draw_bounding_boxes` takes them.
        y_pred: predicted boxes.
        value_range: the least and the largest value of images.
        true_color: red, green and blue of true boxes.
        pred_color: those of predicted ones.
        line_thickness: in pixels.
        font_scale: the letters' size.
        text_thickness: of the letters' strokes; None for `line_thickness`.
        class_mapping: the names of labels.
        ground_truth_mapping: those of true boxes, where they differ.
        prediction_mapping: those of predicted ones.
        legend: whether to explain the two colours.
        legend_handles: more to explain.
        rows: how many rows.
        cols: how many columns.
        data_format: where the channels are.
        **kwargs: further arguments of `plot_image_gallery`.
    """
    name = "plot_bounding_box_gallery"
    pixels = _in_bytes(last(name, images, data_format), value_range)
    handles = list(legend_handles or ())
    for boxes, color, mapping, title in (
        (y_true, true_color, ground_truth_mapping, "Ground truth"),
        (y_pred, pred_color, prediction_mapping, "Prediction"),
    ):
        if boxes is not None:
            thickness = line_thickness if text_thickness is None else text_thickness
            pixels = draw_bounding_boxes(
                pixels, boxes, bounding_box_format, mapping or class_mapping, color,
                line_thickness, thickness, font_scale, "channels_last",
            )  # fmt: skip
        if legend:
            patches = extra("matplotlib.patches", "plot", name)
            handles.append(patches.Patch(color=np.array(color) / 255.0, label=title))
    plot_image_gallery(
        pixels, rows=rows, cols=cols, legend_handles=handles or None,
        data_format="channels_last", **kwargs,
    )  # fmt: skip


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: Any = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Any] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show or save images beside their masks. Needs matplotlib (`kerata[plot]`).

    Args:
        images: a batch.
        num_classes: how many classes there are.
        value_range: the least and the largest value of images.
        y_true: the true masks, as `draw_segmentation_masks` takes them.
        y_pred: predicted masks.
        color_mapping: red, green and blue of each class.
        blend: False paints the colours over the images.
        alpha: the colours' share.
        ignore_index: the class that is not painted.
        data_format: where the channels are.
        **kwargs: further arguments of `plot_image_gallery`.
    """
    name = "plot_segmentation_mask_gallery"
    pixels = _in_bytes(last(name, images, data_format), value_range)
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, -1)
    shown = [np.clip(pixels, 0, 255).astype("uint8")]
    for masks in (y_true, y_pred):
        if masks is None:
            continue
        masks = array(masks)
        masks = last(name, masks, data_format)[..., 0] if masks.ndim == 4 else masks
        shown.append(draw_segmentation_masks(
            pixels, masks, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
        ))  # fmt: skip
    side_by_side = np.concatenate(shown, axis=2)
    plot_image_gallery(side_by_side, data_format="channels_last", **kwargs)
