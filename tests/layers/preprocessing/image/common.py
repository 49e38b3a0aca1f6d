"""What the tests of image layers share."""

import numpy as np

from kerata import layers

# Wider than high, so that mixing up the two shows.
IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 8, 10, 3)).astype("float32")
IMAGES.setflags(write=False)  # some layers of Keras write into their input
BOXES = np.array([[[1, 2, 4, 6], [0, 0, 10, 8]], [[5, 5, 9, 7], [2, 1, 3, 8]]], "float32")


def one(name, arguments):
    """A layer of this name."""
    return getattr(layers, name)(**arguments)
