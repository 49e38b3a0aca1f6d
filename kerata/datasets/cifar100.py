"""CIFAR-100: 60,000 small colour images of a hundred classes in twenty (Krizhevsky, 2009)."""

from __future__ import annotations

from pathlib import Path

from kerata.datasets import cifar
from kerata.datasets.files import fetch
from kerata.datasets.splits import Split


def load_data(label_mode: str = "fine") -> Split:
    """Load the images, downloaded to the cache on first use.

    Args:
        label_mode: "fine" for the hundred classes, "coarse" for the twenty.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(50000, 32, 32, 3)`, or channels first where
        that is the configured data format, and int64 `(50000, 1)`; 10,000 of each for testing.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"load_data: label_mode must be 'fine' or 'coarse'; got {label_mode!r}")
    folder = Path(fetch("cifar-100-python.tar.gz", extract=True)) / "cifar-100-python"
    labels = f"{label_mode}_labels"
    train, test = (cifar.batch(folder / part, labels, "int64") for part in ("train", "test"))
    return cifar.in_format(train, test)
