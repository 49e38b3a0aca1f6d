"""Learning-rate schedules."""

from __future__ import annotations

from typing import Any

from kerata.core.identifiers import table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from kerata.optimizers.schedules.exponential import ExponentialDecay
from kerata.optimizers.schedules.inverse_time import InverseTimeDecay
from kerata.optimizers.schedules.one_cycle import OneCycle
from kerata.optimizers.schedules.piecewise import PiecewiseConstantDecay
from kerata.optimizers.schedules.polynomial import PolynomialDecay
from kerata.optimizers.schedules.schedule import LearningRateSchedule
from kerata.optimizers.schedules.warmup_stable_decay import WarmupStableDecay

_TABLE = table_of(
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
    WarmupStableDecay,
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """The config of a schedule."""
    return serialize_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)
