"""Boxes around objects: formats, clipping, overlaps, deltas from anchors (`utils.bounding_boxes`).

Boxes are `(..., 4)`, `(boxes, 4)` or `(batch, boxes, 4)` as a rule, or `{"boxes": ..., "labels":
...}` where a function says so. Formats, in pixels:

- "xyxy": left, top, right, bottom; "yxyx": top, left, bottom, right;
- "xywh": left, top, width, height;
- "center_xywh": the centre's x and y, width, height; "center_yxhw": its y and x, height, width;

and, from 0 to 1 of the image's width and height, "rel_xyxy", "rel_yxyx", "rel_xywh",
"rel_center_xywh".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor

__all__ = [
    "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format",
    "crop", "decode_deltas_to_boxes", "encode_box_to_deltas", "pad",
]  # fmt: skip

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw",
    "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip
_TINY = 1e-7


def _format(function: str, argument: str, value: Any) -> str:
    found = value.lower() if isinstance(value, str) else value
    if found not in FORMATS:
        raise ValueError(
            f"{function}: {argument} must be one of {', '.join(FORMATS)}; got {value!r}"
        )
    return str(found)


def _absolute(function: str, value: Any) -> str:
    found = _format(function, "bounding_box_format", value)
    if found.startswith("rel_"):
        raise ValueError(
            f"{function}: boxes in the relative format {value!r} depend on the image's size before "
            "and after; convert them to pixels first"
        )
    return found


def _parts(boxes: Tensor) -> list[Tensor]:
    """The four numbers of each box, `(..., 1)` each."""
    return list(ops.split(boxes, 4, -1))


def _joined(*parts: Tensor) -> Tensor:
    return ops.concatenate(list(parts), -1)


def _to_corners(boxes: Tensor, kind: str) -> list[Tensor]:
    a, b, c, d = _parts(boxes)
    if kind == "xyxy":
        return [a, b, c, d]
    if kind == "yxyx":
        return [b, a, d, c]
    if kind == "xywh":
        return [a, b, a + c, b + d]
    if kind == "center_yxhw":
        a, b, c, d = b, a, d, c
    return [a - c * 0.5, b - d * 0.5, a + c * 0.5, b + d * 0.5]


def _from_corners(corners: Sequence[Tensor], kind: str) -> Tensor:
    left, top, right, bottom = corners
    if kind == "xyxy":
        return _joined(left, top, right, bottom)
    if kind == "yxyx":
        return _joined(top, left, bottom, right)
    width, height = right - left, bottom - top
    if kind == "xywh":
        return _joined(left, top, width, height)
    x, y = (left + right) * 0.5, (top + bottom) * 0.5
    if kind == "center_yxhw":
        return _joined(y, x, height, width)
    return _joined(x, y, width, height)


def _beside(size: Any, boxes: Tensor) -> Tensor:
    """A size (or one for each image of a batch) to multiply coordinates `(..., 1)` with."""
    size = ops.cast(size, boxes.dtype)
    rank = len(ops.shape(size))
    return ops.reshape(size, (-1,) + (1,) * (len(ops.shape(boxes)) - 1)) if rank else size


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: Any = "float32",
) -> Any:
    """Boxes in another format.

    Args:
        boxes: `(..., 4)`, or a dict whose "boxes" are converted.
        source: the format that they are in.
        target: the format to have; see the module.
        height: of the image(s): a number, or one for each image of the batch. Needed between
            relative and absolute formats.
        width: the same.
        dtype: what to compute in and to return.

    >>> convert_format(ops.convert_to_tensor([[1.0, 2.0, 4.0, 8.0]]), "xyxy", "xywh").tolist()
    [[1.0, 2.0, 3.0, 6.0]]
    """
    name = "convert_format"
    if isinstance(boxes, dict):
        found = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": found}
    source, target = _format(name, "source", source), _format(name, "target", target)
    relative = source.startswith("rel_"), target.startswith("rel_")
    if relative[0] != relative[1] and (height is None or width is None):
        raise ValueError(
            f"{name}: height and width are needed between relative and absolute formats; got "
            f"source={source!r}, target={target!r}, height={height}, width={width}"
        )
    boxes = ops.cast(boxes, dtype)
    if ops.shape(boxes)[-1:] != (4,):
        raise ValueError(
            f"{name}: boxes must have a last axis of 4; got the shape {tuple(ops.shape(boxes))}"
        )
    if source == target:
        return boxes
    corners = _to_corners(boxes, source.removeprefix("rel_"))
    if relative[0] != relative[1]:
        sizes = (_beside(width, boxes), _beside(height, boxes)) * 2
        scale = ops.multiply if relative[0] else ops.divide
        corners = [scale(c, s) for c, s in zip(corners, sizes, strict=True)]
    return _from_corners(corners, target.removeprefix("rel_"))


def clip_to_image_size(
    bounding_boxes: dict[str, Any],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """Boxes cut off at the image's edges; where nothing is left the label becomes -1.

    Args:
        bounding_boxes: `{"boxes": (..., 4), "labels": (...)}`; "labels" may be missing.
        height: of the image(s), as in `convert_format`; not needed for relative formats.
        width: the same.
        bounding_box_format: the boxes' format.
    """
    kind = _format("clip_to_image_size", "bounding_box_format", bounding_box_format)
    if kind.startswith("rel_"):
        height = width = 1.0
    elif height is None or width is None:
        raise ValueError(
            f"clip_to_image_size: height and width are needed for boxes in the format {kind!r}"
        )
    boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
    left, top, right, bottom = _to_corners(boxes, kind.removeprefix("rel_"))
    x, y = _beside(width, boxes), _beside(height, boxes)
    left, right = (ops.minimum(ops.maximum(v, 0.0), x) for v in (left, right))
    top, bottom = (ops.minimum(ops.maximum(v, 0.0), y) for v in (top, bottom))
    clipped = _from_corners([left, top, right, bottom], kind.removeprefix("rel_"))
    found = {**bounding_boxes, "boxes": clipped}
    if "labels" in bounding_boxes:
        labels = ops.convert_to_tensor(bounding_boxes["labels"])
        some = ops.squeeze(ops.greater((right - left) * (bottom - top), 0.0), -1)
        found["labels"] = ops.where(some, labels, ops.cast(-1, labels.dtype))
    return found


def _shifted(boxes: Tensor, kind: str, x: Any, y: Any) -> list[Tensor]:
    boxes = ops.cast(boxes, "float32")
    left, top, right, bottom = _to_corners(boxes, kind)
    x, y = _beside(x, boxes), _beside(y, boxes)
    return [left + x, top + y, right + x, bottom + y]


def crop(
    boxes: Tensor, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes of what is cut out of images, cut off at its edges.

    Args:
        boxes: `(..., 4)`.
        top: the first row that is kept: a number, or one for each image.
        left: the first column that is kept.
        height: how many rows are kept.
        width: how many columns are kept.
        bounding_box_format: an absolute format.
    """
    kind = _absolute("crop", bounding_box_format)
    corners = _shifted(boxes, kind, ops.negative(left), ops.negative(top))
    sizes = [_beside(n, corners[0]) for n in (width, height)] * 2
    cut = [ops.minimum(ops.maximum(c, 0.0), s) for c, s in zip(corners, sizes, strict=True)]
    return _from_corners(cut, kind)


def pad(
    boxes: Tensor,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Boxes of images to which `top` rows and `left` columns were added.

    Args:
        boxes: `(..., 4)`.
        top: a number, or one for each image.
        left: the same.
        height: without effect, as the formats are absolute.
        width: the same.
        bounding_box_format: an absolute format.
    """
    kind = _absolute("pad", bounding_box_format)
    return _from_corners(_shifted(boxes, kind, left, top), kind)


# Overlaps


def _corners(name: str, boxes: Any, kind: str, image_shape: Any) -> list[Tensor]:
    if kind.startswith("rel_") and image_shape is None:
        raise ValueError(f"{name}: image_shape is needed for boxes in the relative format {kind!r}")
    height, width = (None, None) if image_shape is None else image_shape[:2]
    boxes = ops.convert_to_tensor(boxes)
    return _parts(convert_format(boxes, kind, "xyxy", height, width))


def _intersection(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    width = ops.minimum(one[2], other[2]) - ops.maximum(one[0], other[0])
    height = ops.minimum(one[3], other[3]) - ops.maximum(one[1], other[1])
    return ops.maximum(width, 0.0) * ops.maximum(height, 0.0)


def _area(corners: Sequence[Tensor]) -> Tensor:
    return (corners[2] - corners[0]) * (corners[3] - corners[1])


def compute_iou(
    boxes1: Tensor,
    boxes2: Tensor,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: int = -1,
    image_shape: Any = None,
) -> Tensor:
    """Intersection over union of every box with every other.

    Args:
        boxes1: `(n, 4)`, or `(batch, n, 4)`.
        boxes2: `(m, 4)`, or `(batch, m, 4)`.
        bounding_box_format: the format of both.
        use_masking: whether boxes of negative numbers, which fill up a batch, are left out.
        mask_val: the result for those.
        image_shape: `(height, width, ...)`, for relative formats.

    Returns:
        `(n, m)`, or `(batch, n, m)`.
    """
    kind = _format("compute_iou", "bounding_box_format", bounding_box_format)
    boxes1, boxes2 = ops.convert_to_tensor(boxes1), ops.convert_to_tensor(boxes2)
    for argument, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        if len(ops.shape(boxes)) not in (2, 3):
            raise ValueError(
                f"compute_iou: {argument} must be (boxes, 4) or (batch, boxes, 4); "
                f"got the shape {tuple(ops.shape(boxes))}"
            )
    one = _corners("compute_iou", boxes1, kind, image_shape)  # (..., n, 1)
    other = [ops.swapaxes(c, -1, -2) for c in _corners("compute_iou", boxes2, kind, image_shape)]
    shared = _intersection(one, other)
    union = _area(one) + _area(other) - shared
    found = ops.where(ops.equal(union, 0.0), 0.0, shared / (union + _TINY * _TINY))
    if not use_masking:
        return found
    empty = ops.less(ops.max(boxes1, -1, keepdims=True), 0)
    none = ops.expand_dims(ops.less(ops.max(boxes2, -1), 0), -2)
    return ops.where(ops.logical_or(empty, none), ops.cast(mask_val, found.dtype), found)


def compute_ciou(
    boxes1: Tensor, boxes2: Tensor, bounding_box_format: str, image_shape: Any = None
) -> Tensor:
    """Complete intersection over union (Zheng et al., 2020) of boxes in pairs.

    `IoU - d² / c² - αv`, of the distance `d` of the centres, the diagonal `c` of what encloses both
    boxes, `v = (4 / π²) (atan(w₁ / h₁) - atan(w₂ / h₂))²` and `α = v / (1 - IoU + v)`.

    Args:
        boxes1: `(..., 4)`.
        boxes2: the same.
        bounding_box_format: the format of both.
        image_shape: `(height, width, ...)`, for relative formats.

    Returns:
        `(...)`.
    """
    kind = _format("compute_ciou", "bounding_box_format", bounding_box_format)
    one, other = (_corners("compute_ciou", b, kind, image_shape) for b in (boxes1, boxes2))
    shared = _intersection(one, other)
    overlap = shared / (_area(one) + _area(other) - shared + _TINY)
    squares, diagonal = [], []
    for i in (0, 1):
        squares.append(ops.square((one[i] + one[i + 2] - other[i] - other[i + 2]) * 0.5))
        outer = ops.maximum(one[i + 2], other[i + 2]) - ops.minimum(one[i], other[i])
        diagonal.append(ops.square(outer))
    slopes = [ops.arctan((c[2] - c[0]) / (c[3] - c[1] + _TINY)) for c in (one, other)]
    v = ops.square(slopes[0] - slopes[1]) * (4.0 / math.pi**2)
    alpha = v / (1.0 - overlap + v + _TINY)
    distance = (squares[0] + squares[1]) / (diagonal[0] + diagonal[1] + _TINY)
    return ops.squeeze(overlap - distance - alpha * v, -1)


# Deltas


def _variance(function: str, variance: Any) -> Tensor | None:
    if variance is None:
        return None
    found = ops.convert_to_tensor(variance, dtype="float32")
    if ops.shape(found)[-1:] != (4,):
        raise ValueError(f"{function}: variance must be 4 numbers; got {variance!r}")
    return found


def _centred(name: str, boxes: Any, kind: str, encoded: str, image_shape: Any) -> list[Tensor]:
    """The boxes as "center_xywh" or "center_yxhw", in pixels."""
    corners = _corners(name, boxes, _format(name, "format", kind), image_shape)
    return _parts(_from_corners(corners, encoded))


def _encoding(function: str, argument: str, value: Any) -> str:
    if value not in ("center_xywh", "center_yxhw"):
        raise ValueError(
            f"{function}: {argument} must be 'center_xywh' or 'center_yxhw'; got {value!r}"
        )
    return str(value)


def encode_box_to_deltas(
    anchors: Tensor,
    boxes: Tensor,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Tensor:
    """How boxes differ from anchors: centres in the anchors' sizes, logarithms of sizes' ratios.

    Args:
        anchors: `(boxes, 4)`, or with a batch.
        boxes: the same.
        anchor_format: the anchors' format.
        box_format: the boxes' format.
        encoding_format: the order of the result, "center_yxhw" or "center_xywh".
        variance: 4 numbers that the result is divided by.
        image_shape: `(height, width, ...)`, for relative formats.
    """
    name = "encode_box_to_deltas"
    kind, scale = _encoding(name, "encoding_format", encoding_format), _variance(name, variance)
    a = _centred(name, anchors, anchor_format, kind, image_shape)
    b = _centred(name, boxes, box_format, kind, image_shape)
    sizes = [ops.maximum(v, _TINY) for v in (a[2], a[3], b[2], b[3])]
    deltas = _joined(
        (b[0] - a[0]) / sizes[0],
        (b[1] - a[1]) / sizes[1],
        ops.log(sizes[2] / sizes[0]),
        ops.log(sizes[3] / sizes[1]),
    )
    return deltas if scale is None else deltas / scale


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The boxes that `encode_box_to_deltas` gave deltas for.

    Args:
        anchors: `(boxes, 4)`, or a dict of them.
        boxes_delta: `(boxes, 4)` or `(batch, boxes, 4)`, or a dict of them.
        anchor_format: the anchors' format.
        box_format: the format to return.
        encoded_format: the order of the deltas, "center_yxhw" or "center_xywh".
        variance: what the deltas were divided by.
        image_shape: `(height, width, ...)`, for relative formats.
    """
    name = "decode_deltas_to_boxes"
    kind, scale = _encoding(name, "encoded_format", encoded_format), _variance(name, variance)
    target = _format(name, "box_format", box_format)
    if target.startswith("rel_") and image_shape is None:
        raise ValueError(f"{name}: image_shape is needed for the relative format {target!r}")

    def decoded(anchor: Any, delta: Any) -> Tensor:
        a = _centred(name, anchor, anchor_format, kind, image_shape)
        delta = ops.cast(delta, "float32")
        d = _parts(delta if scale is None else delta * scale)
        centred = _joined(
            d[0] * a[2] + a[0], d[1] * a[3] + a[1], ops.exp(d[2]) * a[2], ops.exp(d[3]) * a[3]
        )
        height, width = (None, None) if image_shape is None else image_shape[:2]
        return convert_format(centred, kind, target, height, width)

    if isinstance(anchors, dict):
        return {k: decoded(anchors[k], delta) for k, delta in boxes_delta.items()}
    return decoded(anchors, boxes_delta)


# Movements


def mapped(boxes: Tensor, move: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Tensor:
    """The boxes around what becomes of boxes "xyxy" when `move` maps their corners.

    Args:
        boxes: `(batch, boxes, 4)`.
        move: from x and y, `(batch, boxes, 4)` each, to new ones.
    """
    left, top, right, bottom = _parts(boxes)
    x, y = move(_joined(left, right, left, right), _joined(top, top, bottom, bottom))
    low = [ops.min(v, -1, keepdims=True) for v in (x, y)]
    high = [ops.max(v, -1, keepdims=True) for v in (x, y)]
    return _joined(*low, *high)


def affine_transform(
    boxes: Tensor,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """The boxes around boxes that are moved, rotated, scaled and sheared.

    Args:
        boxes: `(batch, boxes, 4)`, or `(boxes, 4)`.
        angle: in degrees, one for each image (or one for all).
        translate_x: as a share of `width - 1`; the boxes are moved before all else.
        translate_y: as a share of `height - 1`.
        scale: a factor.
        shear_x: in degrees.
        shear_y: in degrees.
        height: of the images.
        width: of the images.
        center_x: what they are turned around, as a share of `width - 1`; the middle where None.
        center_y: the same, of `height - 1`.
        bounding_box_format: the format of the boxes and of the result.
    """
    kind = _format("affine_transform", "bounding_box_format", bounding_box_format)
    x = convert_format(ops.convert_to_tensor(boxes), kind, "xyxy", height, width)
    single = len(ops.shape(x)) == 2
    x = ops.expand_dims(x, 0) if single else x
    wide, high = (ops.cast(n, x.dtype) - 1.0 for n in (width, height))
    middle_x = wide * (0.5 if center_x is None else center_x)
    middle_y = high * (0.5 if center_y is None else center_y)
    turn, slant_x, slant_y = (_beside(v, x) * (math.pi / 180.0) for v in (angle, shear_x, shear_y))
    factor, across, down = (_beside(v, x) for v in (scale, translate_x, translate_y))
    sine, cosine, tan_x, tan_y = ops.sin(turn), ops.cos(turn), ops.tan(slant_x), ops.tan(slant_y)
    c, d = tan_y * cosine - sine, tan_y * sine + cosine
    a, b = cosine - tan_x * c, sine + tan_x * d

    def move(u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        u, v = u + across * wide - middle_x, v + down * high - middle_y
        return (a * u + b * v) * factor + middle_x, (c * u + d * v) * factor + middle_y

    found = convert_format(mapped(x, move), "xyxy", kind, height, width)
    return ops.squeeze(found, 0) if single else found
