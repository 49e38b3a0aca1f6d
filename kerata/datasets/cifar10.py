"""CIFAR-10: 60,000 small colour images of ten classes (Krizhevsky, 2009).

The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kerata.datasets import cifar
from kerata.datasets.files import fetch
from kerata.datasets.splits import Split


def load_data() -> Split:
    """Load the images, downloaded to the cache on first use.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(50000, 32, 32, 3)`, or channels first where
        that is the configured data format, and uint8 `(50000, 1)`; 10,000 of each for testing.
    """
    folder = Path(fetch("cifar-10-python.tar.gz", extract=True)) / "cifar-10-batches-py"
    parts = [cifar.batch(folder / f"data_batch_{n}", "labels", "uint8") for n in range(1, 6)]
    train = np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
    return cifar.in_format(train, cifar.batch(folder / "test_batch", "labels", "uint8"))
