"""Sums, means, extremes, running sums, norms."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from scipy import special

from tests.ops.case import Case

_draw = np.random.default_rng(2)
CUBE = _draw.standard_normal((3, 4, 2)).astype("float32")
X = _draw.standard_normal((3, 4)).astype("float32")
INTS = _draw.integers(-50, 50, (3, 4)).astype("int32")
LONGS = _draw.integers(-(2**40), 2**40, (3, 4))
BYTES = _draw.integers(0, 255, (3, 4)).astype("uint8")
SHORTS = _draw.integers(-128, 127, (3, 4)).astype("int8")
BOOLS = X > 0
BRAIN = X.astype(ml_dtypes.bfloat16)
HALF = X.astype("float16")
HOLES = np.array([[1.0, np.nan, 2.0], [np.inf, 1.0, -1.0], [-np.inf, 5.0, 3.0]], "float32")
BOTH = np.array([[np.inf, -np.inf], [np.inf, np.inf]], "float32")
EMPTY = np.zeros((3, 0), "float32")
NONE = np.zeros((0, 3), "float32")
TIES = np.array([[1, 3, 3, 0], [2, 2, 2, 2], [0, -1, -1, 0]], "float32")

AXES: tuple[dict[str, Any], ...] = (
    {}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}, {"axis": [-1, 1]},
    {"axis": (1,), "keepdims": True}, {"keepdims": True}, {"axis": ()},
)  # fmt: skip


def table() -> list[Case]:
    """The cases."""
    return [*_sums(), *_extremes(), *_logic(), *_places(), *_running(), *_moments(), *_norms()]


def tuple_axis(f: Any, **fixed: Any) -> Any:
    """NumPy's reduction, which takes no lists of axes."""

    def reference(x: np.ndarray, axis: Any = None, keepdims: bool = False, **rest: Any) -> Any:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return f(x, axis=axis, keepdims=keepdims, **fixed, **rest)

    reference.__name__ = getattr(f, "__name__", "reference")
    return reference


def _sums() -> list[Case]:
    cases = []
    for name, f in (("sum", np.sum), ("prod", np.prod), ("mean", np.mean)):
        reference = tuple_axis(f)
        for options in AXES:
            cases.append(Case(name, (CUBE,), reference, options))
        cases += [
            Case(name, (HOLES,), reference, {"axis": 1}, note="nan-inf", dtype="float32"),
            Case(name, (BOTH,), reference, {"axis": 0}, note="inf-minus-inf", dtype="float32"),
            Case(name, (EMPTY,), reference, {"axis": 1}, note="no-elements", grad=False),
            Case(name, (NONE,), reference, {"axis": 1}, note="no-rows", opens=False),
            Case(name, (np.array(2.5, "float32"),), reference, note="scalar"),
            Case(name, (BRAIN,), reference, {"axis": 0}, grad=False),
            Case(name, (np.abs(HALF),), reference, grad=False),
        ]
    many, once = np.full((4096,), 1.0, ml_dtypes.bfloat16), np.full((300,), 1.0, ml_dtypes.bfloat16)
    for x, dtype in (
        (INTS, "int32"), (LONGS, "int64"), (BYTES, "uint32"), (SHORTS, "int32"), (BOOLS, "int32"),
    ):  # fmt: skip
        cases.append(Case("sum", (x, 0), np.sum, dtype=dtype))
        small = (x % 3).astype(x.dtype) if x.dtype.kind in "iu" else x
        cases.append(Case("prod", (small, 1), np.prod, dtype=dtype))
        cases.append(Case("mean", (x, 1), np.mean, dtype="float32"))
    return [
        *cases,
        Case("sum", (many,), np.sum, note="bfloat16-many", grad=False),
        Case("mean", (many,), np.mean, note="bfloat16-many", grad=False),
        Case("cumsum", (once, 0), np.cumsum, note="bfloat16-many", grad=False),
        Case("prod", (INTS, 0), lambda x, _, dtype: np.prod(x, 0, float), {"dtype": "float32"},
             dtype="float32", grad=False),
        Case("count_nonzero", (INTS % 3, 0), np.count_nonzero, dtype="int32"),
        Case("count_nonzero", (X,), np.count_nonzero, dtype="int32"),
        Case("count_nonzero", (BOOLS, (0, 1)), np.count_nonzero, dtype="int32"),
    ]  # fmt: skip


def _extremes() -> list[Case]:
    cases = []
    for name, f in (("max", np.max), ("min", np.min)):
        reference = tuple_axis(f)
        for options in AXES:
            cases.append(Case(name, (CUBE,), reference, options))
        for x in (INTS, LONGS, BYTES, SHORTS, BOOLS, BRAIN):
            cases.append(Case(name, (x,), reference, {"axis": 1}, grad=False))
        cases += [
            Case(name, (HOLES,), reference, {"axis": 1}, note="nan"),
            Case(name, (BOTH,), reference, {"axis": 1}, note="inf"),
            Case(name, (X,), reference, {"axis": 0, "initial": 0.25}),
            Case(name, (INTS,), reference, {"initial": 7}),
            Case(
                name,
                (EMPTY,),
                reference,
                {"axis": 1, "initial": 2.0},
                note="no-elements",
                grad=False,
            ),
            Case(name, (NONE,), reference, {"axis": 1}, note="no-rows", opens=False),
            Case(f"a{name}", (CUBE,), reference, {"axis": (0, -1), "keepdims": True}),
            Case(f"a{name}", (HOLES,), reference, {"axis": 1}, note="nan"),
        ]
    return cases


def _logic() -> list[Case]:
    cases = []
    for name, f in (("any", np.any), ("all", np.all)):
        reference = tuple_axis(f)
        for options in AXES:
            cases.append(Case(name, (CUBE > -0.5,), reference, options, dtype="bool"))
        cases += [
            Case(name, (INTS % 2,), reference, {"axis": 0}, dtype="bool"),
            Case(name, (np.array([[0.0, np.nan], [0.5, 0.0]], "float32"),), reference, {"axis": 1},
                 dtype="bool", note="nan-is-true"),
            Case(name, (EMPTY,), reference, {"axis": 1}, dtype="bool", note="no-elements"),
        ]  # fmt: skip
    return cases


def _places() -> list[Case]:
    cases = []
    for name, f in (("argmax", np.argmax), ("argmin", np.argmin)):
        for options in ({}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"keepdims": True}):
            cases.append(Case(name, (TIES,), f, options, dtype="int32", note="ties"))
        cases.append(Case(name, (CUBE,), f, {"axis": 1}, dtype="int32"))
        for x in (INTS, LONGS, BYTES, BOOLS, BRAIN):
            cases.append(Case(name, (x,), f, {"axis": 1}, dtype="int32"))
        cases.append(Case(name, (HOLES,), f, {"axis": 1}, dtype="int32", note="nan"))
        cases.append(Case(name, (BOTH,), f, {"axis": 1}, dtype="int32", note="inf"))
    return cases


def _running() -> list[Case]:
    cases = [Case("cumsum", (CUBE,), np.cumsum, {"axis": a}) for a in (0, 1, -1)]
    for x, dtype in ((INTS, "int32"), (BOOLS, "int32"), (BYTES, "uint32"), (LONGS, "int64")):
        cases.append(Case("cumsum", (x,), np.cumsum, {"axis": 1}, dtype=dtype))
    zeros = np.array([[2.0, 0.0, 3.0, 0.0], [0.0, 1.5, -1.0, 2.0]], "float32")
    small = (BYTES % 4).astype("uint8")
    cases += [
        Case("cumprod", (CUBE,), np.cumprod, {"axis": 1}),
        Case("cumprod", (X,), np.cumprod, note="flattened"),
        Case("cumprod", (zeros, -1), np.cumprod, note="zeros"),
        Case("cumprod", (HOLES, 1), np.cumprod, note="nan-inf"),
        Case("cumprod", (EMPTY, 1), np.cumprod, note="empty"),
        Case("cumprod", (small, 0), np.cumprod, dtype="uint32"),
        Case("cumprod", (BOOLS, 1), np.cumprod, dtype="int32"),
        Case("cumprod", (BRAIN, 1), np.cumprod, grad=False),
        Case("cumprod", (SHORTS % 3, 1), lambda x, axis, dtype: np.cumprod(x, axis, float),
             {"dtype": "float16"}, dtype="float16"),
    ]  # fmt: skip
    return [
        *cases,
        Case("cumsum", (X,), np.cumsum, note="flattened"),
        Case("cumsum", (HOLES,), np.cumsum, {"axis": 1}, note="nan-inf"),
        Case("cumsum", (EMPTY,), np.cumsum, {"axis": 1}, note="empty"),
        Case("cumsum", (BYTES,), lambda x, axis, dtype: np.cumsum(x, axis, float),
             {"axis": 0, "dtype": "float32"}, dtype="float32"),
    ]  # fmt: skip


def _logsumexp(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    return special.logsumexp(x, axis=axis, keepdims=keepdims)


def _moments() -> list[Case]:
    cases = []
    for name, f in (("var", np.var), ("std", np.std), ("logsumexp", _logsumexp)):
        reference = tuple_axis(f)
        for options in AXES:
            constant = options == {"axis": ()} and name != "logsumexp"
            cases.append(Case(name, (CUBE,), reference, options, grad=False if constant else None))
        cases.append(Case(name, (INTS, 0), f, dtype="float32", note="int"))
        cases.append(Case(name, (X + 100, 1), f, note="far-from-0", tolerance=1e-4))
    near = (np.arange(64) % 3 + 256).astype(ml_dtypes.bfloat16)
    infinite = np.array([[-np.inf, -np.inf], [np.inf, 0.0], [-np.inf, 3.0]], "float32")
    heavy = np.array([0.5, 1.0, 2.0, 0.0], "float32")
    return [
        *cases,
        Case("std", (np.ones((3, 4), "float32"), 1), np.std, note="constant",
             grad=False),
        Case("var", (near,), np.var, note="bfloat16", grad=False),
        Case("std", (near,), np.std, note="bfloat16", grad=False),
        Case("logsumexp", (near,), _logsumexp, note="bfloat16", grad=False),
        Case("logsumexp", (X * 100, 1), _logsumexp, note="no-overflow"),
        Case("logsumexp", (infinite, 1), _logsumexp, note="inf"),
        Case("logsumexp", (HOLES, 1), _logsumexp, note="nan"),
        Case("average", (X,), np.average),
        Case("average", (CUBE, 1), np.average),
        Case("average", (X, 1, heavy), np.average),
        Case("average", (CUBE, 1), np.average, {"weights": heavy}),
        Case("average", (CUBE, -2), np.average, {"weights": np.abs(CUBE)}),
        Case("average", (X,), np.average, {"weights": np.abs(X)}),
        Case("average", (HOLES[1:], 1), np.average, {"weights": heavy[:3]}, note="inf"),
        Case("average", (CUBE, (1, 2)), np.average, {"weights": np.abs(CUBE[0]) + 0.1}),
        Case("average", (BRAIN, 1, heavy.astype(ml_dtypes.bfloat16)), np.average, grad=False),
        Case("average", (INTS, 0), np.average, dtype="float32"),
        Case("average", (INTS, 1, np.array([1, 2, 3, 4], "int32")), np.average, dtype="float32"),
    ]  # fmt: skip


def _norm(x: np.ndarray, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    size = np.abs(x)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdims).astype(float)
    p = 2 if ord in (None, "fro", "euclidean") else ord
    return np.sum(size**p, axis=axis, keepdims=keepdims) ** (1 / p)


def _norms() -> list[Case]:
    cases = [
        Case("norm", (X,), _norm, {"ord": ord, "axis": 1})
        for ord in (None, 2, 1, 3, 0.5, np.inf, -np.inf, 0, "euclidean")
    ]
    return [
        *cases,
        Case("norm", (CUBE,), _norm),
        Case("norm", (CUBE,), _norm, {"ord": "fro", "axis": (0, 2), "keepdims": True}),
        Case("norm", (CUBE, 2, -1, True), _norm),
        Case("norm", (INTS,), _norm, {"axis": 0}, dtype="float32"),
        Case("norm", (np.zeros((3, 2), "float32"), 2, 1), _norm, grad=False, note="zero"),
    ]
