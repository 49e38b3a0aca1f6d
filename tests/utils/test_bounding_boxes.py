"""`utils.bounding_boxes`, against Keras where that computes what it says."""

import itertools

import numpy as np
import pytest

from kerata import ops
from kerata.core.bounding_boxes import FORMATS
from kerata.utils import bounding_boxes

BOXES = np.array([[1, 2, 5, 9], [0, 0, 20, 10], [-3, 4, 8, 30], [7, 7, 7, 7]], "float32")
OTHERS = np.array([[0, 0, 4, 4], [1, 1, 3, 5], [-1, -1, -1, -1]], "float32")
HEIGHT, WIDTH = 10, 20


def close(backend, found, expected, tolerance=1e-5):
    np.testing.assert_allclose(
        backend.to_numpy(found), np.asarray(expected), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize(("source", "target"), list(itertools.product(FORMATS, FORMATS)))
def test_formats(source, target, keras):
    given = BOXES / 10 if source.startswith("rel") else BOXES
    theirs = keras.utils.bounding_boxes.convert_format(given.copy(), source, target, HEIGHT, WIDTH)
    ours = bounding_boxes.convert_format(given, source, target, HEIGHT, WIDTH)
    np.testing.assert_allclose(ops.convert_to_numpy(ours), theirs, rtol=1e-5, atol=1e-5)
    back = bounding_boxes.convert_format(ours, target, source, HEIGHT, WIDTH)
    np.testing.assert_allclose(ops.convert_to_numpy(back), given, rtol=1e-4, atol=1e-5)


def test_each_image_has_its_own_size(backend):
    boxes = backend.convert(np.stack([BOXES, BOXES]))
    sizes = (backend.convert(np.array([10, 40])), backend.convert(np.array([20, 50])))
    found = bounding_boxes.convert_format(boxes, "xyxy", "rel_xyxy", *sizes)
    scale = np.array([[20, 10, 20, 10], [50, 40, 50, 40]])[:, None]
    close(backend, found, np.stack([BOXES, BOXES]) / scale)


@pytest.mark.parametrize("kind", ["xyxy", "rel_xyxy"])
def test_clipping(kind, backend, keras):
    boxes = BOXES / 10 if kind == "rel_xyxy" else BOXES
    labels = np.array([1, 2, 3, 4], "int32")
    theirs = keras.utils.bounding_boxes.clip_to_image_size(
        {"boxes": boxes.copy(), "labels": labels.copy()}, HEIGHT, WIDTH, kind
    )
    given = {"boxes": backend.convert(boxes), "labels": backend.convert(labels)}
    ours = bounding_boxes.clip_to_image_size(given, HEIGHT, WIDTH, kind)
    close(backend, ours["boxes"], theirs["boxes"])
    assert backend.to_numpy(ours["labels"]).tolist() == np.asarray(theirs["labels"]).tolist()


@pytest.mark.parametrize("function", ["crop", "pad"])
def test_cropping_and_padding(function, backend, keras):
    theirs = getattr(keras.utils.bounding_boxes, function)(BOXES.copy(), 2, 1, 5, 10)
    ours = getattr(bounding_boxes, function)(backend.convert(BOXES), 2, 1, 5, 10)
    close(backend, ours, theirs)
    as_sizes = bounding_boxes.convert_format(BOXES, "xyxy", "xywh")
    found = getattr(bounding_boxes, function)(as_sizes, 2, 1, 5, 10, "xywh")
    close(backend, bounding_boxes.convert_format(found, "xywh", "xyxy"), theirs)
    with pytest.raises(ValueError, match="convert them to pixels first"):
        getattr(bounding_boxes, function)(as_sizes, 2, 1, 5, 10, "rel_xyxy")


@pytest.mark.parametrize("arguments", [
    {"bounding_box_format": "xyxy"}, {"bounding_box_format": "xywh"},
    {"bounding_box_format": "rel_xyxy", "image_shape": (10, 20, 3)},
    {"bounding_box_format": "xyxy", "use_masking": True, "mask_val": -2},
])  # fmt: skip
def test_intersection_over_union(arguments, backend, keras):
    first, second = BOXES[:3], OTHERS
    if arguments["bounding_box_format"] == "rel_xyxy":
        first, second = first / 10, second / 10
    pairs = [(first, second), (np.stack([first, first]), second), (first, second[None])]
    for a, b in pairs[:1] if "use_masking" in arguments else pairs:
        theirs = keras.utils.bounding_boxes.compute_iou(a.copy(), b.copy(), **arguments)
        ours = bounding_boxes.compute_iou(backend.convert(a), backend.convert(b), **arguments)
        close(backend, ours, theirs)


def test_complete_intersection_over_union(backend, keras):
    a, b = BOXES[:3], np.roll(BOXES[:3], 1, 0) * 1.1
    theirs = keras.utils.bounding_boxes.compute_ciou(a.copy(), b.copy(), "xyxy")
    ours = bounding_boxes.compute_ciou(backend.convert(a), backend.convert(b), "xyxy")
    close(backend, ours, theirs)
    shape = (10, 20, 3)
    scale = np.array([20, 10, 20, 10], "float32")
    close(backend, bounding_boxes.compute_ciou(a / scale, b / scale, "rel_xyxy", shape), theirs)


@pytest.mark.parametrize("kind", ["center_yxhw", "center_xywh"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.1, 0.2, 0.2]])
def test_deltas(kind, variance, backend, keras):
    peer = keras.utils.bounding_boxes
    anchors = np.array([[0, 0, 4, 6], [2, 2, 8, 6]], "float32")
    boxes = np.array([[[1, 1, 4, 5], [2, 3, 9, 9]]], "float32")
    theirs = peer.encode_box_to_deltas(anchors, boxes, "xyxy", "xywh", kind, variance)
    given = backend.convert(anchors), backend.convert(boxes)
    ours = bounding_boxes.encode_box_to_deltas(*given, "xyxy", "xywh", kind, variance)
    close(backend, ours, theirs)
    decoded = bounding_boxes.decode_deltas_to_boxes(
        {"a": given[0]}, {"a": ours}, "xyxy", "rel_xywh", kind, variance, (10, 20)
    )
    close(backend, decoded["a"], boxes / np.array([20, 10, 20, 10]))


def test_movements(backend, keras):
    boxes = np.stack([BOXES, BOXES[::-1]])
    moves = {
        "angle": [30, -10], "translate_x": [0.2, 0], "translate_y": [0.1, 0.3],
        "scale": [1.5, 0.8], "shear_x": [10, 0], "shear_y": [5, -20],
    }  # fmt: skip
    moves = {k: np.array(v, "float32") for k, v in moves.items()}
    for more in ({}, {"center_x": 0.2, "center_y": 1.0}):
        theirs = keras.utils.bounding_boxes.affine_transform(
            boxes.copy(), **moves, height=HEIGHT, width=WIDTH, **more
        )
        ours = bounding_boxes.affine_transform(
            backend.convert(boxes), **{k: backend.convert(v) for k, v in moves.items()},
            height=HEIGHT, width=WIDTH, **more,
        )  # fmt: skip
        close(backend, ours, theirs, 1e-4)
    one = bounding_boxes.affine_transform(boxes[0], 30.0, 0.2, 0.1, 1.5, 10.0, 5.0, HEIGHT, WIDTH)
    whole = bounding_boxes.affine_transform(boxes, **moves, height=HEIGHT, width=WIDTH)
    close(backend, one, backend.to_numpy(whole)[0], 1e-4)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: bounding_boxes.convert_format(BOXES, "xyxy", "xyzw"), "target must be one of xyxy"),
    (lambda: bounding_boxes.convert_format(BOXES, "xyxy", "rel_xyxy"), "height and width are need"),
    (lambda: bounding_boxes.convert_format(BOXES[:, :3], "xyxy", "xywh"), "last axis of 4"),
    (lambda: bounding_boxes.clip_to_image_size({"boxes": BOXES}), "height and width are needed"),
    (lambda: bounding_boxes.compute_iou(BOXES[0], BOXES, "xyxy"), r"boxes1 must be \(boxes, 4\)"),
    (lambda: bounding_boxes.compute_iou(BOXES, BOXES, "rel_xyxy"), "image_shape is needed"),
    (lambda: bounding_boxes.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", "xyxy"),
     "encoding_format must be 'center_xywh'"),
    (lambda: bounding_boxes.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", variance=[1.0]),
     "variance must be 4 numbers"),
])  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
