"""Numbers in steps, grids, and tensors like others."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from tests.ops.case import Case

_draw = np.random.default_rng(24)
X = _draw.standard_normal((3, 4)).astype("float32")
INTS = _draw.integers(-9, 9, (3, 4)).astype("int32")
BOOLS = X > 0
BRAIN = X.astype(ml_dtypes.bfloat16)
LOW = np.array([0.5, 1.0, 2.0], "float32")
HIGH = np.array([4.0, 0.25, 32.0], "float32")
ROW = np.array([2.0, 0.0, -1.5], "float32")
SCALAR = np.array(3.0, "float32")


def table() -> list[Case]:
    """The cases."""
    return [*_like(), *_spaced(), *_grids()]


def _like() -> list[Case]:
    zeros = lambda shape, dtype=None: np.zeros(shape)  # noqa: E731
    zeros_like = lambda x, dtype=None: np.zeros(x.shape)  # noqa: E731
    return [
        Case("copy", (X,), np.copy),
        Case("copy", (BOOLS,), np.copy),
        Case("empty", ((2, 3),), zeros, dtype="float32"),
        Case("empty", ((2, 0), "int32"), zeros, dtype="int32"),
        Case("empty_like", (X,), zeros_like, grad=False),
        Case("empty_like", (BRAIN, "uint8"), zeros_like, dtype="uint8"),
        Case("identity", (3,), lambda n: np.eye(n), dtype="float32"),
        Case("identity", (2, "int32"), lambda n, _: np.eye(n), dtype="int32"),
    ]


def _spaced() -> list[Case]:
    def linspace(a: Any, b: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
                 dtype: Any = None, axis: int = 0) -> Any:  # fmt: skip
        kind = int if dtype == "int32" else None
        found = np.linspace(a, b, num, endpoint, retstep, kind, axis)
        return list(found) if retstep else found

    def logspace(a: Any, b: Any, num: int = 50, endpoint: bool = True, base: Any = 10,
                 dtype: Any = None, axis: int = 0) -> Any:  # fmt: skip
        return np.logspace(a, b, num, endpoint, base, None, axis).astype(dtype or float)

    def geomspace(a: Any, b: Any, num: int = 50, endpoint: bool = True, dtype: Any = None,
                  axis: int = 0) -> Any:  # fmt: skip
        return np.geomspace(a, b, num, endpoint, None, axis).astype(dtype or float)

    real: dict[str, Any] = {"dtype": "float32"}
    both: dict[str, Any] = {"dtype": ("float32", "float32")}
    step, last = {"retstep": True}, {"axis": -1}
    return [
        Case("linspace", (0, 10), linspace, **real),
        Case("linspace", (-3, 0, 5), linspace, {"dtype": "int32"}, dtype="int32"),
        Case("linspace", (0.0, 1.0, 5, False), linspace, step, **both),
        Case("linspace", (2.0, 1.0, 1), linspace, step, **both),
        Case("linspace", (2, 1, 0), linspace, step, **both),
        Case("linspace", (0, 1, 3), linspace, {"dtype": "bfloat16"}, dtype="bfloat16"),
        Case("linspace", (LOW, HIGH, 5), linspace),
        Case("linspace", (LOW, HIGH, 4, False), linspace, {**step, **last}, **both),
        Case("linspace", (LOW, 1, 3), linspace, last, note="tensor-and-number"),
        Case("linspace", (X, LOW[:1], 1), linspace, {"axis": 1}, note="one", opens=(0,)),
        Case("linspace", (INTS, 5, 4), linspace, {"dtype": "int32", "axis": 0}, note="int"),
        Case("linspace", (BRAIN, 2.0, 3), linspace, grad=False),
        Case("logspace", (0, 2, 5), logspace, **real),
        Case("logspace", (0, 3, 4, False, 2), logspace, {"dtype": "int32"}, dtype="int32"),
        Case("logspace", (LOW, HIGH[:2].max(), 4), logspace, last),
        Case("logspace", (0.0, 1.0, 4, True, SCALAR), logspace, note="base-tensor"),
        Case("geomspace", (1, 1000, 4), geomspace, **real),
        Case("geomspace", (-1.0, -8.0, 3, False), geomspace, **real),
        Case("geomspace", (LOW, HIGH, 4), geomspace, last, tolerance=2e-6),
        Case("geomspace", (-LOW, -2.0, 5, False), geomspace, note="negative", tolerance=2e-6),
        Case("geomspace", (INTS**2 + 1, 7, 2), geomspace, **real),
    ]


def _grids() -> list[Case]:
    meshgrid = lambda xs, indexing="xy": list(np.meshgrid(*xs, indexing=indexing))  # noqa: E731
    vander = lambda x, n=None, increasing=False: np.vander(x, n, increasing)  # noqa: E731
    return [
        Case("meshgrid", ([LOW, ROW[:2]],), meshgrid),
        Case("meshgrid", ([LOW, INTS[0]], "ij"), meshgrid, dtype=("float32", "int32")),
        Case("meshgrid", ([LOW, ROW[:2], HIGH[:1]],), meshgrid),
        Case("meshgrid", ([SCALAR, X[:2, :2]],), meshgrid, note="flattened", opens=False),
        Case("meshgrid", ([LOW],), meshgrid, note="one"),
        Case("vander", (ROW,), vander, opens=False),
        Case("vander", (ROW, 4, True), vander),
        Case("vander", (INTS[0], 2), vander),
        Case("vander", (BOOLS[0], 3), vander, dtype="int32"),
        Case("vander", (BRAIN[0], 3), vander, grad=False),
    ]
