"""Boston housing: prices of houses in 506 areas (Harrison and Rubinfeld, 1978).

One of its variables assumes that racial segregation raises prices: fit for discussing that, and for
little else. `california_housing` serves for regression.
"""

from __future__ import annotations

import numpy as np

from kerata.datasets.files import fetch
from kerata.datasets.splits import Split, shuffled, split_at


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """Load the areas, downloaded to the cache on first use.

    Args:
        path: the name of the file in the cache.
        test_split: the share of the areas for testing.
        seed: what the order follows from, as in Keras.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64 `(areas, 13)` and float64 `(areas,)`, median
        prices in thousands of dollars.
    """
    with np.load(fetch("boston_housing.npz", path), allow_pickle=False) as file:
        x, y = shuffled(np.random.RandomState(seed), file["x"], file["y"])
    return split_at(x, y, test_split)
