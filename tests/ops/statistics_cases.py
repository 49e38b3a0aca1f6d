"""Order statistics, differences, histograms, correlations, and what leaves out NaN."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from tests.ops.case import Case

_draw = np.random.default_rng(21)
CUBE = _draw.standard_normal((3, 4, 2)).astype("float32")
X = _draw.standard_normal((3, 5)).astype("float32")
EVEN = _draw.standard_normal((4, 6)).astype("float32")
INTS = _draw.integers(-50, 50, (3, 4)).astype("int32")
BYTES = _draw.integers(0, 255, (3, 4)).astype("uint8")
BOOLS = X > 0
HALF = X.astype("float16")
BRAIN = X.astype(ml_dtypes.bfloat16)
HOLES = np.array([[1.0, np.nan, 2.0, -3.0], [np.nan] * 4, [4.0, 5.0, 3.5, np.nan]], "float32")
EDGES = np.array([[np.nan, -np.inf, -np.inf], [np.inf, np.nan, np.inf]], "float32")
TIES = np.array([[2, 2, 1, 2], [0, 3, 3, 0]], "float32")
EMPTY = np.zeros((0, 3), "float32")
SIGNAL = _draw.standard_normal(7).astype("float32")
SHORT = _draw.standard_normal(3).astype("float32")
FOUR = _draw.standard_normal(4).astype("float32")
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def table() -> list[Case]:
    """The cases."""
    return [*_differences(), *_ordered(), *_counted(), *_correlated(), *_without_nan()]


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of NumPy without warnings of slices that are all NaN, and with lists of axes."""

    def reference(x: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(x, *args, **kwargs)

    return reference


def _differences() -> list[Case]:
    trapezoid = lambda y, x=None, dx=1.0, axis=-1: np.trapezoid(y, x, dx, axis)  # noqa: E731
    return [
        Case("ptp", (CUBE,), np.ptp, {"axis": (0, 2), "keepdims": True}),
        Case("ptp", (BYTES, 1), np.ptp),
        Case("ptp", (BOOLS, 1), lambda x, a: x.any(a) & ~x.all(a), note="bool"),
        Case("ptp", (HOLES, 1), np.ptp, note="nan"),
        Case("diff", (X,), np.diff),
        Case("diff", (CUBE, 2, 1), np.diff),
        Case("diff", (BYTES, 1, 0), np.diff, note="wraps", opens=False),
        Case("diff", (BOOLS,), np.diff, note="bool"),
        Case("diff", (X, 0), np.diff, note="none"),
        Case("diff", (CUBE, 3, -1), np.diff, note="nothing-left", grad=False),
        Case("trapezoid", (X,), trapezoid),
        Case("trapezoid", (CUBE,), trapezoid, {"dx": 0.5, "axis": 1}),
        Case("trapezoid", (CUBE, FOUR), trapezoid, {"axis": 1}, note="at"),
        Case("trapezoid", (CUBE, CUBE**2), trapezoid, {"axis": -2}, note="at-each"),
        Case("trapezoid", (INTS,), trapezoid, dtype="float32"),
        Case("trapezoid", (BRAIN,), trapezoid, grad=False),
    ]


def _ordered() -> list[Case]:
    ends = np.array([0.0, 1.0, 0.37], "float32")
    grid = np.array([[0.1, 0.5], [0.75, 0.9]], "float32")
    infinite = np.array([[1.0, np.inf, np.inf], [-np.inf, -np.inf, 2.0]], "float32")
    cases = [
        Case("quantile", (X, 0.3), np.quantile, {"axis": 1, "method": m}) for m in METHODS
    ]  # fmt: skip
    for name, f, top in (("quantile", np.quantile, 1), ("percentile", np.percentile, 100)):
        cases += [
            Case(name, (CUBE, [0.25 * top, 0.5 * top]), f, {"axis": (0, 2), "keepdims": True}),
            Case(name, (CUBE, ends * top, 1), f, note="tensor", opens=(0,), grad=False),
            Case(name, (INTS, 0.4 * top), f, dtype="float32"),
        ]
    return [
        *cases,
        Case("quantile", (X, grid, -1), np.quantile, note="matrix", opens=(0,), grad=False),
        Case("quantile", (X, 0.5, 0), np.quantile, {"method": "nearest"}, note="open-axis"),
        Case("quantile", (HOLES, 0.5, 1), np.quantile, note="nan"),
        Case("quantile", (infinite, [0.0, 0.9], 1), lambda x, q, a, method: np.array([[1, -np.inf], [np.inf, 2]]),
             {"method": "nearest"}, note="inf", opens=False),
        Case("quantile", (HALF, 0.3, 1), np.quantile, grad=False),
        Case("quantile", (BRAIN, 0.5, 1), np.quantile, grad=False),
        Case("median", (X,), np.median, {"axis": 1}),
        Case("median", (EVEN,), np.median, {"axis": 1, "keepdims": True}),
        Case("median", (CUBE,), np.median),
        Case("median", (CUBE,), np.median, {"axis": (0, -1)}),
        Case("median", (BYTES,), np.median, {"axis": 0}, dtype="float32"),
        Case("median", (infinite, 1), np.median, note="inf"),
        Case("nanmedian", (HOLES,), quiet(np.nanmedian), {"axis": 1}),
        Case("nanmedian", (HOLES,), quiet(np.nanmedian), {"keepdims": True}, grad=False),
        Case("nanquantile", (HOLES, [0.3, 0.8]), quiet(np.nanquantile), {"axis": 1}),
        Case("nanquantile", (CUBE, 0.3), np.nanquantile, {"axis": (0, 1)}),
        Case("nanquantile", (HOLES, 0.6), quiet(np.nanquantile), {"axis": 1, "method": "lower"}),
        Case("nanquantile", (INTS, 0.6), np.nanquantile, {"axis": 1}, dtype="float32"),
        Case("nanpercentile", (HOLES, 30), quiet(np.nanpercentile), {"axis": 0, "keepdims": True},
             grad=False),
        Case("nanpercentile", (BRAIN, 50.0), np.nanpercentile, {"axis": 1}, grad=False),
    ]  # fmt: skip


def _counted() -> list[Case]:
    kinds: dict[str, Any] = {"dtype": ("int32", "float32"), "grad": False}
    histogram = lambda x, bins=10, range=None: list(np.histogram(x, bins, range))  # noqa: E731
    spread = np.array([[0.0, 0.2, 0.9, 4.0], [1.1, 1.9, 2.6, 2.7]], "float32")
    numbers = spread[~np.isnan(spread)]
    holes = np.array([np.nan, 0.5, 3.2], "float32")
    return [
        Case("histogram", (spread,), histogram, **kinds),
        Case("histogram", (spread, 4), histogram, **kinds),
        Case("histogram", (INTS, 7), histogram, **kinds),
        Case("histogram", (numbers,), histogram, {"bins": 3, "range": (1, 2.5)}, **kinds),
        Case("histogram", (np.full((3,), 2.0, "float32"), 2), histogram, note="constant", **kinds),
        Case("histogram", (EMPTY, 2), histogram, note="empty", **{**kinds, "opens": False}),
        Case("histogram", (holes, 2, (0, 4)), lambda x, b, r: histogram(x[1:], b, r), note="nan",
             **kinds),
        Case("histogram", (spread.astype("float16"), 4), histogram, dtype=("int32", "float16")),
    ]  # fmt: skip


def _correlated() -> list[Case]:
    corrcoef: Any = quiet(np.corrcoef)
    constant = np.stack([SHORT, np.ones(3, "float32")])
    waves = (SIGNAL + 1j * SIGNAL[::-1]).astype("complex64")
    cases = []
    for mode in ("valid", "same", "full"):
        options = {"mode": mode}
        cases += [
            Case("correlate", (SIGNAL, SHORT), np.correlate, options, opens=(0,)),
            Case("correlate", (SHORT, SIGNAL), np.correlate, options, opens=False),
            Case("correlate", (FOUR, SIGNAL), np.correlate, options, opens=(1,)),
            Case("correlate", (waves, waves[:3]), np.correlate, options),
        ]
    return [
        *cases,
        Case("correlate", (SIGNAL, FOUR, "same"), np.correlate, opens=(0,), note="even"),
        Case("correlate", (INTS[0], INTS[1]), np.correlate, dtype="float32"),
        Case("correlate", (BRAIN[0], BRAIN[1], "full"), np.correlate, grad=False),
        Case("corrcoef", (X,), corrcoef),
        Case("corrcoef", (X[0],), corrcoef, note="one"),
        Case("corrcoef", (constant,), corrcoef, note="constant"),
        Case("corrcoef", (INTS,), corrcoef, dtype="float32"),
        Case("corrcoef", (HALF,), corrcoef, grad=False),
    ]


def _nanvar(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    return np.nanvar(x, axis=axis, keepdims=keepdims)


def _first(better: Callable[..., Any]) -> Callable[..., Any]:
    """The first place whose element no other one beats, NaN left out; -1 among NaN alone."""

    def place(row: np.ndarray) -> int:
        found = -1
        for i, value in enumerate(row):
            if not np.isnan(value) and (found < 0 or better(value, row[found])):
                found = i
        return found

    def reference(x: np.ndarray, axis: int | None = None, keepdims: bool = False) -> Any:
        if axis is None:
            return np.reshape(place(x.ravel()), (1,) * x.ndim if keepdims else ())
        found = np.apply_along_axis(place, axis, x)
        return np.expand_dims(found, axis) if keepdims else found

    return reference


def _without_nan() -> list[Case]:
    cases = []
    for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin"):
        f = quiet(getattr(np, name))
        real = name in ("nanmean", "nanvar", "nanstd")
        summed = name in ("nansum", "nanprod")
        cases += [
            Case(name, (HOLES,), f, {"axis": 1}, grad=False),
            Case(name, (HOLES,), f, {"axis": 0, "keepdims": True}, grad=False),
            Case(name, (CUBE,), f, {"axis": (0, 2)}),
            Case(name, (BYTES % 5, 1), f, note="uint8",
                 dtype="float32" if real else "uint32" if summed else "uint8"),
            Case(name, (BRAIN,), f, {"axis": 1}, grad=False),
        ]  # fmt: skip
    for name, better in (("nanargmax", np.greater), ("nanargmin", np.less)):
        for x, note in ((HOLES, "nan"), (TIES, "ties"), (EDGES, "inf"), (INTS, "int")):
            cases.append(Case(name, (x, 1), _first(better), note=note, dtype="int32"))
        cases.append(Case(name, (HOLES,), _first(better), {"keepdims": True}, dtype="int32"))
    return [
        *cases,
        Case("nanmax", (BOOLS, 1), np.nanmax),
        Case("nanmin", (EDGES, 1), np.nanmin, note="inf"),
        Case("nansum", (BOOLS, 1), np.nansum, dtype="int32"),
        Case("nanstd", (np.array([[2, np.nan, 2]], "float32"), 1), np.nanstd, note="constant",
             grad=False),
        Case("nancumsum", (HOLES, 1), np.nancumsum, grad=False),
        Case("nancumsum", (INTS,), np.nancumsum),
        Case("nancumprod", (HOLES, 0), np.nancumprod, grad=False),
        Case("nancumprod", (HOLES,), lambda x, dtype: np.nancumprod(x), {"dtype": "float16"},
             dtype="float16", grad=False),
    ]  # fmt: skip
