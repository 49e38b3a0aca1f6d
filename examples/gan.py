"""A GAN on the digits, written once for every backend that trains.

    python examples/gan.py --backend jax        # or torch, or tensorflow

Two networks, an optimizer for each, and one `train_step` in which they take turns (Goodfellow et
al., 2014).
"""

from __future__ import annotations

import argparse
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import kerata
from kerata import layers, ops

NOISE = 16


class GAN(kerata.Model):
    """A generator `(batch, 16)` → `(batch, 8, 8)`, and a discriminator that scores images."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = kerata.Sequential(
            [
                kerata.Input((NOISE,)),
                layers.Dense(128, activation="relu"),
                layers.Dense(128, activation="relu"),
                layers.Dense(64, activation="sigmoid"),
                layers.Reshape((8, 8)),
            ],
            name="generator",
        )
        self.discriminator = kerata.Sequential(
            [
                kerata.Input((8, 8)),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dropout(0.3),
                layers.Dense(64, activation="relu"),
                layers.Dense(1),
            ],
            name="discriminator",
        )
        self.seeds = kerata.random.SeedGenerator(1)
        self.truth = kerata.losses.BinaryCrossentropy(from_logits=True)

    def call(self, images: kerata.KerasTensor) -> kerata.KerasTensor:
        """How real images look."""
        return self.discriminator(images)

    def judged(self, real: kerata.KerasTensor, noise: kerata.KerasTensor) -> kerata.KerasTensor:
        """What the discriminator minimises: taking one for the other."""
        good = self.discriminator(real, training=True)
        bad = self.discriminator(self.generator(noise), training=True)
        return self.truth(ops.ones_like(good) * 0.9, good) + self.truth(ops.zeros_like(bad), bad)

    def unmasked(self, noise: kerata.KerasTensor) -> kerata.KerasTensor:
        """What the generator minimises: images that don't look real."""
        score = self.discriminator(self.generator(noise), training=True)
        return self.truth(ops.ones_like(score), score)

    def train_step(self, data: kerata.KerasTensor) -> dict[str, kerata.KerasTensor]:
        """A step of each player, with one noise."""
        real, _, _ = kerata.utils.unpack_x_y_sample_weight(data)
        noise = kerata.random.normal((ops.shape(real)[0], NOISE), seed=self.seeds)
        critic, artist = (
            player.trainable_variables for player in (self.discriminator, self.generator)
        )
        d_loss, gradients = kerata.value_and_grad(self.judged, critic)(real, noise)
        self.optimizer.apply(gradients, critic)
        g_loss, gradients = kerata.value_and_grad(self.unmasked, artist)(noise)
        self.optimizer.apply(gradients, artist)
        return {"generator": g_loss, "discriminator": d_loss}


def draw(images: np.ndarray, path: pathlib.Path) -> None:
    """The images as a grid, written to a file."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(4, 12, figsize=(9, 3.2), layout="constrained")
    for axis, image in zip(axes.flat, images, strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axis.set_axis_off()
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f"Picture: {path.resolve()}")


def main() -> None:
    """Parse the command line, train, draw samples."""
    parser = argparse.ArgumentParser(description="A GAN on the digits.")
    parser.add_argument("--backend", default=None, help="jax, torch or tensorflow")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--picture", type=pathlib.Path, default=None)
    options = parser.parse_args()
    kerata.set_backend(options.backend or kerata.config.backend())
    kerata.utils.set_random_seed(7)

    (images, _), _ = kerata.datasets.digits.load_data(test_split=0.01)
    gan = GAN()
    gan.compile(
        optimizer={
            "generator": kerata.optimizers.Adam(3e-4, beta_1=0.5),
            "discriminator": kerata.optimizers.Adam(3e-4, beta_1=0.5),
        }
    )
    start = time.perf_counter()
    history = gan.fit(
        images.astype("float32") / 16.0, batch_size=64, epochs=options.epochs, verbose=0
    )
    for epoch in range(24, options.epochs, 25):
        losses = ", ".join(f"{n} {values[epoch]:.3f}" for n, values in history.history.items())
        print(f"epoch {epoch + 1}: {losses}")
    backend = kerata.config.backend()
    print(f"{options.epochs} epochs on {backend} in {time.perf_counter() - start:.1f} s")
    noise = np.random.default_rng(0).standard_normal((48, NOISE)).astype("float32")
    samples = gan.generator.predict(noise, verbose=0)
    draw(samples, options.picture or pathlib.Path(f"gan-{backend}.png"))


if __name__ == "__main__":
    main()
