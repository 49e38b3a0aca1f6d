"""Classify small images, and see what augmenting them is worth when there are few.

    python examples/image_augmentation.py --backend jax      # TensorFlow is not needed

The images are real and come with the package: handwritten digits of 8 by 8 pixels, 100 of them to
train on and 1,348 to test with. The same model is trained twice, once on the images as they are and
once with layers in front of it that turn, shift, scale and slant them, anew in every epoch. These
layers then change an image together with its mask and its bounding box.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import kerata
from kerata import layers, ops
from kerata.datasets import digits

Data = tuple[np.ndarray, np.ndarray]


def load() -> tuple[Data, Data]:
    """Images of 16 by 16 pixels from 0 to 255 and their digits, to train on and to test with."""
    resize = layers.Pipeline([layers.Rescaling(255 / 16), layers.Resizing(16, 16)])
    (x, y), (x_test, y_test) = digits.load_data(test_split=0.75)
    images = [ops.convert_to_numpy(resize(a[..., None])) for a in (x[:100], x_test)]
    return (images[0], y[:100]), (images[1], y_test)


def augmentation() -> layers.Pipeline:
    """Layers that change images at random, in training only."""
    common = {"fill_mode": "constant", "bounding_box_format": "xyxy"}
    return layers.Pipeline(
        [
            layers.RandomRotation(0.04, **common),
            layers.RandomTranslation(0.1, 0.1, **common),
            layers.RandomZoom(0.1, 0.1, **common),
            layers.RandomShear(0.15, 0.15, **common),
        ]
    )


def build(augmented: bool) -> kerata.Sequential:
    """A small convolutional network."""
    model = kerata.Sequential(
        [
            kerata.Input((16, 16, 1)),
            *([augmentation()] if augmented else []),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, "softmax"),
        ]
    )
    model.compile(
        kerata.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def show_what_moves_along(image: np.ndarray) -> None:
    """Augment an image with what belongs to it, and print it."""
    rows, columns = np.nonzero(image[..., 0] > 100)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = augmentation()(
        {
            "images": image,
            "segmentation_masks": (image[..., 0] > 100).astype("int32"),
            "bounding_boxes": {
                "boxes": np.array([box], "float32"),
                "labels": np.zeros(1, "int32"),
            },
        },
        training=True,
    )
    moved = ops.convert_to_numpy(found["bounding_boxes"]["boxes"])[0]
    print(f"the box {list(map(int, box))} becomes {[round(float(v), 1) for v in moved]}; the mask:")
    for line in ops.convert_to_numpy(found["segmentation_masks"]):
        print("   ", "".join(" #"[v] for v in line))


def main() -> None:
    """Train with and without augmentation, test, save and load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default=None)
    parser.add_argument("--epochs", type=int, default=150)
    given = parser.parse_args()
    if given.backend:
        kerata.set_backend(given.backend)
    (x, y), (x_test, y_test) = load()
    for augmented in (False, True):
        kerata.utils.set_random_seed(1)
        model = build(augmented)
        model.fit(x, y, batch_size=50, epochs=given.epochs, verbose=0)
        _, accuracy = model.evaluate(x_test, y_test, verbose=0)
        print(f"accuracy {'with' if augmented else 'without'} augmentation: {accuracy:.3f}")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "digits.keras"
        model.save(path)
        loaded = kerata.saving.load_model(path)
    same = np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    print(f"the loaded model predicts the same: {same}")
    show_what_moves_along(x[0])


if __name__ == "__main__":
    main()
