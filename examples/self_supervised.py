"""Learn from images by filling in what is hidden: a masked autoencoder (He et al., 2022).

    python examples/self_supervised.py --backend jax        # or torch, or tensorflow

Of the 16 patches of an image 10 are hidden. A transformer reads the others, and a second, smaller
one draws the hidden ones. No label is used.
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

PATCHES, HIDDEN, WIDTH = 16, 10, 48


class Block(layers.Layer):
    """A layer of a transformer: `(batch, length, width)` → the same."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.dense = [layers.Dense(2 * width, "gelu"), layers.Dense(width)]

    def call(self, x: kerata.KerasTensor) -> kerata.KerasTensor:
        """Attention, then a small network, each added to what it read."""
        h = self.norms[0](x)
        x = x + self.attention(h, h)
        return x + self.dense[1](self.dense[0](self.norms[1](x)))


class MaskedAutoencoder(kerata.Model):
    """Images `(batch, 8, 8)` → the pixels of their patches, and which of these were hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = layers.Dense(WIDTH)
        self.encoder = [Block(WIDTH) for _ in range(2)]
        self.decoder = [Block(WIDTH)]
        self.out = layers.Dense(4)
        self.places = layers.Embedding(PATCHES, WIDTH)
        self.missing = layers.Embedding(1, WIDTH)
        self.seeds = kerata.random.SeedGenerator(5)

    def patches(self, images: kerata.KerasTensor) -> kerata.KerasTensor:
        """`(batch, 8, 8)` → `(batch, 16, 4)`."""
        grid = ops.transpose(ops.reshape(images, (-1, 4, 2, 4, 2)), (0, 1, 3, 2, 4))
        return ops.reshape(grid, (-1, PATCHES, 4))

    def encode(self, images: kerata.KerasTensor, order: kerata.KerasTensor) -> kerata.KerasTensor:
        """What the encoder makes of the patches `order` `(batch, some)` of the images."""
        chosen = ops.take_along_axis(self.patches(images), order[..., None], axis=1)
        h = self.embed(chosen) + self.places(order)
        for block in self.encoder:
            h = block(h)
        return h

    def call(self, images: kerata.KerasTensor) -> dict[str, kerata.KerasTensor]:
        """Every patch as it is drawn, and 1 where it was hidden."""
        count = ops.shape(images)[0]
        order = ops.argsort(kerata.random.uniform((count, PATCHES), seed=self.seeds), axis=1)
        seen, unseen = order[:, HIDDEN:], order[:, :HIDDEN]
        blank = self.missing(ops.zeros_like(unseen)) + self.places(unseen)
        h = ops.concatenate([blank, self.encode(images, seen)], axis=1)
        h = ops.take_along_axis(h, ops.argsort(order, axis=1)[..., None], axis=1)  # in place again
        for block in self.decoder:
            h = block(h)
        hidden = ops.cast(ops.argsort(order, axis=1) < HIDDEN, "float32")
        return {"drawn": self.out(h), "hidden": hidden}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):  # type: ignore[no-untyped-def]
        """The mean squared error of the hidden patches."""
        errors = ops.mean(ops.square(self.patches(x) - y_pred["drawn"]), axis=-1)
        return ops.sum(errors * y_pred["hidden"]) / ops.sum(y_pred["hidden"])


def images_of(patches: np.ndarray) -> np.ndarray:
    """`(n, 16, 4)` → `(n, 8, 8)`."""
    return patches.reshape(-1, 4, 4, 2, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 8, 8)


def draw(images: np.ndarray, drawn: dict[str, np.ndarray], path: pathlib.Path) -> None:
    """Images, what the model saw of them, and what it made of that, in three rows."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    hidden = images_of(np.repeat(drawn["hidden"][..., None], 4, -1))
    filled = np.where(hidden > 0, images_of(drawn["drawn"]), images)
    figure, axes = plt.subplots(3, len(images), figsize=(9, 2.6), layout="constrained")
    for row, shown in zip(axes, (images, np.where(hidden > 0, 0.5, images), filled), strict=True):
        for axis, image in zip(row, shown, strict=True):
            axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            axis.set_axis_off()
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f"Picture: {path.resolve()}")


def main() -> None:
    """Parse the command line, train, fill in images that were held out."""
    parser = argparse.ArgumentParser(description="A masked autoencoder on the digits.")
    parser.add_argument("--backend", default=None, help="jax, torch or tensorflow")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--picture", type=pathlib.Path, default=None)
    options = parser.parse_args()
    kerata.set_backend(options.backend or kerata.config.backend())
    kerata.utils.set_random_seed(1)

    (x_train, _), (x_test, _) = kerata.datasets.digits.load_data()
    x_train, x_test = (x.astype("float32") / 16.0 for x in (x_train, x_test))
    model = MaskedAutoencoder()
    steps = options.epochs * (len(x_train) // 64 + 1)
    rate = kerata.optimizers.schedules.OneCycle(3e-3, steps)
    model.compile(kerata.optimizers.AdamW(rate, weight_decay=0.01))
    start = time.perf_counter()
    model.fit(x_train, batch_size=64, epochs=options.epochs, verbose=0)
    backend = kerata.config.backend()
    print(f"{options.epochs} epochs on {backend} in {time.perf_counter() - start:.1f} s")
    error, grey = model.evaluate(x_test, verbose=0), np.var(x_test - x_train.mean(0))
    print(f"Error of hidden patches of new images: {error:.4f}; of the mean image: {grey:.4f}")
    picture = options.picture or pathlib.Path(f"masked-{backend}.png")
    draw(x_test[:12], model.predict(x_test[:12], verbose=0), picture)


if __name__ == "__main__":
    main()
