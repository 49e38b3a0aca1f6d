"""Handwritten digits: 1,797 images of 8 by 8 pixels that come with the package.

They are the test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998),
under CC BY 4.0; `digits.LICENSE` beside this file has the particulars.
"""

from numbers import Real
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]

_FILE = Path(__file__).with_name("digits.npz")


def load_data(
    test_split: float = 0.2, seed: int = 113
) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Load the digits, shuffled and split into a training and a test set.

    The first `int(1797 * (1 - test_split))` images after shuffling are for training, the rest
    for testing. The order follows from `seed` alone: it is that of the raw output of NumPy's
    Philox generator, which is the same on every machine and in every version of NumPy.

    Args:
        test_split: the share of the images to keep for testing, at least 0 and less than 1.
        seed: a non-negative integer from which the order follows.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, where `x` is a uint8 array of shape `(n, 8, 8)`
        with values from 0 (paper) to 16 (ink), and `y` a uint8 array of shape `(n,)` with the
        digits 0 to 9.

    Raises:
        TypeError: if `test_split` is not a number.
        ValueError: if `test_split` is not in `[0, 1)`, or `seed` is negative.

    Example:
        >>> from kerata.datasets import digits
        >>> (x_train, y_train), (x_test, y_test) = digits.load_data()
        >>> x_train.shape, y_train.shape, x_test.shape
        ((1437, 8, 8), (1437,), (360, 8, 8))
    """
    if isinstance(test_split, bool) or not isinstance(test_split, Real):
        raise TypeError(f"test_split must be a number in [0, 1), not {test_split!r}")
    if not 0 <= test_split < 1:
        raise ValueError(f"test_split must be in [0, 1), not {test_split!r}")
    with np.load(_FILE, allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    order = np.argsort(np.random.Philox(seed).random_raw(len(x)), kind="stable")
    train, test = np.split(order, [int(len(x) * (1 - test_split))])
    return (x[train], y[train]), (x[test], y[test])
