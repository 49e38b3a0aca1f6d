"""Making tensors, and moving elements without changing them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from kerata.backends.geometry import MIRRORED, PAD_MODES
from tests.ops.case import Case

_draw = np.random.default_rng(3)
CUBE = _draw.standard_normal((3, 4, 6)).astype("float32")
X = _draw.standard_normal((3, 4)).astype("float32")
INTS = _draw.integers(-9, 9, (3, 4)).astype("int32")
LONGS = _draw.integers(-9, 9, (3, 4))
BYTES = _draw.integers(0, 255, (3, 4)).astype("uint8")
BOOLS = X > 0
BRAIN = X.astype(ml_dtypes.bfloat16)
EMPTY = np.zeros((0, 4), "float32")
THIN = X[:, None, :, None]
FAR = np.array([[0, 3, -1], [9, -9, 1], [2, 2, 2]], "int32")
I = np.array([0, 2, -1], "int32")  # noqa: E741
J = np.array([1, 1, 3], "int64")


def table() -> list[Case]:
    """The cases."""
    return [*_made(), *_shaped(), *_joined(), *_indexed(), *_repeated(), *_taken(), *_padded()]


def _made() -> list[Case]:
    arange = lambda *a, dtype=None: np.arange(*a)  # noqa: E731
    cases = [
        Case("arange", (5,), arange, dtype="int32"),
        Case("arange", (2, 9, 3), arange, dtype="int32"),
        Case("arange", (5, -3, -2), arange, dtype="int32"),
        Case("arange", (0,), arange, dtype="int32", note="empty"),
        Case("arange", (3, 1), arange, dtype="int32", note="empty-backwards"),
        Case("arange", (0.0, 1.0, 0.25), arange, dtype="float32"),
        Case("arange", (1, 2, 0.3), arange, dtype="float32"),
        Case("arange", (4,), arange, {"dtype": "float32"}, dtype="float32"),
        Case("arange", (4,), arange, {"dtype": "int64"}, dtype="int64"),
        Case("arange", (4,), arange, {"dtype": "bfloat16"}, dtype="bfloat16"),
    ]
    full = lambda shape, value, dtype=None: np.full(shape, value)  # noqa: E731
    for shape in ((), (3,), (2, 0), (2, 3)):
        cases += [
            Case("full", (shape, 2.5), full, dtype="float32"),
            Case("zeros", (shape,), lambda s: np.zeros(s), dtype="float32"),
            Case("ones", (shape, "int32"), lambda s, _: np.ones(s), dtype="int32"),
        ]
    cases += [
        Case("full", ((2, 2), 7), full, dtype="int32"),
        Case("full", (3, 7), full, dtype="int32", note="int-shape"),
        Case("full", ((2,), True), full, dtype="bool"),
        Case("full", ((2, 2), 7, "uint8"), full, dtype="uint8"),
        Case("full", ((2, 3), X[0, :3]), full, note="row", opens=False),
        Case("zeros", ((2, 2), "bool"), lambda s, _: np.zeros(s), dtype="bool"),
        Case("ones", ((2, 2), "bfloat16"), lambda s, _: np.ones(s), dtype="bfloat16"),
        Case("eye", (3,), lambda n: np.eye(n), dtype="float32"),
        Case("eye", (3, 4, 1), np.eye, dtype="float32"),
        Case("eye", (4, 2, -2), np.eye, dtype="float32"),
        Case("eye", (2,), lambda n, dtype: np.eye(n), {"dtype": "int32"}, dtype="int32"),
    ]
    for x in (X, INTS, BOOLS, BRAIN, EMPTY):
        rest: dict[str, Any] = {"grad": False, "opens": x.size > 0}
        cases += [
            Case("zeros_like", (x,), lambda x: np.zeros(x.shape), **rest),
            Case("ones_like", (x,), lambda x: np.ones(x.shape), **rest),
            Case("full_like", (x, 1), lambda x, v: np.full(x.shape, v), **rest),
            Case("zeros_like", (x, "int32"), lambda x, _: np.zeros(x.shape), dtype="int32", **rest),
        ]
    return cases


def _shaped() -> list[Case]:
    cases = []
    for shape in ((4, 18), (-1,), (12, -1), (3, 2, 2, 6), (6, 2, 6)):
        cases.append(Case("reshape", (CUBE, shape), np.reshape, opens=shape == (-1,)))
    cases += [
        Case("reshape", (CUBE, [-1, 3, 8]), np.reshape),
        Case("reshape", (CUBE, 72), np.reshape, note="int-shape", opens=False),
        Case("reshape", (X[:1, :1], ()), np.reshape, note="to-scalar", opens=False),
        Case("reshape", (EMPTY, (4, 0)), np.reshape, opens=False),
        Case("reshape", (EMPTY, (-1, 2)), np.reshape, opens=False),
        Case("ravel", (CUBE,), np.ravel),
        Case("ravel", (INTS,), np.ravel),
        Case("transpose", (CUBE,), np.transpose),
        Case("transpose", (CUBE, (1, 0, 2)), np.transpose),
        Case("transpose", (CUBE, [-1, 0, 1]), np.transpose),
        Case("transpose", (BOOLS,), np.transpose),
        Case("swapaxes", (CUBE, 0, -1), np.swapaxes),
        Case("swapaxes", (CUBE, 1, 2), np.swapaxes),
        Case("moveaxis", (CUBE, 0, -1), np.moveaxis),
        Case("moveaxis", (CUBE, (0, 1), (-1, 0)), np.moveaxis),
        Case("moveaxis", (CUBE, [2], [0]), np.moveaxis),
        Case("broadcast_to", (X, (2, 3, 4)), np.broadcast_to, opens=False),
        Case("broadcast_to", (X[:1], (5, 4)), np.broadcast_to, opens=False),
        Case("broadcast_to", (X[:, :1], (3, 0)), np.broadcast_to, opens=False, grad=False),
        Case("broadcast_to", (BYTES[0], [2, 4]), np.broadcast_to, opens=False),
        Case("expand_dims", (X, 0), np.expand_dims),
        Case("expand_dims", (X, -1), np.expand_dims),
        Case("expand_dims", (X, (0, -1)), np.expand_dims),
        Case("expand_dims", (X, (-2, 0)), np.expand_dims),
        Case("squeeze", (THIN,), np.squeeze),
        Case("squeeze", (THIN, 1), np.squeeze),
        Case("squeeze", (THIN, -1), np.squeeze),
        Case("squeeze", (THIN, (1, -1)), np.squeeze),
        Case("squeeze", (X,), np.squeeze, note="nothing"),
        Case("flip", (CUBE,), np.flip),
        Case("flip", (CUBE, 1), np.flip),
        Case("flip", (CUBE, (0, -1)), np.flip),
        Case("flip", (BOOLS, 0), np.flip),
    ]
    return cases


def _joined() -> list[Case]:
    concatenate = lambda xs, axis=0: np.concatenate(xs, axis)  # noqa: E731
    stack = lambda xs, axis=0: np.stack(xs, axis)  # noqa: E731
    unstack = lambda x, num=None, axis=0: list(np.moveaxis(x, axis, 0))  # noqa: E731
    return [
        Case("concatenate", ([X, X * 2],), concatenate),
        Case("concatenate", ([CUBE, CUBE[:, :1]], 1), concatenate),
        Case("concatenate", ([X, INTS, BOOLS], -1), concatenate, dtype="float32", note="promotes"),
        Case("concatenate", ([INTS, BYTES], 0), concatenate, dtype="int32"),
        Case("concatenate", ((X, EMPTY, X),), concatenate, note="empty-part", opens=False),
        Case("concatenate", ([BOOLS, BOOLS], 1), concatenate, note="bool"),
        Case("concatenate", ([X],), concatenate, note="one"),
        Case("stack", ([X, X * 2],), stack),
        Case("stack", ([X, INTS], 1), stack, dtype="float32", note="promotes"),
        Case("stack", ((X, X, X), -1), stack),
        Case("stack", ([BYTES, BYTES], 0), stack),
        Case("unstack", (X,), unstack, opens=False),
        Case("unstack", (CUBE,), unstack, {"axis": 1}),
        Case("unstack", (INTS, 4, -1), unstack),
        Case("split", (CUBE, 3, 2), np.split),
        Case("split", (CUBE, 1, 1), np.split, note="one"),
        Case("split", (CUBE, [1, 4], -1), np.split),
        Case("split", (CUBE, (2, -1), 2), np.split, note="negative"),
        Case("split", (CUBE, [3, 1, 9], 2), np.split, note="empty-parts"),
        Case("split", (INTS, 2), np.split, {"axis": 1}),
    ]


_KEYS: dict[str, Any] = {
    "int": 0, "negative": -1, "ints": (1, -2), "slice": slice(1, None), "to": slice(None, -1),
    "step": (slice(None), slice(None, None, 2)), "back": (slice(None), slice(None, None, -1)),
    "back-part": (slice(None), slice(3, 0, -2)), "back-to-start": (slice(None), slice(2, None, -1)),
    "beyond": (slice(None), slice(-99, 99)), "empty": (slice(None), slice(3, 1)),
    "ellipsis": (Ellipsis, 2), "ellipsis-back": (Ellipsis, slice(None, None, -2)),
    "middle": (slice(None), Ellipsis, slice(1, 3)),
    "none": (None, slice(None), 0), "none-last": (Ellipsis, None), "nones": (slice(None), None, None),
    "all": (slice(None), 2, slice(1, 5, 2)), "everything": Ellipsis,
}  # fmt: skip
_FANCY: dict[str, Any] = {
    "index": I, "index-64": (slice(None), J), "second": (slice(None), I), "pair": (I, J), "pair-last": (slice(None), I, J),
    "around": (I, slice(None), J), "with-int": (0, slice(None), I), "with-none": (slice(None), 1, I, None),
    "grid": (None, I[:, None], J), "matrix": FAR % 3, "scalar": (slice(None), np.array(1, "int32")),
}  # fmt: skip


def _indexed() -> list[Case]:
    getitem = lambda x, key: x[key]  # noqa: E731
    cases = []
    for name, key in _KEYS.items():
        opens = name not in ("slice", "to")
        cases.append(Case("getitem", (CUBE, key), getitem, note=name, opens=opens))
    for name, key in _FANCY.items():
        cases.append(Case("getitem", (CUBE, key), getitem, note=name, opens=False))
    return [
        *cases,
        Case("getitem", (INTS, (slice(None, None, -1), 1)), getitem, note="int-back", opens=False),
        Case("getitem", (BOOLS, 1), getitem),
        Case("getitem", (EMPTY, (slice(None), 1)), getitem, note="of-empty", opens=False),
    ]


def _repeated() -> list[Case]:
    return [
        Case("repeat", (X, 2), np.repeat),
        Case("repeat", (CUBE, 3, 0), np.repeat),
        Case("repeat", (CUBE, 2, -1), np.repeat),
        Case("repeat", (INTS, 2, 1), np.repeat),
        Case("repeat", (X, 0, 1), np.repeat, note="none", grad=False),
        Case("repeat", (X, [1, 0, 2, 3], 1), np.repeat),
        Case("repeat", (INTS, (2, 0, 1), -2), np.repeat, opens=False),
        Case("repeat", (X[0], [2], 0), np.repeat, note="one-in-a-list"),
        Case("repeat", (X[:1, :2], [1, 3]), np.repeat, note="flattened", opens=False),
        Case("tile", (X, 2), np.tile),
        Case("tile", (X, (2, 1)), np.tile),
        Case("tile", (X, (2, 1, 3)), np.tile),
        Case("tile", (CUBE, [2]), np.tile),
        Case("tile", (BOOLS, (1, 2)), np.tile),
    ]


def _take(x: np.ndarray, indices: np.ndarray, axis: int | None = None) -> np.ndarray:
    size = x.size if axis is None else x.shape[axis]
    places = np.clip(np.where(indices < 0, indices + size, indices), 0, size - 1)
    return np.take(x, places, axis)


def _take_along_axis(x: np.ndarray, indices: np.ndarray, axis: int | None = None) -> np.ndarray:
    size = x.size if axis is None else x.shape[axis]
    places = np.clip(np.where(indices < 0, indices + size, indices), 0, size - 1)
    return np.take_along_axis(x, places if axis is not None else places.ravel(), axis)


def _taken() -> list[Case]:
    one = np.array(-1, "int32")
    cases = [
        Case("take", (X, FAR), _take, note="flattened-out-of-range", opens=False),
        Case("take", (X, FAR, 0), _take, note="out-of-range", opens=False),
        Case("take", (CUBE, FAR, 1), _take, opens=False),
        Case("take", (CUBE, J, -1), _take, opens=False),
        Case("take", (X, one, 1), _take, note="scalar"),
        Case("take", (X, np.array([1, 200], "uint8"), 0), _take, opens=False),
        Case("take", (INTS, np.zeros((0,), "int32"), 1), _take, note="no-indices"),
        Case("take", (BOOLS, I, 0), _take, opens=False),
        Case("take", (X, 2, 0), lambda x, i, a: x[i], note="python-int", opens=False),
        Case("take", (X, [0, -1], 1), lambda x, i, a: x[:, [0, -1]], note="python-list"),
        Case("take_along_axis", (X, FAR, 1), _take_along_axis, note="out-of-range"),
        Case("take_along_axis", (X, FAR), _take_along_axis, note="flattened", opens=False),
        Case("take_along_axis", (X, INTS[:2] % 3, 0), _take_along_axis, opens=False),
        Case("take_along_axis", (CUBE, FAR[:, :, None], -2), _take_along_axis, note="broadcasts"),
        Case("take_along_axis", (LONGS, J[:, None], 1), _take_along_axis),
    ]
    return cases


def _padded() -> list[Case]:
    def pad(x: Any, width: Any, mode: Any = "constant", constant_values: Any = None) -> Any:
        if mode in ("constant", "empty"):
            return np.pad(x, width, constant_values=constant_values or 0)
        return np.pad(x, width, mode)

    widths = ((1, 2), (0, 1), (2, 0))
    return [
        *(Case("pad", (CUBE, widths, m), pad) for m in PAD_MODES if m != "empty"),
        *(Case("pad", (X, ((0, 0), (6, 9)), m), pad) for m in MIRRORED if m != "edge"),
        *(Case("pad", (X[:, :1], ((0, 0), (2, 1)), m), pad, note=f"one-{m}") for m in MIRRORED),
        *(Case("pad", (INTS, ((0, 0), (3, 2)), m), pad) for m in ("mean", "median", "linear_ramp")),
        Case("pad", (X, 1, "empty"), pad, grad=False),
        Case("pad", (BRAIN, ((0, 0), (1, 0)), "wrap"), pad, grad=False),
        Case("pad", (BRAIN, ((0, 0), (1, 2)), "maximum"), pad, grad=False),
        Case("pad", (X, 1), pad),
        Case("pad", (X, (1, 2)), pad, note="pair"),
        Case("pad", (X, ((1, 2),)), pad, note="one-pair"),
        Case("pad", (X, ((0, 0), (0, 0))), pad, note="nothing"),
        Case("pad", (X, 1, "constant", 2.5), pad),
        Case("pad", (INTS, ((0, 0), (1, 1))), pad, {"constant_values": -3}),
        Case("pad", (BOOLS, ((0, 0), (1, 0))), pad),
        Case("pad", (BYTES, [[1, 0], [0, 1]]), pad),
        Case("pad", (EMPTY, ((1, 0), (0, 0))), pad, opens=False),
    ]
