"""Diagonals and triangles."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.ops.case import Case

_draw = np.random.default_rng(22)
CUBE = _draw.standard_normal((3, 4, 5)).astype("float32")
X = _draw.standard_normal((3, 5)).astype("float32")
TALL = _draw.integers(-9, 9, (5, 3)).astype("int32")
BYTES = _draw.integers(0, 255, (3, 3)).astype("uint8")
BOOLS = X > 0
BRAIN = X.astype(ml_dtypes.bfloat16)
ROW = _draw.standard_normal(3).astype("float32")


def table() -> list[Case]:
    """The cases."""
    tri = lambda n, m=None, k=0, dtype=None: np.tri(n, m, k)  # noqa: E731
    cases: list[Case] = []
    for name, f in (("tril", np.tril), ("triu", np.triu)):
        cases += [Case(name, (X, k), f) for k in (0, -2, 7)]
        cases += [Case(name, (x,), f, {"k": 1}) for x in (CUBE, TALL, BYTES, BOOLS, BRAIN)]
    # An open size stands for a large one, which would bound no diagonal.
    for offset in (0, 2, -1, 9):
        cases.append(Case("diagonal", (X, offset), np.diagonal, opens=False))
    return [
        *cases,
        Case("diagonal", (TALL, -1), np.diagonal, opens=False),
        Case("diagonal", (CUBE, 1, 2, 0), np.diagonal, opens=False),
        Case("diagonal", (CUBE,), np.diagonal, {"axis1": -2, "axis2": -1}),
        Case("diagonal", (BOOLS,), np.diagonal, opens=False),
        Case("trace", (CUBE,), np.trace, {"axis1": 1, "axis2": 2}),
        Case("trace", (CUBE, -1), np.trace, opens=False),
        Case("trace", (BYTES,), np.trace, dtype="uint32"),
        Case("trace", (BRAIN,), np.trace, grad=False),
        Case("diag", (X,), np.diag, opens=False),
        Case("diag", (TALL, -2), np.diag, opens=False),
        *(Case("diag", (ROW, k), np.diag) for k in (0, 2, -1)),
        Case("diag", (BYTES[0],), np.diag),
        Case("diagflat", (X, 1), np.diagflat),
        Case("diagflat", (np.array(2.0, "float32"),), np.diagflat, note="scalar"),
        Case("tri", (3,), tri, dtype="float32"),
        Case("tri", (3, 5, 1), tri, dtype="float32"),
        Case("tri", (4, 2, -1, "int32"), tri, dtype="int32"),
    ]
