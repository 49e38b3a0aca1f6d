"""Dtypes by name, and the one promotion table that every backend follows.

Promotion is JAX's lattice (https://docs.jax.dev/en/latest/type_promotion.html): Python scalars are
weak, they take the dtype of what they meet and only force its kind (`int`, `float`, `complex`).
"""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np

from kerata import config

FLOATS = ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "float32", "float64")
INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
COMPLEX = ("complex64", "complex128")
ALL = ("bool", *INTEGERS, *FLOATS, *COMPLEX)
STRINGS = ("string",)

# Each dtype with those directly above it; "int", "float" and "complex" stand for weak scalars.
_ABOVE: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("uint16", "int16"),
    "uint16": ("uint32", "int32"),
    "uint32": ("uint64", "int64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("complex", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"),
    "float8_e4m3fn": ("bfloat16", "float16"),
    "float8_e5m2": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_NUMPY_EXTRA = {
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
}
_PYTHON = {bool: "bool", int: "int32", complex: "complex64", str: "string"}
WEAK = {bool: "bool", int: "int", float: "float", complex: "complex"}


@functools.cache
def _upper(dtype: str) -> frozenset[str]:
    if dtype not in _ABOVE:
        raise TypeError(f"Tensors of {dtype}s can't be calculated with")
    above = {dtype}
    for name in _ABOVE[dtype]:
        above |= _upper(name)
    return frozenset(above)


@functools.cache
def promote(*dtypes: str) -> str:
    """The least dtype above all of `dtypes`; weak kinds are "int", "float", "complex".

    >>> promote("int32", "float"), promote("bfloat16", "float16"), promote("int8", "uint8")
    ('float', 'float32', 'int16')

    Raises:
        ValueError: there is none (for the two kinds of float8).
    """
    shared = frozenset.intersection(*(_upper(d) for d in dtypes))
    for dtype in shared:
        if shared <= _upper(dtype):
            return dtype
    raise ValueError(f"{' and '.join(dtypes)} promote to no one dtype: cast them first")


def strong(dtype: str) -> str:
    """A weak kind's default dtype: "int" is int32, "float" is `config.floatx()`."""
    if dtype == "float":
        return config.floatx()
    return {"int": "int32", "complex": "complex64"}.get(dtype, dtype)


def result_type(*dtypes: Any) -> str:
    """The dtype that operations give for operands of these dtypes.

    Args:
        dtypes: names, NumPy or engine dtypes, tensors, or the Python types `bool`, `int`, `float`,
            `complex`, which are weak. None counts as weak `float`.

    >>> result_type("int32", "float32"), result_type("bfloat16", float), result_type("int8", int)
    ('float32', 'bfloat16', 'int8')
    """
    if not dtypes:
        return config.floatx()
    names = []
    for dtype in dtypes:
        if dtype is None:
            names.append("float")
        elif isinstance(dtype, type) and dtype in WEAK:
            names.append(WEAK[dtype])
        elif type(dtype) in WEAK:
            names.append(WEAK[type(dtype)])
        else:
            names.append(standardize_dtype(getattr(dtype, "dtype", dtype)))
    return strong(promote(*names))


# A table for each kind of dtype, as torch's compiler can't hash those of other engines.
_names: dict[str, dict[Any, str]] = {"str": {name: name for name in (*ALL, *STRINGS)}}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy, JAX, torch or TensorFlow dtype, or a type.

    Raises:
        ValueError: it stands for no dtype that tensors have.
    """
    if dtype is None:
        return config.floatx()
    try:
        return _names[type(dtype).__name__][dtype]
    except (KeyError, TypeError):
        pass
    if dtype is float:
        return config.floatx()
    if dtype in _PYTHON:
        return _PYTHON[dtype]
    name = str(getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or dtype)
    name = {"bool_": "bool", "half": "float16", "float": config.floatx(), "int": "int32"}.get(
        name.removeprefix("torch."), name.removeprefix("torch.")
    )
    if name.startswith(("str", "bytes")) or name == "object":
        name = "string"
    if name not in ALL and name != "string":
        raise ValueError(f"dtype must be one of {', '.join(ALL)}; got {dtype!r}")
    if not isinstance(dtype, str):
        _names.setdefault(type(dtype).__name__, {})[dtype] = name
    return name


@functools.cache
def numpy_dtype(name: str) -> np.dtype[Any]:
    """NumPy's dtype for a name; bfloat16 and float8 are `ml_dtypes`' own."""
    if name == "string":
        raise TypeError("There are no tensors of text here: make numbers of it first")
    return np.dtype(_NUMPY_EXTRA.get(name, name))


def is_float(name: str) -> bool:
    """Whether the dtype named `name` is a floating one."""
    return name in FLOATS


def is_integer(name: str) -> bool:
    """Whether the dtype named `name` is a signed or unsigned integer."""
    return name in INTEGERS


def is_complex(name: str) -> bool:
    """Whether the dtype named `name` is a complex one."""
    return name in COMPLEX


@functools.cache
def size(name: str) -> int:
    """Bytes an element."""
    return numpy_dtype(name).itemsize


def bounds(name: str) -> tuple[float, float]:
    """The least and the largest finite value of a dtype."""
    if is_integer(name):
        info = np.iinfo(numpy_dtype(name))
        return int(info.min), int(info.max)
    finfo = ml_dtypes.finfo(numpy_dtype(name))
    return float(finfo.min), float(finfo.max)
