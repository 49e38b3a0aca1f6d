"""Arithmetic, comparison, logic and the elementary functions."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from scipy import special

from tests.ops.case import Case

_draw = np.random.default_rng(1)
X = _draw.standard_normal((3, 4)).astype("float32")
Y = _draw.standard_normal((3, 4)).astype("float32")
ROW = Y[0]
COLUMN = X[:, 1:2].copy()
POSITIVE = (np.abs(X) + 0.1).astype("float32")
INTS = np.array([[7, -7, 7, -7], [8, -8, 0, 1], [3, -3, 100, -1]], "int32")
DIVISORS = np.array([[3, 3, -3, -3], [2, 2, 5, -1], [7, 7, -9, 4]], "int32")
BYTES = np.array([[0, 1, 200], [255, 17, 128]], "uint8")
LONGS = np.array([[2**31 + 5, -(2**33), 3], [2**40, -7, 0]], "int64")
BOOLS = np.array([[True, False], [False, True], [True, True]])
OTHERS = np.array([[True, True], [False, False], [False, True]])
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.5], "float32")
BRAIN = X.astype(ml_dtypes.bfloat16)
HALF = X.astype("float16")
EMPTY = np.zeros((0, 3), "float32")
TIES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.0, 7.49], "float32")


def table() -> list[Case]:
    """The cases."""
    return [
        *_arithmetic(),
        *_division(),
        *_comparison(),
        *_logic(),
        *_simple(),
        *_functions(),
        *_own(),
    ]


def _arithmetic() -> list[Case]:
    cases = []
    for name, f in (
        ("add", np.add), ("subtract", np.subtract), ("multiply", np.multiply),
        ("maximum", np.maximum), ("minimum", np.minimum),
    ):  # fmt: skip
        cases += [
            Case(name, (X, Y), f),
            Case(name, (X, ROW), f, note="broadcast-row"),
            Case(name, (COLUMN, ROW), f, note="broadcast-both"),
            Case(name, (X, np.array(1.25, "float32")), f, note="scalar-tensor"),
            Case(name, (X, 2), f),
            Case(name, (0.5, X), f),
            Case(name, (EMPTY, EMPTY[:, :1]), f, note="empty", opens=False),
            Case(name, (INTS, DIVISORS), f),
            Case(name, (INTS, X), f, dtype="float32"),
            Case(name, (BYTES, BYTES[::-1].copy()), f, note="wraps"),
            Case(name, (LONGS, LONGS[::-1].copy()), f),
            Case(name, (BRAIN, HALF), f, dtype="float32"),
            Case(name, (HALF, 0.5), f),
            Case(name, (BRAIN, 0.5), f),
            Case(name, (3, BRAIN), f),
            Case(name, (BRAIN, Y.astype(ml_dtypes.bfloat16)), f),
            Case(name, (SPECIAL, SPECIAL[::-1].copy()), f, note="nan-inf"),
        ]
    for name, f in (
        ("add", np.logical_or), ("multiply", np.logical_and),
        ("maximum", np.logical_or), ("minimum", np.logical_and),
    ):  # fmt: skip
        cases.append(Case(name, (BOOLS, OTHERS), f, note="bool"))
    return cases


def _division() -> list[Case]:
    tops = np.array([7.5, -7.5, 7.5, -7.5, 6.0, -6.0, 0.0], "float32")
    bottoms = np.array([2.0, 2.0, -2.0, -2.0, 3.0, 3.0, -1.5], "float32")
    exponents = np.array([[0, 1, 2, 3]] * 3, "int32")
    bases = np.array([0.0, 0.0, 1.0, -2.0, -2.0, np.inf, 2.0], "float32")
    powers = np.array([0.0, 2.0, np.nan, 3.0, 0.5, -1.0, -1.0], "float32")
    return [
        *(c for name in ("true_divide", "divide") for c in (
            Case(name, (X, POSITIVE), np.true_divide),
            Case(name, (INTS, DIVISORS), np.true_divide, dtype="float32"),
            Case(name, (BOOLS, 2), np.true_divide, dtype="float32"),
            Case(name, (BYTES, BRAIN[:2, :3]), np.true_divide, dtype="bfloat16"),
            Case(name, (1, POSITIVE), np.true_divide),
            Case(name, (SPECIAL, np.zeros(7, "float32")), np.true_divide, note="by-zero"),
            Case(name, (X, COLUMN), np.true_divide, note="broadcast"),
        )),
        *(c for name, f in (("floor_divide", np.floor_divide), ("mod", np.mod)) for c in (
            Case(name, (tops, bottoms), f, note="signs", grad=False),
            Case(name, (INTS, DIVISORS), f, note="signs-int32"),
            Case(name, (LONGS, np.array([3, -7, 2], "int64")), f),
            Case(name, (BYTES, np.array([3, 7, 5], "uint8")), f),
            Case(name, (INTS, 3), f),
            Case(name, (-7, DIVISORS), f),
            Case(name, (X, 0.3), f, grad=False, tolerance=1e-5),
            Case(name, (INTS, np.array([2.5, -2.5, 0.5, 3.0], "float32")), f, dtype="float32",
                 grad=False),
        )),
        Case("power", (POSITIVE, X), np.power),
        Case("power", (X, 2), np.power),
        Case("power", (X, 3.0), np.power),
        Case("power", (2.0, X), np.power),
        Case("power", (INTS, exponents), np.power),
        Case("power", (BYTES, 2), np.power, note="wraps"),
        Case("power", (INTS, 2), np.power),
        Case("power", (bases, powers), np.power, note="special"),
        Case("divide_no_nan", (X, np.where(Y > 0, Y, 0)),
             lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)), grad=False, note="zeros"),
        Case("divide_no_nan", (X, POSITIVE), np.true_divide),
        Case("divide_no_nan", (INTS, np.array([0, 2, 0, 4], "int32")),
             lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)), dtype="float32"),
        Case("reciprocal", (POSITIVE,), lambda x: 1 / x),
        Case("reciprocal", (np.array([1, 2, -4], "int32"),), lambda x: 1 / x, dtype="float32"),
        Case("reciprocal", (SPECIAL,), lambda x: 1 / x, note="special"),
    ]  # fmt: skip


def _comparison() -> list[Case]:
    cases = []
    near = np.array([2**53, 2**53 + 1], "int64")
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        f = getattr(np, name)
        some = np.where(Y > 0, X, Y)
        cases += [
            Case(name, (X, some), f, dtype="bool"),
            Case(name, (X, 0.0), f, dtype="bool"),
            Case(name, (2, INTS), f, dtype="bool"),
            Case(name, (INTS, DIVISORS), f, dtype="bool"),
            Case(name, (BOOLS, OTHERS), f, dtype="bool"),
            Case(name, (BYTES, BYTES.T.reshape(2, 3)), f, dtype="bool"),
            Case(name, (INTS, X), f, dtype="bool"),
            Case(name, (SPECIAL, SPECIAL[::-1].copy()), f, dtype="bool", note="nan-inf"),
            Case(name, (SPECIAL, SPECIAL), f, dtype="bool", note="nan-itself"),
            Case(name, (BRAIN, BRAIN[:1]), f, dtype="bool"),
            Case(
                name, (near, near[::-1].copy()), f, dtype="bool", note="beyond-float64", opens=False
            ),
            Case(name, (EMPTY, 0), f, dtype="bool", opens=False),
        ]
    return cases


def _logic() -> list[Case]:
    cases = []
    for name, f in (("logical_and", np.logical_and), ("logical_or", np.logical_or)):
        cases += [
            Case(name, (BOOLS, OTHERS), f, dtype="bool"),
            Case(name, (X, np.zeros(4, "float32")), f, dtype="bool", note="float"),
            Case(name, (INTS, BOOLS[:, :1]), f, dtype="bool"),
            Case(name, (SPECIAL, SPECIAL != 0), f, dtype="bool", note="nan-is-true"),
            Case(name, (BOOLS, True), f, dtype="bool"),
        ]
    for x in (BOOLS, INTS, SPECIAL, BYTES):
        cases.append(Case("logical_not", (x,), np.logical_not, dtype="bool"))
    condition = X > 0
    return [
        *cases,
        Case("where", (condition, X, Y), np.where, dtype="float32"),
        Case("where", (condition[:, :1], X, ROW), np.where, dtype="float32", note="broadcast"),
        Case("where", (condition, X, 0), np.where, dtype="float32"),
        Case("where", (condition, 1.5, X), np.where, dtype="float32"),
        Case("where", (condition, INTS, X), np.where, dtype="float32", note="promotes"),
        Case("where", (condition, INTS, DIVISORS), np.where, dtype="int32"),
        Case("where", (condition, 1, 0), np.where, dtype="int32", note="scalars"),
        Case("where", (condition, BRAIN, 0.0), np.where, dtype="bfloat16"),
        Case("where", (INTS, X, Y), np.where, dtype="float32", note="int-condition"),
        Case("where", (BOOLS, OTHERS, False), np.where, dtype="bool"),
    ]


def _simple() -> list[Case]:
    """Functions of one element that keep the dtype."""
    cases = []
    for name, f in (("absolute", np.abs), ("abs", np.abs), ("negative", np.negative)):
        for x in (X, INTS, LONGS, BRAIN, SPECIAL, EMPTY):
            cases.append(Case(name, (x,), f, opens=x.size > 0))
    cases += [
        Case("absolute", (BOOLS,), np.abs),
        Case("absolute", (BYTES,), np.abs),
        Case("negative", (BYTES,), np.negative, note="wraps"),
        Case("sign", (X,), np.sign),
        Case("sign", (INTS,), np.sign),
        Case("sign", (BYTES,), np.sign),
        Case("sign", (SPECIAL,), np.sign, note="special"),
        Case("square", (X,), np.square),
        Case("square", (INTS,), np.square),
        Case("stop_gradient", (INTS,), lambda x: x),
        Case("stop_gradient", (X,), lambda x: x, grad=False),
    ]
    for name, f in (("floor", np.floor), ("ceil", np.ceil), ("round", np.round)):
        for x in (X * 3, TIES, SPECIAL, INTS, BYTES, BRAIN * 4):
            cases.append(Case(name, (x,), f, grad=False if x is TIES else None))
    for decimals in (1, 2, -1):
        cases.append(Case("round", (X * 20, decimals), np.round, tolerance=1e-6, grad=False))
    for x in (X, SPECIAL, INTS, BOOLS, BRAIN):
        for name in ("isnan", "isfinite", "isinf"):
            cases.append(Case(name, (x,), getattr(np, name), dtype="bool"))
    return cases


_DOMAINS: dict[str, tuple[Any, Any, float]] = {
    "exp": (np.exp, X * 4, 1e-6), "expm1": (np.expm1, X, 1e-6), "log": (np.log, POSITIVE, 1e-6),
    "log1p": (np.log1p, POSITIVE - 0.5, 1e-6), "sqrt": (np.sqrt, POSITIVE, 1e-6),
    "rsqrt": (lambda x: 1 / np.sqrt(x), POSITIVE, 1e-6), "sin": (np.sin, X * 5, 1e-6),
    "cos": (np.cos, X * 5, 1e-6), "tanh": (np.tanh, X * 2, 1e-6), "erf": (special.erf, X * 2, 1e-6),
    "erfinv": (special.erfinv, np.tanh(X).astype("float32"), 1e-6),
}  # fmt: skip


def _functions() -> list[Case]:
    small = np.array([1e-12, -1e-7, 3e-4, -0.3, 0.0, 0.5], "float32")
    edge = np.array([-1.0, 1.0, 0.0, 0.999999, -0.9999, 1e-7, 1.5], "float32")
    cases = [
        Case("expm1", (small,), np.expm1, exact=True, note="small"),
        Case("log1p", (small,), np.log1p, exact=True, note="small"),
        Case("tanh", (small,), np.tanh, exact=True, note="small"),
        Case("erf", (small,), special.erf, exact=True, note="small"),
        Case("erfinv", (edge,), special.erfinv, note="edges", tolerance=1e-5),
    ]
    for name, (f, x, tolerance) in _DOMAINS.items():
        cases += [
            Case(name, (x,), f, tolerance=tolerance),
            Case(name, (SPECIAL,), f, note="special", grad=False, tolerance=tolerance),
            Case(name, (np.array([0, 1, 1], "int32"),), f, dtype="float32", grad=False),
            Case(name, (np.array([True, False]),), lambda x, f=f: f(x * 1.0), dtype="float32"),
            Case(name, (x.astype(ml_dtypes.bfloat16),), f, grad=False),
            Case(name, (x.astype("float16"),), f, grad=False),
            Case(name, (EMPTY,), f, opens=False),
        ]
    return cases


def _own() -> list[Case]:
    floats = np.array([-2.9, -0.5, 0.0, 0.5, 2.9, 100.7], "float32")
    cases = [
        Case("clip", (X, -0.5, 0.5), np.clip),
        Case("clip", (X, np.minimum(ROW, 0), 1), np.clip, note="tensor-bound"),
        Case("clip", (INTS, -3, 5), np.clip),
        Case("clip", (BYTES, 10, 130), np.clip),
        Case("clip", (BRAIN, -0.5, 0.5), np.clip),
        Case("clip", (SPECIAL, -1.0, 1.0), np.clip, note="special"),
        Case("cast", (floats, "int32"), lambda x, _: np.trunc(x), dtype="int32", note="truncates"),
        Case("cast", (floats, "int8"), lambda x, _: np.trunc(x), dtype="int8"),
        Case("cast", (SPECIAL, "bool"), lambda x, _: x != 0, dtype="bool", note="to-bool"),
        Case("cast", (LONGS, "int32"), lambda x, _: x.astype("int32"), dtype="int32", note="wraps"),
        Case("cast", (X, "float32"), lambda x, _: x, note="same"),
        Case("cast", (SPECIAL, "bfloat16"), lambda x, _: x, dtype="bfloat16", note="special"),
        Case("cast", (X, "bfloat16"), lambda x, _: x, dtype="bfloat16", grad=False),
    ]
    for source in (X, INTS, BOOLS, BYTES, BRAIN):
        for dtype in ("float16", "float32", "float64", "int64"):
            if source.dtype.kind in "biu" or dtype.startswith("float"):
                cases.append(Case("cast", (source, dtype), lambda x, _: x, dtype=dtype, grad=False))
    for dtype in ("uint8", "int16", "bool", "uint32"):
        cases.append(Case("cast", (BYTES, dtype), lambda x, d: x.astype(d), dtype=dtype))
    return cases
