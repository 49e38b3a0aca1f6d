"""Data frames and series of pandas and polars as arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerata.backends.kinds import is_a
from kerata.core.text import as_strings, is_text

_LIBRARIES = ("pandas", "polars")


def is_table(x: Any) -> bool:
    """Whether `x` is a data frame; imports nothing."""
    return any(is_a(x, library, "DataFrame") for library in _LIBRARIES)


def is_frame(x: Any) -> bool:
    """Whether `x` is a data frame, a series or an index; imports nothing."""
    return any(is_a(x, library, "DataFrame", "Series", "Index") for library in _LIBRARIES)


def _columns(table: Any) -> Iterator[tuple[Any, Any]]:
    for i, name in enumerate(table.columns):
        yield name, table.iloc[:, i] if hasattr(table, "iloc") else table[name]


def as_columns(x: Any) -> Any:
    """A data frame as the dictionary of its columns; anything else as it is."""
    return {str(name): series for name, series in _columns(x)} if is_table(x) else x


def as_array(x: Any, name: str) -> np.ndarray:
    """A series as `(rows,)`, a data frame as `(rows, columns)` of the columns' common dtype.

    A series may hold text too.

    Missing values become NaN, in columns of integers too.

    Args:
        x: a data frame, series or index.
        name: the argument that it was given as, for messages.

    Raises:
        ValueError: columns hold something else than numbers and truth values.
    """
    if not is_table(x):
        found = _series(x)
        if found is None and is_text(x):
            return as_strings(x, name)
        if found is None:
            raise ValueError(f"{name} must hold numbers; {_described(x.name, x)}. {_REMEDY}")
        return found
    arrays, wrong = [], []
    for column, series in _columns(x):
        array = _series(series)
        if array is None:
            wrong.append(_described(column, series))
        else:
            arrays.append(array)
    if wrong:
        raise ValueError(f"{name} must hold numbers; {', '.join(wrong)}. {_REMEDY}")
    if not arrays:
        raise ValueError(f"{name} is a data frame without columns")
    return np.stack(arrays, axis=1, dtype=_common(arrays))


_REMEDY = (
    "Encode what is no number first: codes or one-hot columns (pandas.get_dummies, "
    "DataFrame.to_dummies), or a preprocessing layer for each column, given by name as in "
    "fit({'column': values, ...})"
)


def _described(column: Any, series: Any) -> str:
    return f"column {column!r} has dtype {series.dtype}"


def _common(arrays: list[np.ndarray]) -> Any:
    """The dtype of all columns together; truth values count as the numbers beside them."""
    kinds = {a.dtype for a in arrays if a.dtype.kind != "b"}
    return np.result_type(*kinds) if kinds else np.dtype(bool)


def _series(x: Any) -> np.ndarray | None:
    """The values of a series, or None where they are no numbers."""
    if isinstance(x.dtype, np.dtype):
        values = np.asarray(x)
    elif hasattr(x, "null_count"):  # polars
        values = x.to_numpy()
        if x.null_count() and values.dtype.kind == "O" and x.dtype == _polars().Boolean:
            values = x.cast(_polars().Float64).to_numpy()
    else:
        values = _extension(x)
    return values if values.dtype.kind in "biufc" else None


def _polars() -> Any:
    return sys.modules["polars"]


def _extension(x: Any) -> np.ndarray:
    """A series of one of pandas' own dtypes: nullable numbers, Arrow's, sparse ones."""
    types = sys.modules["pandas"].api.types
    if isinstance(x.dtype, sys.modules["pandas"].CategoricalDtype):
        return np.empty(0, object)
    if not types.is_numeric_dtype(x.dtype):
        return np.empty(0, object)
    if x.isna().any():
        return np.asarray(x.to_numpy(dtype="float64", na_value=np.nan))
    plain = getattr(x.dtype, "numpy_dtype", None) or getattr(x.dtype, "subtype", None)
    return np.asarray(x.to_numpy(dtype=plain))


def as_inputs(model: Any, x: Any) -> Any:
    """A data frame as the dict of its columns, where a model's inputs are named after them.

    Anything else stays as it is; of `(x, y)` and `(x, y, sample_weight)` it is about `x`.

    Raises:
        ValueError: the frame lacks a column.
    """
    if isinstance(x, (tuple, list)) and x and is_table(x[0]):
        return (as_inputs(model, x[0]), *x[1:])
    graph = getattr(model, "_graph", None)
    if not is_table(x) or graph is None or not isinstance(graph.inputs_structure, dict):
        return x
    columns, names = dict(_columns(x)), list(graph.inputs_structure)
    missing = [n for n in names if n not in columns]
    if missing:
        raise ValueError(
            f"The model's inputs are the columns {', '.join(map(repr, names))}; the data frame "
            f"lacks {', '.join(map(repr, missing))} (it has {', '.join(map(repr, columns))})"
        )
    return {n: columns[n] for n in names}
