"""Layers as configs and back."""

from __future__ import annotations

from typing import Any

import kerata.layers
from kerata.core.serialization import CustomObjectScope, deserialize_object, serialize_object
from kerata.layers.layer import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as numbers, strings, lists and dictionaries.

    >>> serialize(Layer(name="a"))["class_name"]
    'Layer'
    """
    config: dict[str, Any] = serialize_object(layer)
    return config


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer that a config describes.

    Args:
        config: what `serialize` returned, here or in Keras.
        custom_objects: classes and functions by the names that they have in the config.

    Raises:
        TypeError: it names a class or function that is not known.
        ValueError: it describes no layer.

    >>> deserialize(serialize(Layer(name="a"))).name
    'a'
    """
    found = deserialize_object(config, custom_objects, table=vars(kerata.layers))
    if not isinstance(found, Layer):
        raise ValueError(f"layers.deserialize: the config describes no layer: {config!r}")
    return found


def remade(layer: Any, **changes: Any) -> Any:
    """A layer from this one's config, changed; the classes in it need not be registered."""
    library = __name__.split(".")[0] + "."
    classes = {type(each).__name__: type(each) for each in layer._flatten_layers()}
    own = {n: c for n, c in classes.items() if not c.__module__.startswith(library)}
    with CustomObjectScope(own):
        return type(layer).from_config(layer.get_config() | changes)
