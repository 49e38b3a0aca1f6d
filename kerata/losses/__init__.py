"""Losses: what training minimizes."""

from __future__ import annotations

from typing import Any

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)  # fmt: skip
from kerata.losses.loss import Loss, LossFunctionWrapper
from kerata.losses.regression import MeanSquaredError, mean_squared_error

_TABLE = table_of(
    BinaryCrossentropy, CategoricalCrossentropy, LossFunctionWrapper, MeanSquaredError,
    SparseCategoricalCrossentropy,
    binary_crossentropy, categorical_crossentropy, mean_squared_error,
    sparse_categorical_crossentropy,
    bce=binary_crossentropy, BCE=binary_crossentropy,
    mse=mean_squared_error, MSE=mean_squared_error,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The loss that a name, config, class, object or function stands for.

    A name in snake case, or its abbreviation ("mse"), stands for the function of that name, one in
    camel case for an object of the class.
    """
    return lookup(identifier, _TABLE, "loss")


def serialize(loss: Any) -> Any:
    """The config of a loss."""
    return serialize_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that a name or a config describes."""
    if isinstance(name, str):
        return get(name)
    return deserialize_object(name, custom_objects, table=_TABLE)
