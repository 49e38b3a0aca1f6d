"""Data sets from files and arrays, under the names that Keras has them by."""

from kerata.preprocessing import image, sequence
from kerata.utils.directories import image_dataset_from_directory, text_dataset_from_directory
from kerata.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
