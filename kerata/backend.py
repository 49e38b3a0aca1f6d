"""`kerata.backend`: the settings and dtype helpers that Keras keeps under this name."""

from __future__ import annotations

from typing import Any

from kerata.backends import dtypes
from kerata.backends.dtypes import result_type, standardize_dtype
from kerata.backends.registry import backend
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
    """Start counting automatic names again, and free what is no longer used."""
    reset_uids()
    if free_memory:
        import gc

        gc.collect()


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
