"""Regularizers: penalties that are added to the loss."""

from __future__ import annotations

from typing import Any

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.regularizers.base import Regularizer
from kerata.regularizers.norms import L1, L1L2, L2
from kerata.regularizers.orthogonal import OrthogonalRegularizer

l1, l2, l1_l2 = L1, L2, L1L2
orthogonal_regularizer = OrthogonalRegularizer

_TABLE = table_of(L1, L2, L1L2, OrthogonalRegularizer, l1_l2=L1L2)


def get(identifier: Any) -> Any:
    """The regularizer that a name ("l2"), config, class, object or function stands for."""
    return lookup(identifier, _TABLE, "regularizer")


def serialize(regularizer: Any) -> Any:
    """The config of a regularizer."""
    return serialize_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)
