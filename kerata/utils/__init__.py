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
from kerata.utils.numerical import normalize, pad_sequences, to_categorical
from kerata.utils.progbar import Progbar

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_data_source",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
