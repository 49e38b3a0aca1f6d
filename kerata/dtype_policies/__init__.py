"""Dtype policies: in which dtypes layers compute and keep their weights."""

from __future__ import annotations

from typing import Any

from kerata.backends import dtypes
from kerata.core.identifiers import table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.dtype_policies.policy import DTypePolicy, dtype_policy, set_dtype_policy
from kerata.dtype_policies.policy_map import DTypePolicyMap
from kerata.dtype_policies.quantized import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    from_name,
)

FloatDTypePolicy = DTypePolicy

_TABLE = table_of(
    DTypePolicy, DTypePolicyMap, QuantizedDTypePolicy, QuantizedFloat8DTypePolicy, Int4DTypePolicy,
    GPTQDTypePolicy, AWQDTypePolicy, FloatDTypePolicy=DTypePolicy,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The policy that a name, a dtype, a config or a policy stands for; None is the global one.

    Raises:
        ValueError: it stands for none.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return from_name(identifier) or DTypePolicy(identifier)
    return DTypePolicy(dtypes.standardize_dtype(identifier))


def serialize(dtype_policy: DTypePolicy) -> Any:
    """The config of a policy."""
    return serialize_object(dtype_policy)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The policy that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)
