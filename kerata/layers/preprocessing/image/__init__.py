"""Layers that prepare and augment images."""

from kerata.layers.preprocessing.image.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from kerata.layers.preprocessing.image.cropping import CenterCrop, RandomCrop, Resizing
from kerata.layers.preprocessing.image.filters import RandomGaussianBlur, RandomSharpness
from kerata.layers.preprocessing.image.geometry import (
    RandomElasticTransform,
    RandomFlip,
    RandomPerspective,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from kerata.layers.preprocessing.image.histogram import (
    ContrastLimitedAdaptiveHistogramEqualization,
    Equalization,
)
from kerata.layers.preprocessing.image.mixing import CutMix, MixUp, RandomErasing
from kerata.layers.preprocessing.image.policies import (
    AugMix,
    MaxNumBoundingBoxes,
    Pipeline,
    RandAugment,
)
from kerata.layers.preprocessing.image.tone import (
    AutoContrast,
    RandomInvert,
    RandomPosterization,
    Rescaling,
    Solarization,
)

__all__ = [
    "AugMix", "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix", "Equalization", "MaxNumBoundingBoxes", "MixUp", "Pipeline", "RandAugment",
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
    "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
    "RandomZoom", "Rescaling", "Resizing", "Solarization",
]  # fmt: skip
