"""Activations: functions of one tensor that a layer applies to its output."""

from __future__ import annotations

from typing import Any

from kerata.activations.functions import (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)  # fmt: skip
from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object

swish, hard_swish = silu, hard_silu

_TABLE = table_of(
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh,
    leaky_relu, linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu,
    soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax,
    squareplus, tanh, tanh_shrink, threshold,
    swish=silu, hard_swish=hard_silu,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The activation that a name, config, function or layer stands for; None is `linear`."""
    return linear if identifier is None else lookup(identifier, _TABLE, "activation")


def serialize(activation: Any) -> Any:
    """The name of one of the library's activations, else a config."""
    name = getattr(activation, "__name__", "")
    return name if _TABLE.get(name) is activation else serialize_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation that a name or config describes."""
    if isinstance(config, str):
        return get(config)
    return deserialize_object(config, custom_objects, table=_TABLE)
