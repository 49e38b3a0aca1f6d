"""Learn to tell digits apart without labels, by comparing views of them (Chen et al., 2020).

    python examples/contrastive.py --backend jax        # or torch, or tensorflow

Two views of an image, turned, moved and dimmed at random, are to be more alike than views of
different images. What the encoder has learned shows where few labels are given: a linear
classifier on its features, trained on 10 images a digit, against one on the pixels.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import kerata
from kerata import layers, ops


class SimCLR(kerata.Model):
    """Gives two views of each image and compares them; `encoder` is what is wanted of it.

    Args:
        temperature: how sharply likenesses differ.
    """

    def __init__(self, temperature: float = 0.2) -> None:
        super().__init__()
        self.encoder = kerata.Sequential(
            [
                kerata.Input((8, 8, 1)),
                layers.Conv2D(32, 3, padding="same", activation="relu"),
                layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
            ],
            name="encoder",
        )
        self.projector = kerata.Sequential(
            [layers.Dense(64, activation="relu"), layers.Dense(32)], name="projector"
        )
        self.temperature = temperature
        self.seeds = kerata.random.SeedGenerator(3)

    def view(self, images: kerata.KerasTensor) -> kerata.KerasTensor:
        """Images turned, scaled, moved and dimmed at random."""
        count = ops.shape(images)[0]
        draws = kerata.random.uniform((count, 6), -1.0, 1.0, seed=self.seeds)
        angle, zoom, skew, right, down, light = ops.unstack(draws, axis=1)
        cos, sin = ops.cos(angle * 0.3), ops.sin(angle * 0.3)
        size, zero = 1.0 + 0.15 * zoom, ops.zeros_like(angle)
        rows = [
            size * cos, skew * 0.2 - sin, 3.5 - 3.5 * size + right,
            size * sin, size * cos, 3.5 - 3.5 * size + down, zero, zero,
        ]  # fmt: skip
        moved = ops.image.affine_transform(images, ops.stack(rows, axis=1))
        return moved * ops.reshape(1.0 + 0.3 * light, (-1, 1, 1, 1))

    def call(self, images: kerata.KerasTensor) -> kerata.KerasTensor:
        """The projections `(2 * batch, 32)`, of length 1, of two views of each image."""
        views = ops.concatenate([self.view(images), self.view(images)])
        return ops.normalize(self.projector(self.encoder(views)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):  # type: ignore[no-untyped-def]
        """How badly each view finds its partner among all others."""
        count = ops.shape(y_pred)[0]
        likeness = y_pred @ ops.transpose(y_pred) / self.temperature
        likeness = likeness - 1e9 * ops.eye(count)  # not itself
        partner = ops.roll(ops.arange(count), count // 2)
        return ops.mean(ops.sparse_categorical_crossentropy(partner, likeness, from_logits=True))


def probe(features: np.ndarray, labels: np.ndarray, test: tuple[np.ndarray, np.ndarray]) -> float:
    """The accuracy on `test` of a linear classifier trained on 10 rows of each class."""
    few = np.concatenate([np.flatnonzero(labels == digit)[:10] for digit in range(10)])
    classifier = kerata.Sequential([layers.Dense(10, activation="softmax")])
    classifier.compile(
        kerata.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    classifier.fit(features[few], labels[few], batch_size=100, epochs=150, verbose=0)
    return classifier.evaluate(*test, verbose=0)[1]


def main() -> None:
    """Parse the command line, train, compare."""
    parser = argparse.ArgumentParser(description="Contrastive learning on the digits.")
    parser.add_argument("--backend", default=None, help="jax, torch or tensorflow")
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    kerata.set_backend(options.backend or kerata.config.backend())
    kerata.utils.set_random_seed(1)

    (x_train, y_train), (x_test, y_test) = kerata.datasets.digits.load_data()
    x_train, x_test = (x[..., None].astype("float32") / 16.0 for x in (x_train, x_test))
    model = SimCLR()
    model.compile(kerata.optimizers.Adam(2e-3))
    start = time.perf_counter()
    losses = model.fit(x_train, batch_size=128, epochs=options.epochs, verbose=0).history["loss"]
    backend = kerata.config.backend()
    print(f"{options.epochs} epochs on {backend} in {time.perf_counter() - start:.1f} s")
    print(f"Loss: {losses[0]:.3f} at first, {losses[-1]:.3f} at last")
    learned = [model.encoder.predict(x, verbose=0) for x in (x_train, x_test)]
    pixels = [x.reshape(len(x), -1) for x in (x_train, x_test)]
    by_pixels = probe(pixels[0], y_train, (pixels[1], y_test))
    by_features = probe(learned[0], y_train, (learned[1], y_test))
    print("Accuracy of a linear classifier trained on 100 labelled images:")
    print(f"on pixels {by_pixels:.3f}, on the features {by_features:.3f}")


if __name__ == "__main__":
    main()
