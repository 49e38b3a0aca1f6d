"""Optimizers: how gradients change variables."""

from __future__ import annotations

from typing import Any

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.optimizers import schedules
from kerata.optimizers.adam import Adam, AdamW
from kerata.optimizers.loss_scale_optimizer import LossScaleOptimizer
from kerata.optimizers.optimizer import Optimizer
from kerata.optimizers.rmsprop import RMSprop
from kerata.optimizers.sgd import SGD

_TABLE = table_of(SGD, RMSprop, Adam, AdamW, LossScaleOptimizer, adamw=AdamW)


def get(identifier: Any) -> Any:
    """The optimizer that a name ("adam"), config, class or object stands for."""
    return lookup(identifier, _TABLE, "optimizer")


def serialize(optimizer: Optimizer) -> Any:
    """The config of an optimizer."""
    return serialize_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)
