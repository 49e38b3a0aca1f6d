"""What image layers do at random, with dicts, and with what moves along."""

import numpy as np
import pytest

from kerata import layers
from kerata.backends.registry import use_backend
from kerata.core.bounding_boxes import convert_format
from kerata.core.transforms import jit
from tests.layers.preprocessing.image.common import BOXES, EVERY, IMAGES, every, one


def blob(height=40, width=60, count=6):
    """Images with a bright rectangle each, masks of it, and the box around it."""
    images = np.zeros((count, height, width, 3), "float32")
    images[:, 12:24, 20:38] = 200.0
    boxes = {
        "boxes": np.tile(np.array([[[20, 12, 38, 24]]], "float32"), (count, 1, 1)),
        "labels": np.full((count, 1), 3),
    }
    return {
        "images": images, "segmentation_masks": (images[..., :1] > 0).astype("int32"),
        "bounding_boxes": boxes, "labels": np.eye(count, dtype="float32"), "name": "kept",
    }  # fmt: skip


MANY = np.repeat(IMAGES, 8, 0)
MOVING = [
    ("RandomFlip", {}), ("RandomFlip", {"mode": "horizontal"}),
    ("RandomRotation", {"factor": 0.1, "fill_mode": "constant"}),
    ("RandomTranslation", {
        "height_factor": 0.2, "width_factor": 0.2, "fill_mode": "constant"}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": 0.2, "fill_mode": "constant"}),
    ("RandomShear", {"x_factor": 0.2, "y_factor": 0.1, "fill_mode": "constant"}),
    ("RandomPerspective", {"scale": 0.3}),
    ("RandomElasticTransform", {"scale": 0.4, "fill_mode": "constant"}),
    ("RandomCrop", {"height": 30, "width": 45}),
    ("CenterCrop", {"height": 20, "width": 30}),
    ("CenterCrop", {"height": 50, "width": 60}),
    ("Resizing", {"height": 60, "width": 40}),
    ("Resizing", {"height": 20, "width": 20, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 60, "width": 40, "pad_to_aspect_ratio": True}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "arguments"), [
    *(("xyxy", *moving) for moving in MOVING),
    *(("rel_center_xywh", *MOVING[i]) for i in (1, 8, 12)),
])  # fmt: skip
def test_masks_and_boxes_follow_the_pixels(name, arguments, kind, backend):
    data = blob()
    _, height, width, _ = data["images"].shape
    given = convert_format(data["bounding_boxes"]["boxes"], "xyxy", kind, height, width)
    data["bounding_boxes"]["boxes"] = given
    layer = one(name, {**arguments, "bounding_box_format": kind})
    found = layer(data, training=True)
    assert found["name"] == "kept"
    images, masks = (backend.to_numpy(found[n]) for n in ("images", "segmentation_masks"))
    assert masks.dtype == np.int32
    assert set(np.unique(masks)) <= {0, 1}
    bright = images[..., :1] > 100
    assert (bright != (masks > 0)).mean() < 0.03
    _, height, width, _ = images.shape
    moved = found["bounding_boxes"]
    boxes = backend.to_numpy(convert_format(moved["boxes"], kind, "xyxy", height, width))
    labels = backend.to_numpy(moved["labels"])
    for mask, box, label in zip(masks[..., 0], boxes[:, 0], labels[:, 0], strict=True):
        rows, columns = np.nonzero(mask)
        assert label == (3 if rows.size else -1)
        around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        # A turned rectangle leaves the corners of the box around it empty, but touches all sides.
        np.testing.assert_allclose(box, around, atol=2.5)


@pytest.mark.parametrize("name", [
    "RandomRotation", "RandomCrop", "CutMix", pytest.param("RandAugment", marks=pytest.mark.slow)
])  # fmt: skip
def test_one_image_and_its_dict(name, backend):
    layer = one(name, {**EVERY[name], "bounding_box_format": "xyxy"})
    data = {k: v[0] for k, v in blob(8, 8).items() if k in ("images", "segmentation_masks")}
    found = layer(data, training=True)
    assert len(found["images"].shape) == 3
    assert found["segmentation_masks"].shape[:2] == found["images"].shape[:2]
    flat = layer({**data, "segmentation_masks": data["segmentation_masks"][..., 0]}, training=True)
    assert len(flat["segmentation_masks"].shape) == 2


@pytest.mark.parametrize("name", every())
def test_in_and_outside_of_training(name, backend):
    layer = one(name, EVERY[name])
    images = backend.convert(MANY)
    still = layer(images, training=False)
    if not layer.always:
        np.testing.assert_array_equal(backend.to_numpy(still), MANY)
    trained = layer(images, training=True)
    assert trained.dtype == still.dtype
    assert tuple(trained.shape) == tuple(layer.compute_output_shape(MANY.shape))
    assert layer(layers.Input((None, None, 3))).shape[0] is None
    whole = layer(backend.convert(MANY.astype("uint8")), training=True)
    kept = "uint8" if layer.keeps_integers else "float32"
    assert backend.dtype_of(whole) == kept
    first = one(name, {**EVERY[name], "data_format": "channels_first"})
    turned = first(np.moveaxis(MANY, -1, 1), training=True)
    assert tuple(turned.shape) == tuple(np.moveaxis(np.empty(trained.shape), -1, 1).shape)


@pytest.mark.parametrize("name", every())
def test_mixed_precision(name, backend):
    half = "float16" if np.ndarray in backend.tensor_types else "bfloat16"
    layer = one(name, {**EVERY[name], "dtype": f"mixed_{half}"})
    run = jit(lambda x: layer(x, training=True))
    found = backend.to_numpy(run(backend.convert(MANY)))
    assert str(found.dtype) == half
    assert np.isfinite(found.astype("float32")).all()


@pytest.mark.parametrize("name", every(lambda n: n.startswith("Random") or "Mix" in n))
def test_draws_follow_the_seed(name, backend):
    images = backend.convert(MANY)
    arguments = {**EVERY[name], "seed": 5}
    layer, again = one(name, arguments), one(name, arguments)
    first, second = (backend.to_numpy(layer(images, training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, backend.to_numpy(again(images, training=True)))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", every(lambda n: n.startswith("Random")))
def test_compiled_draws_anew(name, backend):
    layer = one(name, {**EVERY[name], "seed": 5})
    step = jit(lambda x: layer(x, training=True))
    images = backend.convert(MANY)
    first, second = (backend.to_numpy(step(images)) for _ in range(2))
    assert not np.array_equal(first, second)


# Keras' own draws, for a thousand images: means and limits of the transformations.
DRAWS = [
    ("RandomBrightness", {"factor": (0.1, 0.3)}, "rgb_delta", 25.5, 76.5, 51),
    ("RandomContrast", {"factor": (0.2, 0.4)}, "contrast_factor", 0.8, 1.4, 1.1),
    ("RandomContrast", {"factor": 0.4}, "contrast_factor", 1.0, 1.4, 1.2),
    ("RandomHue", {"factor": (0.6, 0.8)}, "factor", -0.4, 0.4, 0),
    ("RandomSaturation", {"factor": (0.2, 0.5)}, "factor", 0.25, 1.0, 0.566),
    ("RandomSharpness", {"factor": 0.4}, "factor", 0, 0.4, 0.2),
    ("RandomColorDegeneration", {"factor": 0.4}, "factor", -0.4, 0.4, 0),
    ("RandomPosterization", {"factor": (2, 5)}, "shift_factor", 4, 6, 5),
    ("RandomRotation", {"factor": (0.2, 0.3)}, "angle", 72, 108, 90),
    ("RandomTranslation", {"height_factor": 0.0, "width_factor": (0.1, 0.2)}, "translations", 0, 2,
     0.75),
    ("RandomZoom", {"height_factor": (-0.5, 0.1)}, "height_zoom", 0.5, 1.1, 0.8),
    ("RandomShear", {"x_factor": 0.2, "y_factor": 0.2}, "shear_factor", -0.2, 0.2, 0),
    ("RandomPerspective", {"scale": 0.5}, "end_points", 0, 11.25, 4),
    ("RandomInvert", {"factor": (0.6, 1.0)}, "apply_inversion", 0, 1, 0.8),
    ("RandomFlip", {}, "flips", 0, 1, 0.5),
    ("Solarization", {"addition_factor": 0.4}, "additions", 0, 102, 51),
    ("RandomGaussianBlur", {"sigma": (0.5, 0.6)}, "blur_factor", 0.5, 0.6, 0.55),
    ("RandomErasing", {"scale": (0.2, 0.4)}, "batch_masks", 0, 1, 0.3),
    ("MixUp", {"alpha": 0.4}, "mix_weight", 0, 1, 0.5),
    ("CutMix", {}, "mix_weight", 0, 1, 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "key", "low", "high", "mean"), DRAWS)
def test_distributions(name, arguments, key, low, high, mean, keras):
    images = np.zeros((1000, 8, 10, 3), "float32")
    with use_backend("numpy"):
        layer = one(name, {**arguments, "seed": 1})
        ours = layer.get_random_transformation({"images": images})[key].astype(float)
    theirs = getattr(keras.layers, name)(**arguments, seed=1)
    theirs = theirs.get_random_transformation({"images": images})[key]
    theirs = np.asarray(theirs).astype(float)
    slack = 0.02 * (high - low)
    for found in (ours, theirs):
        assert low - 1e-6 <= found.min() and found.max() <= high + 1e-5
        if found.size > 2:  # Keras draws one blur for the whole batch
            assert found.mean() == pytest.approx(mean, abs=2.5 * slack)
            assert found.max() > high - slack * 2.5 or found.dtype == bool


@pytest.mark.slow
def test_mixing_keeps_the_boxes_of_both(backend):
    data = {k: v for k, v in blob(count=4).items() if k != "name"}
    data["bounding_boxes"]["labels"] = np.arange(4)[:, None]
    for name in ("MixUp", "CutMix"):
        layer = one(name, {"bounding_box_format": "xyxy", "seed": 2})
        found = layer(data, training=True)["bounding_boxes"]
        labels = backend.to_numpy(found["labels"])
        assert labels[:, 0].tolist() == [0, 1, 2, 3]
        assert set(labels[:, 1]) <= {-1, 0, 1, 2, 3}
        assert tuple(found["boxes"].shape) == (4, 2, 4)


def test_number_of_boxes(backend):
    layer = one("MaxNumBoundingBoxes", {"max_number": 3})
    for count in (2, 5):
        boxes = np.arange(2 * count * 4, dtype="float32").reshape(2, count, 4)
        labels = np.ones((2, count), "int32")
        found = layer({"images": IMAGES, "bounding_boxes": {"boxes": boxes, "labels": labels}})
        found = {k: backend.to_numpy(v) for k, v in found["bounding_boxes"].items()}
        assert found["labels"].tolist() == [[1, 1, 1 if count > 2 else -1]] * 2
        np.testing.assert_array_equal(found["boxes"][:, :2], boxes[:, :2])
        assert (found["boxes"][:, 2] == -1).all() == (count == 2)


def test_each_image_is_equalized_for_itself(backend):
    darker = np.concatenate([IMAGES[:1], IMAGES[1:] * 0.1])
    layer = layers.Equalization()
    found = backend.to_numpy(layer(backend.convert(darker), training=True))
    alone = backend.to_numpy(layer(backend.convert(darker[1:]), training=True))
    np.testing.assert_array_equal(found[1:], alone)
    assert alone.max() == 255


def test_pipeline_in_a_model(backend):
    pipeline = layers.Pipeline([layers.RandomFlip(seed=1), layers.Rescaling(1 / 255)])
    again = layers.Pipeline.from_config(pipeline.get_config())
    assert [type(x).__name__ for x in again.layers] == ["RandomFlip", "Rescaling"]
    found = again(backend.convert(IMAGES), training=False)
    np.testing.assert_allclose(backend.to_numpy(found), IMAGES / 255, rtol=1e-6)
    assert pipeline(layers.Input((8, 10, 3))).shape == (None, 8, 10, 3)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.RandomRotation(2.0), "factor must be a number from -1.0 to 1.0, or a pair"),
    (lambda: layers.RandomContrast("much"), "RandomContrast: factor must be"),
    (lambda: layers.RandomZoom(0.2, fill_mode="empty"), "fill_mode must be one of 'constant'"),
    (lambda: layers.RandomFlip("both"), "mode must be one of 'horizontal'"),
    (lambda: layers.RandomBrightness(0.1, (0, 1, 2)), "value_range must be two numbers"),
    (lambda: layers.Resizing(0, 4), "Resizing: height must be a positive integer; got 0"),
    (lambda: layers.RandomFlip()(np.zeros((4, 4))), "3 axes, or 4 with a batch"),
    (lambda: layers.RandomFlip()({"labels": IMAGES}), "must have the key 'images'"),
    (lambda: layers.RandomFlip()({"images": IMAGES, "bounding_boxes": {
        "boxes": BOXES, "labels": BOXES[..., 0]}}), "bounding_box_format='xyxy'"),
    (lambda: layers.RandomFlip(bounding_box_format="xyxy")({
        "images": IMAGES, "bounding_boxes": {"boxes": BOXES}}), "dict of 'boxes' and 'labels'"),
])  # fmt: skip
def test_errors(make, message):
    with use_backend("numpy"), pytest.raises(ValueError, match=message):
        make()
