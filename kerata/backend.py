"""`kerata.backend`: the settings and dtype helpers that Keras keeps under this name."""

from __future__ import annotations

import gc
from typing import Any

from kerata.backends import dtypes
from kerata.backends.dtypes import result_type, standardize_dtype
from kerata.backends.registry import backend, loaded
from kerata.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from kerata.core.names import get_uid, reset_uids
from kerata.core.symbolic import KerasTensor
from kerata.dtype_policies import set_dtype_policy


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is a floating one."""
    return dtypes.is_float(standardize_dtype(dtype))


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is a signed or unsigned integer."""
    return dtypes.is_integer(standardize_dtype(dtype))


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)


def clear_session(free_memory: bool = True) -> None:
    """Forget what building models left behind: counters of names, the global dtype policy.

    Args:
        free_memory: also collect what nothing refers to, and let the engines in use drop the
            programs and the memory that they keep for later. Models that are still referred to go
            on as they are.
    """
    reset_uids()
    set_dtype_policy(None)
    if free_memory:
        gc.collect()
        for engine in loaded():
            engine.clear()


__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
