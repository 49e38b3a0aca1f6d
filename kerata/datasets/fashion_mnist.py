"""Fashion-MNIST: 70,000 articles of clothing (Xiao, Rasul and Vollgraf, 2017), under MIT.

The classes are T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag and
Ankle boot, from 0 to 9.
"""

from __future__ import annotations

import struct

import numpy as np

from kerata.datasets.files import fetch
from kerata.datasets.splits import Split


def load_data() -> Split:
    """Load the images, downloaded to the cache on first use.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 `(60000, 28, 28)` and uint8 `(60000,)`;
        10,000 of each for testing.
    """
    train, test = (
        (_read(f"{part}-images-idx3-ubyte.gz"), _read(f"{part}-labels-idx1-ubyte.gz"))
        for part in ("train", "t10k")
    )
    return train, test


def _read(name: str) -> np.ndarray:
    """The array in an IDX file: its axes' number and sizes come first, in big-endian order."""
    import gzip

    path = fetch(name, subdir="datasets/fashion-mnist")
    with gzip.open(path, "rb") as file:
        content = file.read()
    axes = content[3]
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
