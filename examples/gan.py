"""A GAN on the digits, written once for every backend that trains.

    python examples/gan.py --backend jax        # or torch, or tensorflow

Two networks, two optimizers, one compiled step (Goodfellow et al., 2014).
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
BATCH = 64


def build() -> tuple[kerata.Sequential, kerata.Sequential]:
    """The generator `(batch, 16)` → `(batch, 8, 8)`, and the discriminator back to a score."""
    generator = kerata.Sequential(
        [
            kerata.Input((NOISE,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="sigmoid"),
            layers.Reshape((8, 8)),
        ],
        name="generator",
    )
    discriminator = kerata.Sequential(
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
    return generator, discriminator


def make_step(generator: kerata.Sequential, discriminator: kerata.Sequential) -> kerata.jit:
    """One step of both players, compiled."""
    seeds = kerata.random.SeedGenerator(1)
    optimizers = [kerata.optimizers.Adam(3e-4, beta_1=0.5) for _ in range(2)]
    players = [generator.trainable_variables, discriminator.trainable_variables]
    for optimizer, variables in zip(optimizers, players, strict=True):
        optimizer.build(variables)
    loss = kerata.losses.BinaryCrossentropy(from_logits=True)

    def judged(real: kerata.KerasTensor, noise: kerata.KerasTensor) -> kerata.KerasTensor:
        good = discriminator(real, training=True)
        bad = discriminator(generator(noise), training=True)
        return loss(ops.ones_like(good) * 0.9, good) + loss(ops.zeros_like(bad), bad)

    def fooled(noise: kerata.KerasTensor) -> kerata.KerasTensor:
        score = discriminator(generator(noise), training=True)
        return loss(ops.ones_like(score), score)

    @kerata.jit
    def step(real: kerata.KerasTensor) -> tuple[kerata.KerasTensor, kerata.KerasTensor]:
        noise = kerata.random.normal((BATCH, NOISE), seed=seeds)
        d_loss, gradients = kerata.value_and_grad(judged, players[1])(real, noise)
        optimizers[1].apply(gradients, players[1])
        g_loss, gradients = kerata.value_and_grad(fooled, players[0])(noise)
        optimizers[0].apply(gradients, players[0])
        return g_loss, d_loss

    return step


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
    images = images.astype("float32") / 16.0
    generator, discriminator = build()
    step = make_step(generator, discriminator)
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    for epoch in range(options.epochs):
        order = rng.permutation(len(images))
        losses = [
            step(images[order[i : i + BATCH]]) for i in range(0, len(images) - BATCH + 1, BATCH)
        ]
        if (epoch + 1) % 25 == 0:
            g_loss, d_loss = ops.convert_to_numpy(ops.mean(ops.convert_to_tensor(losses), 0))
            print(f"epoch {epoch + 1}: generator {g_loss:.3f}, discriminator {d_loss:.3f}")
    backend = kerata.config.backend()
    print(f"{options.epochs} epochs on {backend} in {time.perf_counter() - start:.1f} s")
    noise = rng.standard_normal((48, NOISE)).astype("float32")
    samples = generator.predict(noise, verbose=0)
    draw(samples, options.picture or pathlib.Path(f"gan-{backend}.png"))


if __name__ == "__main__":
    main()
