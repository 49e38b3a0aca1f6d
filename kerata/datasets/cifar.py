"""The format of the CIFAR data sets."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from kerata import config
from kerata.datasets.splits import Split


def batch(path: Path, labels: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of a file: uint8 `(images, 3, 32, 32)`, and `(images, 1)`."""
    with path.open("rb") as file:
        found = pickle.load(file, encoding="bytes")
    images = np.asarray(found[b"data"], np.uint8).reshape(-1, 3, 32, 32)
    return images, np.asarray(found[labels.encode()], dtype)[:, None]


def in_format(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> Split:
    """The images with their channels where the configured data format has them."""
    if config.image_data_format() == "channels_first":
        return train, test
    (x_train, y_train), (x_test, y_test) = train, test
    return (x_train.transpose(0, 2, 3, 1), y_train), (x_test.transpose(0, 2, 3, 1), y_test)
