"""Stacking and splitting by NumPy's older names, turning, rolling, rearranging."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from tests.ops.case import Case

_draw = np.random.default_rng(23)
CUBE = _draw.standard_normal((3, 4, 6)).astype("float32")
X = _draw.standard_normal((3, 5)).astype("float32")
INTS = _draw.integers(-9, 9, (3, 5)).astype("int32")
BOOLS = X > 0
BRAIN = X.astype(ml_dtypes.bfloat16)
ROW = _draw.standard_normal(7).astype("float32")
EMPTY = np.zeros((0, 4), "float32")


def table() -> list[Case]:
    """The cases."""
    return [*_joined(), *_cut(), *_turned(), *_rearranged()]


def _joined() -> list[Case]:
    one = np.array(1.5, "float32")
    cases = []
    for name, f in (("hstack", np.hstack), ("vstack", np.vstack), ("dstack", np.dstack)):
        flat = ([ROW, ROW],)
        cases += [
            Case(name, ([X, X * 2],), f),
            Case(name, flat, f, note="vectors"),
            Case(name, ([one, one],), f, note="scalars"),
            Case(name, ([X, INTS],), f, note="promotes", dtype="float32"),
            Case(name, ([CUBE, CUBE],), f),
        ]
    return [
        *cases,
        Case("append", (X, INTS), np.append, dtype="float32"),
        Case("append", (X, X[:1], 0), np.append),
        Case("append", (X, X[:, :1]), np.append, {"axis": -1}),
    ]


def _cut() -> list[Case]:
    array_split = lambda x, n, axis=0: np.array_split(x, n, axis)  # noqa: E731
    return [
        Case("array_split", (ROW, 3), array_split, opens=False),
        Case("array_split", (CUBE, 4), array_split, {"axis": -1}),
        Case("array_split", (INTS, 4), array_split, note="empty-part", opens=False),
        Case("array_split", (CUBE, 2, 0), array_split, note="open"),
        Case("array_split", (CUBE, [1, 4], 2), array_split),
        Case("hsplit", (CUBE, 2), np.hsplit),
        Case("hsplit", (ROW, [2, 5]), np.hsplit, opens=False),
        Case("vsplit", (CUBE, [1]), np.vsplit, opens=False),
        Case("dsplit", (CUBE, 3), np.dsplit),
    ]


def _turned() -> list[Case]:
    cases = [
        Case("roll", (ROW, shift), np.roll, note=f"by-{shift}") for shift in (0, 2, -10)
    ]  # fmt: skip
    cases += [Case("rot90", (X, k), np.rot90) for k in (1, 2, 3, -4)]
    return [
        *cases,
        Case("roll", (CUBE, 2), np.roll, note="flattened"),
        Case("roll", (CUBE, -1, 1), np.roll),
        Case("roll", (CUBE, (1, -2), (0, 2)), np.roll),
        Case("roll", (CUBE, 1, [0, 1]), lambda x, s, a: np.roll(x, s, tuple(a))),
        Case("roll", (BOOLS, (1, 2), -1), np.roll),
        Case("roll", (EMPTY, 1, 0), np.roll, opens=False),
        Case("rot90", (CUBE,), np.rot90, {"axes": (2, 0)}),
        Case("fliplr", (X,), np.fliplr),
        Case("fliplr", (BOOLS,), np.fliplr),
        Case("flipud", (ROW,), np.flipud),
        Case("flipud", (INTS,), np.flipud),
    ]


def _rearranged() -> list[Case]:
    def case(x: Any, pattern: str, reference: Any, opens: bool = True, **lengths: int) -> Case:
        call = (x, pattern, lengths)
        return Case("rearrange", call, lambda x, *_: reference(x), opens=opens,
                    note=pattern.replace(" ", "_"))  # fmt: skip

    def patches(x: np.ndarray) -> np.ndarray:
        return x.reshape(-1, 2, 2, 6).swapaxes(1, 2).reshape(-1, 4, 6)

    return [
        case(CUBE, "a b c -> c a b", lambda x: x.transpose(2, 0, 1)),
        case(CUBE, "a b c -> (a b) c", lambda x: x.reshape(-1, 6)),
        case(CUBE, "a b (h w) -> a b h w", lambda x: x.reshape(-1, 4, 2, 3), h=2),
        case(CUBE, "a (h w) c -> a (w h) c", patches, w=2),
        case(CUBE, "... c -> c ...", lambda x: np.moveaxis(x, -1, 0)),
        case(CUBE, "a ... -> (...) a", lambda x: x.reshape(-1, 24).T),
        case(CUBE, "a b c->a 1 (b c) ()", lambda x: x.reshape(-1, 1, 24, 1)),
        case(CUBE[:, :1], "a 1 c -> a c", lambda x: x[:, 0]),
        case(BOOLS, "a b -> (b a)", lambda x: x.T.ravel()),
        case(BRAIN, "a b -> b a", lambda x: x.T),
    ]
