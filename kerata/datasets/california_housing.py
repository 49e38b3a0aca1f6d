"""California housing: prices of houses in 20,640 blocks (Pace and Barry, 1997)."""

from __future__ import annotations

import numpy as np

from kerata.datasets.files import fetch
from kerata.datasets.splits import Split, shuffled, split_at

_SMALL = 600


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Load the blocks, downloaded to the cache on first use.

    Args:
        version: "large" for all, "small" for the first 600.
        path: the name of the file in the cache.
        test_split: the share of the blocks for testing.
        seed: what the order follows from, as in Keras.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: floats `(blocks, 8)` and `(blocks,)`, median prices
        in dollars.
    """
    if version not in ("small", "large"):
        raise ValueError(f"load_data: version must be 'small' or 'large'; got {version!r}")
    with np.load(fetch("california_housing.npz", path), allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    count = _SMALL if version == "small" else len(x)
    x, y = shuffled(np.random.RandomState(seed), x[:count], y[:count])
    return split_at(x, y, test_split)
