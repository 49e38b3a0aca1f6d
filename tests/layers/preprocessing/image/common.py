"""What the tests of image layers share."""

import numpy as np
import pytest

from kerata import layers

# Wider than high, so that mixing up the two shows.
IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 8, 10, 3)).astype("float32")
IMAGES.setflags(write=False)  # some layers of Keras write into their input
BOXES = np.array([[[1, 2, 4, 6], [0, 0, 10, 8]], [[5, 5, 9, 7], [2, 1, 3, 8]]], "float32")


def one(name, arguments):
    """A layer of this name."""
    return getattr(layers, name)(**arguments)


# Every layer of images with arguments under which it does something.
EVERY = {
    "Resizing": {"height": 4, "width": 3},
    "CenterCrop": {"height": 4, "width": 3},
    "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.3},
    "RandomColorJitter": {
        "brightness_factor": 0.3, "contrast_factor": 0.3, "saturation_factor": 0.3,
        "hue_factor": 0.3,
    },
    "RandomContrast": {"factor": 0.3},
    "RandomCrop": {"height": 4, "width": 3},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.3},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 5},
    "RandomRotation": {"factor": 0.3},
    "RandomSaturation": {"factor": 0.6},
    "RandomSharpness": {"factor": 0.9},
    "RandomShear": {"x_factor": 0.3, "y_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.3},
    "Solarization": {"addition_factor": 0.3, "threshold_factor": 0.3},
    "Equalization": {},
    "AutoContrast": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {},
    "CutMix": {},
    "MixUp": {},
    "AugMix": {"num_chains": 2, "chain_depth": 1},
    "RandAugment": {},
    "MaxNumBoundingBoxes": {"max_number": 3},
}  # fmt: skip

# What an engine needs seconds to compile.
HEAVY = (
    "AugMix", "RandAugment", "RandomColorJitter", "RandomElasticTransform", "RandomErasing",
    "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "RandomPerspective",
)  # fmt: skip


def every(fits=lambda name: True):
    """The names in `EVERY` that fit, the heavy ones marked as slow."""
    slow = pytest.mark.slow
    return [pytest.param(n, marks=slow) if n in HEAVY else n for n in EVERY if fits(n)]
