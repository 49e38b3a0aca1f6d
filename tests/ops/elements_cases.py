"""Trigonometry, special functions, bits, complex numbers, windows; the rest is in elementwise_cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
from scipy import special

from tests.ops.case import Case

_draw = np.random.default_rng(8)
X = _draw.standard_normal((3, 4)).astype("float32")
Y = _draw.standard_normal((3, 4)).astype("float32")
ROW = Y[0]
UNIT = np.tanh(X).astype("float32")
POSITIVE = (np.abs(X) + 0.1).astype("float32")
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.5], "float32")
OTHERS = np.array([np.inf, np.inf, 1.0, -0.0, 0.0, np.nan, -np.inf], "float32")
INTS = np.array([[7, -7, 12, -12], [8, -8, 0, 1], [3, -3, 100, -1]], "int32")
DIVISORS = np.array([[3, 3, -3, -3], [6, 2, 5, -1], [7, 0, -15, 4]], "int32")
BYTES = np.array([[0, 1, 200], [255, 17, 128]], "uint8")
LONGS = np.array([[2**31 + 5, -(2**33), 3], [2**40, -7, 0]], "int64")
WORDS = np.array([[1, 2**31, 2**32 - 1], [12, 10, 7]], "uint32")
BOOLS = np.array([[True, False], [False, True], [True, True]])
TRUTHS = np.array([[True, True], [False, False], [False, True]])
Z = (X + 1j * Y).astype("complex64")
HALF, BRAIN = X.astype("float16"), X.astype(ml_dtypes.bfloat16)
EMPTY = np.zeros((0, 3), "float32")


def table() -> list[Case]:
    """The cases."""
    return [
        *_functions(),
        *_pairs(),
        *_sorts_of_numbers(),
        *_bits(),
        *_divisors(),
        *_complex(),
        *_complex_arithmetic(),
        *_casts(),
        *_windows(),
    ]


# For each function: NumPy's, an argument in its domain, and whether complex numbers have it.
_DOMAINS: dict[str, tuple[Callable[..., Any], np.ndarray, bool]] = {
    "tan": (np.tan, UNIT, True), "arcsin": (np.arcsin, UNIT, True),
    "arccos": (np.arccos, UNIT, True), "arctan": (np.arctan, X * 3, True),
    "sinh": (np.sinh, X, True), "cosh": (np.cosh, X, True), "arcsinh": (np.arcsinh, X * 3, True),
    "arccosh": (np.arccosh, POSITIVE + 1, True), "arctanh": (np.arctanh, UNIT, True),
    "log2": (np.log2, POSITIVE, True), "log10": (np.log10, POSITIVE, True),
    "exp2": (np.exp2, X * 3, True), "erfc": (special.erfc, X, False),
    "cbrt": (np.cbrt, X * 9, False), "deg2rad": (np.deg2rad, X * 90, False),
    "rad2deg": (np.rad2deg, X, False), "sinc": (np.sinc, X * 2, False),
    "i0": (special.i0, X * 3, False), "fabs": (np.fabs, X, False),
}  # fmt: skip


def _functions() -> list[Case]:
    cases = []
    small = np.array([3e-4, -2e-3, 0.05, 0.0], "float32")
    for name, (f, x, has_complex) in _DOMAINS.items():
        cases += [
            Case(name, (x,), f),
            Case(name, (SPECIAL,), f, note="special", grad=False),
            Case(name, (np.array([0, 1, 1], "int8"),), lambda x, f=f: f(x * 1.0), dtype="float32"),
            Case(name, (x.astype(ml_dtypes.bfloat16),), f, grad=False),
        ]
        if has_complex:
            cases.append(Case(name, (Z,), f, tolerance=2e-6))
    return [
        *cases,
        Case("sinc", (small,), np.sinc, note="small"),
        Case("i0", (np.array([0.0, 15.9, 16.1, -40.0], "float32"),), special.i0, note="series",
             tolerance=2e-6),
        Case("cbrt", (np.array([27.0, -8e30, 1e-30], "float32"),), np.cbrt, exact=True, grad=False),
        Case("exp2", (np.array([100.5, -30.25, 10.0], "float32"),), np.exp2, exact=True,
             grad=False),
        Case("log2", (EMPTY,), np.log2, opens=False),
        Case("erfc", (np.array([5.0, 9.0, -1.0], "float32"),), special.erfc, tolerance=5e-6,
             exact=True, grad=False, note="tail"),
    ]  # fmt: skip


def _pairs() -> list[Case]:
    tops = np.array([7.5, -7.5, 7.5, -7.5, 6.0, -6.0, 1e8], "float32")
    bottoms = np.array([2.0, 2.0, -2.0, -2.0, 4.0, 4.0, 0.3], "float32")
    huge = np.array([3e30, -3e-30, 0.0], "float32")
    cases = []
    for name in ("arctan2", "hypot", "logaddexp", "logaddexp2", "fmax", "fmin"):
        f = getattr(np, name)
        kept = name in ("fmax", "fmin")
        cases += [
            Case(name, (X, ROW), f),
            Case(name, (SPECIAL, OTHERS), f, note="special", grad=False),
            Case(name, (INTS, 2), lambda x, y, f=f: f(x * 1.0, y), dtype="int32" if kept else
                 "float32"),
            Case(name, (BRAIN, Y.astype(ml_dtypes.bfloat16)), f, grad=False),
        ]  # fmt: skip
    return [
        *cases,
        Case("hypot", (huge, huge[::-1].copy()), np.hypot, note="huge", grad=False),
        Case("hypot", (HALF, HALF[0]), np.hypot),
        Case("logaddexp", (X, X), np.logaddexp, note="equal"),
        Case("fmod", (tops, bottoms), np.fmod, note="signs", grad=False),
        Case("fmod", (X * 4, Y), np.fmod, tolerance=1e-5),
        Case("fmod", (INTS, DIVISORS), np.fmod),
        Case("fmod", (BYTES, 7), np.fmod),
        Case("fmod", (SPECIAL, OTHERS), np.fmod, note="special", grad=False),
        Case("mod", (tops, bottoms), np.mod, note="large-quotient", grad=False),
        Case("mod", (INTS, DIVISORS), np.mod, note="by-zero"),
        Case("floor_divide", (INTS, DIVISORS), np.floor_divide, note="by-zero"),
        Case("floor_divide", (BOOLS, TRUTHS), lambda x, y: x & y, dtype="int32"),
        Case("floor_divide", (X.astype(ml_dtypes.bfloat16), 0.5), np.floor_divide, grad=False),
        Case("power", (np.array([1, -1, 2, -1, 0], "int32"), np.array([-1, -2, -3, -5, 2], "int32")),
             lambda x, y: np.array([1, 1, 0, -1, 0]), note="negative", opens=False),
        Case("power", (BOOLS, TRUTHS), lambda x, y: x | ~y, dtype="int32"),
        Case("square", (BOOLS,), lambda x: x, dtype="int32"),
        Case("heaviside", (SPECIAL, OTHERS), np.heaviside, note="special", grad=False),
        Case("heaviside", (X, ROW), np.heaviside),
        Case("heaviside", (INTS, 0.5), np.heaviside, dtype="float32"),
        Case("ldexp", (X, INTS[:, :1]), np.ldexp),
        Case("ldexp", (np.array([1e-30, 1e30, 0.0, np.inf], "float32"),
                       np.array([140, -200, 5, -3], "int32")), np.ldexp, exact=True, grad=False),
        Case("ldexp", (INTS, 3), lambda x, n: np.ldexp(x * 1.0, n), dtype="float32"),
    ]  # fmt: skip


def _sorts_of_numbers() -> list[Case]:
    """Questions about elements, and what follows from the answers."""
    cases = []
    for name in ("isneginf", "isposinf", "signbit"):
        for x in (SPECIAL, INTS, BYTES, BRAIN):
            cases.append(Case(name, (x,), getattr(np, name), dtype="bool"))
    near = (X * (1 + 4e-6)).astype("float32")
    with_nan = {"equal_nan": True}

    def replaced(x: np.ndarray, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
        top = float(np.finfo("float32").max)
        return np.nan_to_num(
            x, nan=nan, posinf=top if posinf is None else posinf,
            neginf=-top if neginf is None else neginf,
        )  # fmt: skip

    def next_after(x: np.ndarray, y: np.ndarray) -> Any:
        return np.nextafter(x.astype("float32"), y.astype("float32"))

    return [
        *cases,
        Case("isclose", (X, near), np.isclose, dtype="bool"),
        Case("isclose", (X, ROW, 0.5, 0.1), np.isclose, dtype="bool"),
        Case("isclose", (SPECIAL, SPECIAL), np.isclose, with_nan, dtype="bool"),
        Case("isclose", (SPECIAL, OTHERS), np.isclose, dtype="bool", note="special"),
        Case("isclose", (INTS, DIVISORS), np.isclose, dtype="bool"),
        Case("isclose", (Z, Z.conj()), np.isclose, dtype="bool"),
        Case("allclose", (X, near), np.allclose, dtype="bool"),
        Case("allclose", (X, ROW), np.allclose, dtype="bool"),
        Case("allclose", (SPECIAL, SPECIAL), np.allclose, with_nan, dtype="bool"),
        Case("logical_xor", (BOOLS, TRUTHS), np.logical_xor, dtype="bool"),
        Case("logical_xor", (X, np.zeros(4, "float32")), np.logical_xor, dtype="bool"),
        Case("logical_xor", (INTS, True), np.logical_xor, dtype="bool"),
        Case("nan_to_num", (SPECIAL,), replaced, grad=False),
        Case("nan_to_num", (SPECIAL, 1.0, 2.0, -3.0), replaced, grad=False),
        Case("nan_to_num", (X,), replaced),
        Case("nan_to_num", (INTS,), lambda x: x),
        Case("nan_to_num", (np.stack([SPECIAL, OTHERS], -1).view("complex64")[..., 0],), np.nan_to_num,
             {"nan": 1.0, "posinf": 2.0, "neginf": 3.0}),
        Case("trunc", (SPECIAL,), np.trunc, note="special", grad=False),
        Case("trunc", (X * 3,), np.trunc),
        Case("trunc", (INTS,), lambda x: x),
        Case("trunc", (BRAIN * 4,), np.trunc),
        Case("nextafter", (X, ROW), next_after, tolerance=1e-9, exact=True, grad=False),
        Case("nextafter", (SPECIAL[3:], OTHERS[3:]), next_after, note="special", tolerance=1e-9,
             exact=True, grad=False),
        Case("nextafter", (BRAIN, 9.0), lambda x, y: x, grad=False),
        Case("round", (INTS * 5, -1), np.round),
        Case("round", (np.array([25.0, 35.0, -15.0, 149.9], "float32"), -1), np.round, grad=False),
        Case("sign", (BOOLS,), lambda x: x),
    ]  # fmt: skip


def _bits() -> list[Case]:
    counts = np.array([[0, 3, 31, 32], [40, -1, 2, 7], [1, 1, 1, 1]], "int32")
    cases = []
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        f = getattr(np, name)
        cases += [
            Case(name, (INTS, DIVISORS), f),
            Case(name, (BYTES, BYTES[::-1].copy()), f),
            Case(name, (LONGS, 5), f),
            Case(name, (BOOLS, TRUTHS), f),
            Case(name, (INTS[:, :2], BOOLS), f, dtype="int32"),
        ]
    cases += [Case("bitwise_invert", (x,), np.invert) for x in (INTS, BYTES, LONGS, WORDS, BOOLS)]
    cases += [Case("bitwise_not", (x,), np.invert) for x in (INTS, WORDS)]
    for name, f in (("left_shift", np.left_shift), ("right_shift", np.right_shift)):
        cases += [
            Case(f"bitwise_{name}", (INTS, counts), f),
            Case(f"bitwise_{name}", (BYTES, np.array([1, 4, 9], "uint8")), f),
            Case(f"bitwise_{name}", (WORDS, 3), f),
            Case(f"bitwise_{name}", (BOOLS, True), f, dtype="int32"),
            Case(name, (INTS, counts), f),
            Case(name, (WORDS, 3), f),
        ]
    return cases


def _divisors() -> list[Case]:
    cases = []
    for name in ("gcd", "lcm"):
        f = getattr(np, name)
        cases += [
            Case(name, (INTS, DIVISORS), f),
            Case(name, (BYTES, np.array([30, 4, 75], "uint8")), f, note="wraps"),
            Case(name, (LONGS // 8, 6), f),
            Case(name, (INTS[:, :1], np.array([4, 6], "int32")), f, note="broadcast"),
        ]
    return cases


def _complex() -> list[Case]:
    pairs = _draw.standard_normal((3, 4, 2)).astype("float32")

    def joined(x: np.ndarray) -> np.ndarray:
        return x[..., 0] + 1j * x[..., 1]

    def reinterpreted(x: np.ndarray, dtype: Any, own: str = "float32") -> np.ndarray:
        return x.astype(own).view(dtype) if x.dtype.kind == "f" else x.view(dtype)

    parts = [
        Case(name, (x,), getattr(np, name), dtype=str(x.real.dtype))
        for name in ("real", "imag")
        for x in (Z, X, INTS, BOOLS)
    ]
    conjugates = [
        Case(name, (x,), lambda x: x if x.dtype == bool else np.conj(x))
        for name, x in (("conj", Z), ("conj", X), ("conj", BOOLS), ("conjugate", Z))
    ]
    return [
        *parts,
        *conjugates,
        Case("angle", (Z,), np.angle, dtype="float32"),
        Case("angle", (SPECIAL,), np.angle, note="special", grad=False),
        Case("angle", (INTS,), np.angle, dtype="float32"),
        Case("angle", (X,), np.angle),
        Case("isreal", (Z * np.array([0, 1, 0, 1]),), np.isreal, dtype="bool"),
        Case("isreal", (SPECIAL,), np.isreal, dtype="bool"),
        Case("polar", (POSITIVE, X), lambda r, a: r * np.exp(1j * a), dtype="complex64"),
        Case("polar", (HALF, ROW.astype("float16")), lambda r, a: r * np.exp(1j * a),
             dtype="complex64", tolerance=1e-3),
        Case("polar", (X.astype("float64"), 0.5), lambda r, a: r * np.exp(1j * a),
             dtype="complex128"),
        Case("view_as_complex", (pairs,), joined, dtype="complex64"),
        Case("view_as_complex", (pairs.astype("float64"),), joined, dtype="complex128"),
        Case("view_as_complex", (pairs.astype(ml_dtypes.bfloat16),), joined, dtype="complex64"),
        Case("view_as_complex", (INTS[:, :2],), joined, dtype="complex64", note="int32"),
        Case("view_as_real", (Z,), lambda z: np.stack([z.real, z.imag], -1), dtype="float32"),
        Case("view_as_real", (X,), lambda x: np.stack([x, 0 * x], -1)),
        Case("view", (X, "int32"), reinterpreted, dtype="int32"),
        Case("view", (X, "uint8"), reinterpreted, dtype="uint8"),
        Case("view", (X, "int16"), reinterpreted, dtype="int16"),
        Case("view", (BYTES.repeat(4, 1), "float32"), lambda x, d: x.view(d), dtype="float32"),
        Case("view", (HALF, "uint16"), lambda x, d: reinterpreted(x, d, "float16"),
             dtype="uint16"),
        Case("view", (BOOLS, "uint8"), reinterpreted, dtype="uint8"),
        Case("view", (np.array([[0, 1], [1, 0]], "uint8"), "bool"), reinterpreted, dtype="bool"),
        Case("view", (Z, "float32"), reinterpreted, dtype="float32"),
        Case("view", (X,), lambda x: x),
        Case("view", (np.array(1.5, "float32"), "int32"), reinterpreted, dtype="int32"),
    ]  # fmt: skip


def _complex_arithmetic() -> list[Case]:
    """Operations of other families on complex numbers."""
    w = (Y + 1j * X).astype("complex64")
    cases = [
        Case(name, (Z, w), getattr(np, name), tolerance=2e-6)
        for name in ("add", "subtract", "multiply", "true_divide", "power", "maximum", "minimum")
    ]
    cases += [
        Case(name, (Z, w), getattr(np, name), dtype="bool")
        for name in ("equal", "not_equal", "less", "greater_equal")
    ]
    for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "square",
                 "negative", "reciprocal", "round", "isnan", "isfinite", "isinf"):  # fmt: skip
        dtype = "bool" if name.startswith("is") else "complex64"
        cases.append(Case(name, (Z,), getattr(np, name), dtype=dtype, tolerance=2e-6))
    return [
        *cases,
        Case("rsqrt", (Z,), lambda z: 1 / np.sqrt(z)),
        Case("sign", (Z,), lambda z: z / np.abs(z)),
        Case("absolute", (Z,), np.abs, dtype="float32"),
        Case("multiply", (Z, X), np.multiply, dtype="complex64"),
        Case("add", (Z, 2), np.add),
        Case("power", (Z, 2), np.power),
        Case("equal", (Z, 1.5), np.equal, dtype="bool"),
        Case("where", (X > 0, Z, X), np.where, dtype="complex64"),
        Case("logical_and", (Z * np.array([0, 1j, 1, 1]), True), np.logical_and, dtype="bool"),
        Case("cast", (Z, "float32"), lambda z, _: z.real, dtype="float32"),
        Case("cast", (Z * 1j * np.array([0, 1, 0, 1]), "bool"), lambda z, _: z != 0, dtype="bool"),
        Case("cast", (X, "complex64"), lambda x, _: x, dtype="complex64"),
        Case("sum", (Z, 0), np.sum), Case("mean", (Z, 1), np.mean), Case("prod", (Z, 0), np.prod),
        Case("matmul", (Z, w.T.copy()), np.matmul, opens=(0,)),
    ]  # fmt: skip


def _casts() -> list[Case]:
    floats = np.array([-3.7, 300.5, 1e10, -1e30, np.inf, -np.inf, np.nan, 7.0], "float32")
    whole = np.array([-300, 300, 7, 2**31 - 1, -1], "int32")

    def saturated(x: np.ndarray, dtype: str) -> np.ndarray:
        info = np.iinfo(dtype)
        return np.array([
            0 if np.isnan(v) else info.max if v >= info.max else max(int(v), info.min)
            if v > info.min else info.min for v in x.tolist()
        ])  # fmt: skip

    def finite(x: np.ndarray, dtype: str) -> np.ndarray:
        top = float(ml_dtypes.finfo(dtype).max)
        return np.clip(x, -top, top)

    cases = [
        Case("saturate_cast", (x, dtype), saturated, dtype=dtype)
        for x in (floats, whole)
        for dtype in ("uint8", "int8", "int32", "uint32")
    ]
    return [
        *cases,
        Case("saturate_cast", (floats, "float16"), finite, dtype="float16", grad=False),
        Case("saturate_cast", (floats, "bool"), lambda x, _: ~(x < 0.5) & ~np.isnan(x),
             dtype="bool"),
        Case("saturate_cast", (X, "float64"), lambda x, _: x, dtype="float64", grad=False),
        Case("saturate_cast", (Z, "float32"), lambda z, _: z.real, dtype="float32"),
        Case("clip", (X.astype("float64"), 0.1, 0.7), np.clip, tolerance=1e-15, note="float64"),
        Case("clip", (BOOLS, False, True), lambda x, a, b: x),
    ]  # fmt: skip


def _windows() -> list[Case]:
    return [
        Case(name, (n, *more), getattr(np, name), dtype="float32")
        for name, more in (
            ("bartlett", ()), ("blackman", ()), ("hamming", ()), ("hanning", ()), ("kaiser", (8.5,)),
        )
        for n in (0, 1, 7)
    ]  # fmt: skip
