"""Initializers: the first values of weights, drawn on the host and equal on every backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.initializers.base import Initializer, plan
from kerata.initializers.constant import Constant, Identity, Ones, Zeros
from kerata.initializers.orthogonal import Orthogonal
from kerata.initializers.random import RandomNormal, RandomUniform, TruncatedNormal
from kerata.initializers.stft import STFT
from kerata.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)  # fmt: skip

STFTInitializer = stft = STFT
IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
constant, ones, zeros = Constant, Ones, Zeros
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform

_TABLE = table_of(
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform,
    Ones, Orthogonal, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
    STFT=STFT, stft=STFT, STFTInitializer=STFT, IdentityInitializer=Identity,
    OrthogonalInitializer=Orthogonal, one=Ones, zero=Zeros, normal=RandomNormal,
    uniform=RandomUniform,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The initializer that a name ("he_normal"), config, class, object or function stands for."""
    return lookup(identifier, _TABLE, "initializer")


def serialize(initializer: Any) -> Any:
    """The config of an initializer."""
    return serialize_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)


def drawing(initializer: Any, shape: Sequence[int], dtype: str) -> Callable[[], np.ndarray]:
    """A function that draws a variable's first value; its seed is fixed now."""
    return plan(get(initializer), shape, dtype)
