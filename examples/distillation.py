"""A small model that learns from a large one (Hinton et al., 2015).

    python examples/distillation.py --backend jax        # or torch, or tensorflow

The teacher is a convolutional network of 58,000 weights, trained on half of the digits. The student
has 500 weights and the other half, which nobody has labelled but for 100 images: it learns from
what the teacher says about them, and a twin of it from the 100 labels.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import kerata
from kerata import layers
from kerata.distillation import Distiller, LogitsDistillation

LOSS = kerata.losses.SparseCategoricalCrossentropy(from_logits=True)


def teacher() -> kerata.Sequential:
    """A network that is good at it."""
    return kerata.Sequential(
        [
            kerata.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(10),
        ],
        name="teacher",
    )


def student() -> kerata.Sequential:
    """A network of 4 filters."""
    return kerata.Sequential(
        [
            kerata.Input((8, 8, 1)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ],
        name="student",
    )


def train(model: kerata.Model, x: np.ndarray, y: np.ndarray, epochs: int) -> None:
    """Compile and fit."""
    kerata.utils.set_random_seed(1)
    model.compile(kerata.optimizers.Adam(3e-3), LOSS)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)


def main() -> None:
    """Parse the command line, train teacher, student and twin, compare."""
    parser = argparse.ArgumentParser(description="Distillation on the digits.")
    parser.add_argument("--backend", default=None, help="jax, torch or tensorflow")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    kerata.set_backend(options.backend or kerata.config.backend())
    kerata.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = kerata.datasets.digits.load_data()
    x_train, x_test = (x[..., None].astype("float32") / 16.0 for x in (x_train, x_test))
    start = time.perf_counter()
    large, twin, half = teacher(), student(), len(x_train) // 2
    train(large, x_train[:half], y_train[:half], options.epochs)
    x, y = x_train[half:], y_train[half:]
    train(twin, x[:100], y[:100], 4 * options.epochs)
    distiller = Distiller(
        large,
        student(),
        distillation_losses=LogitsDistillation(temperature=4.0),
        student_loss_weight=0.0,  # no label is looked at
    )
    train(distiller, x, y, 2 * options.epochs)
    print(f"Trained on {kerata.config.backend()} in {time.perf_counter() - start:.1f} s")
    models = {"Teacher": large, "Twin": twin, "Student": distiller.student}
    for name, model in models.items():
        right = model.predict(x_test, verbose=0).argmax(-1) == y_test
        print(f"{name}: {model.count_params():,} weights, accuracy {right.mean():.3f}")


if __name__ == "__main__":
    main()
