"""MNIST: 70,000 handwritten digits (LeCun, Cortes and Burges, 1998), under CC BY-SA 3.0."""

from __future__ import annotations

import numpy as np

from kerata.datasets.files import fetch
from kerata.datasets.splits import Split


def load_data(path: str = "mnist.npz") -> Split:
    """Load the digits, downloaded to the cache on first use.

    Args:
        path: the name of the file in the cache.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(60000, 28, 28)` from 0 (paper) to 255 (ink)
        and uint8 `(60000,)`; 10,000 of each for testing.
    """
    with np.load(fetch("mnist.npz", path), allow_pickle=False) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
