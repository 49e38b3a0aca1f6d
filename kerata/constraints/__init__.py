"""Constraints: what weights are brought back to after each update."""

from __future__ import annotations

from typing import Any

from kerata.constraints.base import Constraint
from kerata.constraints.norms import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_TABLE = table_of(MaxNorm, MinMaxNorm, NonNeg, UnitNorm)


def get(identifier: Any) -> Any:
    """The constraint that a name ("max_norm"), config, class, object or function stands for."""
    return lookup(identifier, _TABLE, "constraint")


def serialize(constraint: Any) -> Any:
    """The config of a constraint."""
    return serialize_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)
