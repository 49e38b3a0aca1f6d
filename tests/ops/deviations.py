"""What is known to deviate from the table, as data with reasons.

A deviation that no longer occurs fails its test, so that this list stays true.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.ops.case import Case

# Dtypes that a backend does not keep: JAX's default configuration has 32 bits at most.
KEPT_AS = {
    "jax": {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
}


class Deviation(NamedTuple):
    """Cases that a backend is known to fail.

    Attributes:
        backends: their names.
        case: a pattern for `str(case)`.
        checks: which tests: "value", "jit", "gradient", "body".
        reason: why it stays.
    """

    backends: tuple[str, ...]
    case: str
    checks: tuple[str, ...]
    reason: str


KNOWN: tuple[Deviation, ...] = (
    Deviation(("numpy", "openvino"), "jvp-*", ("value",), "they do not differentiate"),
)


def kept_dtype(backend: str, dtype: str) -> str:
    """The dtype that a backend has where others have `dtype`."""
    return KEPT_AS.get(backend, {}).get(dtype, dtype)


@functools.cache
def on(case: Case, backend: str) -> Case:
    """The case as a backend can have it: arrays and dtypes in the widths that it keeps."""
    if backend not in KEPT_AS:
        return case
    dtypes = tuple(kept_dtype(backend, d) for d in case.dtypes)
    arrays = [a.astype(kept_dtype(backend, str(a.dtype))) for a in case.arrays]
    if dtypes == tuple(case.dtypes) and all(map(np.array_equal, arrays, case.arrays)):
        same = all(a.dtype == b.dtype for a, b in zip(arrays, case.arrays, strict=True))
        if same:
            return case
    args, kwargs = case.rebuilt(arrays)
    return dataclasses.replace(case, args=args, kwargs=kwargs, dtype=dtypes, note=str(case))


def expected(backend: str, check: str, case: Any) -> list[Deviation]:
    """What `KNOWN` says of a case, a backend and a test."""
    return [
        d
        for d in KNOWN
        if backend in d.backends and check in d.checks and fnmatch.fnmatchcase(str(case), d.case)
    ]


@contextlib.contextmanager
def known(backend: str, check: str, case: Any) -> Iterator[None]:
    """Expect a failure inside the block where `KNOWN` says so."""
    found = expected(backend, check, case)
    if not found:
        yield
        return
    try:
        yield
    except Exception:
        pytest.xfail(found[0].reason)
    pytest.fail(f"No longer deviates, drop it from KNOWN: {found[0]}")
