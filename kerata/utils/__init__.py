"""Helpers around models and data."""

from kerata.backend import clear_session, is_keras_tensor, standardize_dtype
from kerata.config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from kerata.core.seeds import set_random_seed
from kerata.core.serialization import (
    CustomObjectScope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from kerata.core.serialization import CustomObjectScope as custom_object_scope
from kerata.core.serialization import deserialize_object as deserialize_keras_object
from kerata.core.serialization import serialize_object as serialize_keras_object
from kerata.training.data.batch import pack_x_y_sample_weight, unpack_x_y_sample_weight
from kerata.training.data.py_dataset import PyDataset, Sequence
from kerata.training.data.sources import register_data_source
from kerata.utils import bounding_boxes
from kerata.utils.config_dict import Config
from kerata.utils.directories import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
)
from kerata.utils.download import get_file
from kerata.utils.feature_space import FeatureSpace
from kerata.utils.images import array_to_img, img_to_array, load_img, save_img
from kerata.utils.numerical import normalize, pad_sequences, to_categorical
from kerata.utils.plotting import get_source_inputs, model_to_dot, plot_model
from kerata.utils.progbar import Progbar
from kerata.utils.splitting import split_dataset
from kerata.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_data_source",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
