"""Recognise handwritten digits: train, evaluate, save, load, draw.

    python examples/digits.py                  # the default backend
    python examples/digits.py --backends all   # every installed one, in this process

The data ships with Kerata: 1,797 images of 8×8 pixels.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import kerata
from kerata import layers


def load() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Images `(n, 8, 8, 1)` float32 in [0, 1] and labels `(n,)`."""
    (x_train, y_train), (x_test, y_test) = kerata.datasets.digits.load_data()
    scale = 1.0 / 16.0
    return (
        (x_train[..., None].astype("float32") * scale, y_train.astype("int32")),
        (x_test[..., None].astype("float32") * scale, y_test.astype("int32")),
    )


def build() -> kerata.Sequential:
    """A small convolutional network for 8×8 images."""
    model = kerata.Sequential(
        [
            kerata.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(momentum=0.9),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(verbose: int | str = "auto") -> tuple[kerata.Sequential, kerata.callbacks.History]:
    """Train a new model with early stopping on the active backend."""
    kerata.utils.set_random_seed(1)
    model = build()
    (x, y), _ = load()
    history = model.fit(
        x,
        y,
        epochs=40,
        batch_size=64,
        validation_split=0.1,
        callbacks=[
            kerata.callbacks.EarlyStopping(patience=8, restore_best_weights=True, verbose=1)
        ],
        verbose=verbose,
    )
    return model, history


def check_saving(model: kerata.Sequential, x: np.ndarray) -> None:
    """Save the model, load it back, and compare what the two predict."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "digits.keras"
        model.save(path)
        size = path.stat().st_size
        loaded = kerata.models.load_model(path)
    same = np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    print(f"Saved ({size / 1024:.0f} KiB) and loaded; identical predictions: {same}")
    if not same:
        raise SystemExit("The loaded model predicts something else")


def draw(model: kerata.Sequential, history: kerata.callbacks.History, path: pathlib.Path) -> None:
    """Learning curves, confusion matrix and the worst mistakes, as one picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    _, (x, y) = load()
    p = model.predict(x, verbose=0)
    guess = p.argmax(-1)
    figure = plt.figure(figsize=(13, 7.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(2, 1))
    curves, matrix = top.subplots(1, 2)
    for name in ("loss", "val_loss", "accuracy", "val_accuracy"):
        style = "--" if name.startswith("val_") else "-"
        curves.plot(history.history[name], style, label=name)
    curves.set(title="Learning curves", xlabel="epoch", ylim=(0, 1.1))
    curves.legend()
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (y, guess), 1)
    matrix.imshow(np.log1p(counts), cmap="Blues")
    for i, j in zip(*np.nonzero(counts), strict=True):
        matrix.text(
            j,
            i,
            counts[i, j],
            ha="center",
            va="center",
            fontsize=8,
            color="white" if i == j else "black",
        )
    matrix.set(
        title=f"Confusion matrix, accuracy {np.mean(guess == y):.4f}",
        xlabel="predicted",
        ylabel="true",
        xticks=range(10),
        yticks=range(10),
    )
    worst = np.argsort(p[np.arange(len(y)), y])[:10]
    bottom.suptitle("The least certain of the truth: true digit, guess (probability of the truth)")
    for axis, i in zip(bottom.subplots(1, 10), worst, strict=True):
        axis.imshow(x[i, :, :, 0], cmap="gray_r")
        axis.set_axis_off()
        axis.set_title(
            f"{y[i]}, {guess[i]} ({p[i, y[i]]:.2f})",
            fontsize=9,
            color="black" if guess[i] == y[i] else "crimson",
        )
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f"Picture: {path.resolve()}")


def run_default(picture: pathlib.Path) -> None:
    """The whole job on the default backend."""
    print(f"Backend: {kerata.config.backend()}")
    build().summary()
    model, history = train()
    _, (x, y) = load()
    _, accuracy = model.evaluate(x, y)
    print(f"Accuracy on {len(y)} held-out images: {accuracy:.4f}")
    print(history)
    check_saving(model, x)
    draw(model, history, picture)
    if accuracy < 0.98:
        raise SystemExit(f"Expected an accuracy of at least 0.98, got {accuracy:.4f}")


def run_all(picture: pathlib.Path) -> None:
    """Train on every backend that can, predict on all of them, compare with NumPy."""
    build().summary()
    _, (x, y) = load()
    rows, worst = [], 1.0
    for trainer in kerata.backends.backends(training=True):
        start = time.perf_counter()
        with kerata.use_backend(trainer):
            model, history = train(verbose=0)
        seconds = time.perf_counter() - start
        with kerata.use_backend("numpy"):
            reference = model.predict(x, verbose=0)
        for name in kerata.backends.backends():
            start = time.perf_counter()
            with kerata.use_backend(name):
                p = model.predict(x, verbose=0)
                _, accuracy = model.evaluate(x, y, verbose=0)
            took = seconds if name == trainer else time.perf_counter() - start
            job = "train" if name == trainer else "predict"
            rows.append((trainer, name, job, accuracy, took, np.abs(p - reference).max()))
            worst = min(worst, accuracy)
        with kerata.use_backend(trainer):
            check_saving(model, x)
    draw(model, history, picture)
    show(rows)
    difference = max(row[-1] for row in rows)
    print(f"Largest difference from NumPy's predictions: {difference:.1e}")
    if worst < 0.98 or difference > 1e-5:
        raise SystemExit("Expected an accuracy of 0.98 and a difference of 1e-5 at most")


def show(rows: list[tuple[str, str, str, float, float, float]]) -> None:
    """Print the comparison as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("trained on", "backend", "did", "accuracy", "seconds", "difference from NumPy")
    for trainer, name, job, accuracy, seconds, difference in rows:
        table.add_row(trainer, name, job, f"{accuracy:.4f}", f"{seconds:.2f}", f"{difference:.1e}")
    Console().print(table)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description="Recognise handwritten digits.")
    parser.add_argument("--backends", choices=("default", "all"), default="default")
    parser.add_argument("--picture", type=pathlib.Path, default=pathlib.Path("digits.png"))
    options = parser.parse_args()
    run = run_all if options.backends == "all" else run_default
    run(options.picture)


if __name__ == "__main__":
    main()
