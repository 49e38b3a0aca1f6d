"""Models in files: `.keras` archives, `.weights.h5` files, and configs."""

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
from kerata.saving.archive import load_model, save_model
from kerata.saving.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
