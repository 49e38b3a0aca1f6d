"""Optimizers: how gradients change variables."""

from __future__ import annotations

from typing import Any

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.optimizers import schedules
from kerata.optimizers.adadelta import Adadelta
from kerata.optimizers.adafactor import Adafactor
from kerata.optimizers.adagrad import Adagrad
from kerata.optimizers.adam import Adam, AdamW
from kerata.optimizers.adamax import Adamax
from kerata.optimizers.ftrl import Ftrl
from kerata.optimizers.lamb import Lamb
from kerata.optimizers.lion import Lion
from kerata.optimizers.loss_scale_optimizer import LossScaleOptimizer
from kerata.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from kerata.optimizers.muon import Muon
from kerata.optimizers.nadam import Nadam
from kerata.optimizers.optimizer import Optimizer
from kerata.optimizers.rmsprop import RMSprop
from kerata.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from kerata.optimizers.sgd import SGD

_TABLE = table_of(
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer,
    MultiOptimizer, Muon, Nadam, OptimizerMap,
    RMSprop, SGD, ScheduleFreeAdamW,
    adamw=AdamW,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The optimizer that a name ("adam"), config, class or object stands for."""
    return lookup(identifier, _TABLE, "optimizer")


def serialize(optimizer: Optimizer) -> Any:
    """The config of an optimizer."""
    return serialize_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)
