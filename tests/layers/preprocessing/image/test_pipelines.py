"""Augmentation in input pipelines and in models, under every backend."""

import numpy as np
import optree
import pytest

import kerata
from kerata import layers
from tests.layers.preprocessing.image.common import BOXES, IMAGES


def pipeline():
    """Layers that draw, and move boxes."""
    return layers.Pipeline([
        layers.RandomFlip(seed=1, bounding_box_format="xyxy"),
        layers.RandomRotation(0.2, seed=2, bounding_box_format="xyxy"),
        layers.RandomBrightness(0.2, seed=3),
        layers.RandomErasing(seed=4),
        layers.RandAugment(num_ops=1, seed=5, bounding_box_format="xyxy"),
        layers.RandomCrop(6, 7, bounding_box_format="xyxy"),
    ])  # fmt: skip


DATA = {
    "images": IMAGES,
    "labels": np.eye(2, dtype="float32"),
    "bounding_boxes": {"boxes": BOXES, "labels": np.ones((2, 2), "int32")},
    "segmentation_masks": np.ones((2, 8, 10), "int32"),
}


def same_sizes(found, batch):
    """Check what a pipeline gives for `DATA`."""
    assert tuple(found["images"].shape) == (batch, 6, 7, 3)
    assert tuple(found["segmentation_masks"].shape) == (batch, 6, 7)
    assert len(found["bounding_boxes"]["labels"]) == batch
    assert tuple(found["labels"].shape) == (batch, 2)


@pytest.mark.slow
def test_tf_data(backend):
    tf = pytest.importorskip("tensorflow")
    augment, mix = pipeline(), layers.MixUp(bounding_box_format="xyxy")
    data = tf.data.Dataset.from_tensor_slices(DATA).repeat(4).batch(4)
    data = data.map(lambda x: mix(augment(x, training=True), training=True))
    assert data.element_spec["images"].shape == (None, 6, 7, 3)
    for x in data:
        same_sizes(x, 4)
    first, second = ([x["images"].numpy() for x in data] for _ in range(2))
    assert [x.shape for x in first] == [(4, 6, 7, 3)] * 2
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], second[0])


class Rows:
    """What a `DataLoader` and grain take."""

    def __init__(self, augment, convert):
        self.augment = augment
        self.convert = convert

    def __len__(self):
        return 6

    def __getitem__(self, i):
        data = optree.tree_map(lambda x: self.convert(x[i % 2]), DATA)
        return self.augment(data, training=True)


@pytest.mark.parametrize("tensors", [False, True])
def test_data_loader(tensors, backend):
    torch = pytest.importorskip("torch")
    rows = Rows(pipeline(), lambda x: torch.as_tensor(x.copy()) if tensors else x)
    batches = list(torch.utils.data.DataLoader(rows, batch_size=3))
    for found in batches:
        same_sizes(found, 3)
    first = batches[0]["images"].numpy()
    assert not np.array_equal(first[0], first[2])


class Bright:
    """The brightness that is added to black images."""

    def __init__(self):
        self.augment = layers.RandomBrightness((0, 1), seed=3)

    def __len__(self):
        return 8

    def __getitem__(self, i):
        return np.asarray(self.augment(np.zeros((1, 1, 3), "float32"), training=True))


@pytest.mark.slow
def test_workers_draw_differently(backend):
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(Bright(), batch_size=2, num_workers=2)
    drawn = np.concatenate([x.numpy().reshape(-1, 3)[:, 0] for x in loader])
    assert len(set(drawn.tolist())) == 8


def test_grain(backend):
    grain = pytest.importorskip("grain.python")
    augment = pipeline()
    rows = [optree.tree_map(lambda x, i=i: x[i], DATA) for i in (0, 1)]
    data = grain.MapDataset.source(rows).map(lambda x: augment(x, training=True))
    first, again = data[0], data[0]
    assert all(isinstance(x, np.ndarray) for x in optree.tree_leaves(first))
    assert not np.array_equal(first["images"], again["images"])
    same_sizes(data.batch(2)[0], 2)


def test_in_a_model(training_backend, tmp_path):
    model = kerata.Sequential([
        kerata.Input((8, 10, 3)), pipeline(), layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    model.fit(IMAGES / 255, np.zeros((2, 2)), epochs=2, verbose=0)
    expected = model.predict(IMAGES, verbose=0)
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    again = kerata.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(IMAGES, verbose=0), expected, rtol=1e-5, atol=1e-4)
