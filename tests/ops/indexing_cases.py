"""Sorting, searching, picking and placing elements, and counting what comes together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from tests.ops.case import Case

_draw = np.random.default_rng(12)
CUBE = _draw.standard_normal((3, 4, 6)).astype("float32")
X = _draw.standard_normal((3, 4)).astype("float32")
INTS = _draw.integers(-3, 3, (3, 9)).astype("int32")
WORDS = np.array([[3, 2**32 - 1, 0, 2**31, 3], [0, 0, 1, 2**31 - 1, 2**32 - 2]], "uint32")
BOOLS = X > 0
BRAIN = np.round(X * 4).astype(ml_dtypes.bfloat16)
NAN = np.float32(
    [[2, np.nan, -0.0, 0.0, np.inf, -np.inf, 2], [np.nan, 1, np.inf, 1, -1, 0, np.nan]]
)
EMPTY = np.zeros((0, 4), "float32")
MANY = _draw.integers(0, 50, (2, 1500)).astype("float32")


def table() -> list[Case]:
    """The cases."""
    return [*_sorted(), *_searched(), *_unique(), *_picked(), *_placed(), *_segments()]


def _argsort(x: np.ndarray, axis: int | None = -1) -> np.ndarray:
    return np.argsort(x, axis, kind="stable")


def _top_k(x: np.ndarray, k: int, sorted: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rank = np.argsort(np.flip(x, -1), -1, kind="stable")
    places = x.shape[-1] - 1 - np.flip(rank, -1)[..., :k]
    return np.take_along_axis(x, places, -1), places


def _sorted() -> list[Case]:
    cases = []
    for x in (X, INTS, WORDS, BOOLS, BRAIN, NAN, EMPTY):
        opens = x.size > 0
        cases += [
            Case("argsort", (x,), _argsort, dtype="int32", opens=opens),
            Case("sort", (x,), np.sort, opens=opens),
        ]
        if x.size:
            k = x.shape[-1] - 1
            dtypes = (str(x.dtype), "int32")
            cases.append(Case("top_k", (x, k), _top_k, dtype=dtypes))
    return [
        *cases,
        *(Case("argsort", (CUBE, a), _argsort, dtype="int32", opens=a != 0) for a in (0, 1, None)),
        *(Case("sort", (CUBE, a), np.sort) for a in (0, 1, None)),
        Case("argpartition", (INTS, 2), lambda x, k: _argsort(x), dtype="int32"),
        Case("argpartition", (X, (1, 2), 0), lambda x, k, a: _argsort(x, a), dtype="int32"),
        Case("top_k", (CUBE, 2, False), _top_k, dtype=("float32", "int32")),
        Case("top_k", (MANY, 40), _top_k, dtype=("float32", "int32"), note="long", grad=False),
        Case("top_k", (X, 0), _top_k, dtype=("float32", "int32"), grad=False),
    ]


def _in_top_k(targets: np.ndarray, predictions: np.ndarray, k: int) -> np.ndarray:
    found = np.zeros(targets.shape, bool)
    for place in np.ndindex(targets.shape):
        row, t = predictions[place], targets[place]
        if 0 <= t < len(row):
            found[place] = not np.isnan(row[t]) and np.sum(row > row[t]) < k
    return found


def _isin(x1: np.ndarray, x2: np.ndarray, **options: Any) -> np.ndarray:
    return np.isin(x1, x2, **options)


def _searched() -> list[Case]:
    row = np.sort(X.ravel())
    steps = np.array([-2, -1, -1, 0, 2], "int32")
    predictions = np.float32([[0.1, 0.7, 0.2], [0.4, 0.4, 0.2], [np.nan, 0.5, np.inf], [1, 2, 3]])
    targets = np.array([1, 1, 0, -1], "int32")
    kwargs: Any = {"dtype": "int32", "opens": (1,)}
    return [
        Case("searchsorted", (row, CUBE), np.searchsorted, **kwargs),
        Case("searchsorted", (steps, INTS), np.searchsorted, **kwargs),
        Case("searchsorted", (steps, INTS, "right"), np.searchsorted, **kwargs),
        Case("searchsorted", (np.sort(NAN[0]), NAN), np.searchsorted, note="nan", **kwargs),
        Case("searchsorted", (np.sort(NAN[0]), NAN, "right"), np.searchsorted, note="nan-right", **kwargs),
        Case("searchsorted", (steps, X), np.searchsorted, note="promotes", **kwargs),
        Case("searchsorted", (EMPTY[:, 0], X), np.searchsorted, note="in-nothing", **kwargs),
        Case("digitize", (X, row[::3]), np.digitize, dtype="int32"),
        Case("digitize", (INTS, steps), np.digitize, dtype="int32", opens=(0,)),
        Case("digitize", (INTS, steps[::-1].copy()), np.digitize, dtype="int32", note="falling",
             opens=(0,)),
        Case("digitize", (X, EMPTY[:, 0]), np.digitize, dtype="int32", note="no-bins"),
        Case("in_top_k", (targets, predictions, 1), _in_top_k, dtype="bool"),
        Case("in_top_k", (targets, predictions, 2), _in_top_k, dtype="bool"),
        Case("in_top_k", (INTS[0, :3] % 4, X, 9), _in_top_k, dtype="bool", note="k-beyond"),
        Case("in_top_k", (INTS[:, :4] % 6, CUBE, 2), _in_top_k, dtype="bool", note="batches"),
        Case("isin", (INTS, steps), _isin, dtype="bool", opens=(0,)),
        Case("isin", (INTS, steps), _isin, {"invert": True, "assume_unique": False}, dtype="bool",
             opens=(0,)),
        Case("isin", (NAN, NAN[:1, :4]), _isin, dtype="bool", opens=(0,)),
        Case("isin", (INTS, np.float32([0.5, 2])), _isin, dtype="bool", opens=(0,), note="promotes"),
        Case("isin", (X, EMPTY), _isin, dtype="bool", opens=(0,)),
    ]  # fmt: skip


def _all_unique(x: np.ndarray, axis: int | None = None, size: int = 0, fill: Any = 0) -> Any:
    """The values, first places, inverse and counts, cut and filled to `size`."""
    values, index, inverse, counts = np.unique(x, True, True, True, axis=axis)
    rows = np.moveaxis(values, axis or 0, 0)
    lack = max(size - len(rows), 0)
    rows = np.concatenate([rows[:size], np.full((lack, *rows.shape[1:]), fill, x.dtype)])
    index = np.concatenate([index[:size], np.full(lack, index[0])])
    counts = np.concatenate([counts[:size], np.zeros(lack, int)])
    return np.moveaxis(rows, 0, axis or 0), index, inverse, counts


def _unique() -> list[Case]:
    def case(x: np.ndarray, note: str, **options: Any) -> Case:
        kwargs = {"return_index": True, "return_inverse": True, "return_counts": True, **options}
        reference = lambda x, axis=None, size=0, fill_value=0, **_: _all_unique(  # noqa: E731
            x, axis, size, fill_value
        )
        dtypes = (str(x.dtype), *["int32"] * 3)
        return Case("unique", (x,), reference, kwargs, dtype=dtypes, note=note, grad=False)

    rows = INTS[:, :2] % 2
    return [
        case(INTS, "cut", size=3),
        case(INTS, "filled", size=9, fill_value=-7),
        case(BRAIN, "bfloat16", size=5),
        case(np.concatenate([rows, rows[::-1]]), "rows", axis=0, size=4),
        case(np.stack([rows, rows[::-1]], 1), "slices", axis=1, size=3, fill_value=5),
        Case("unique", (INTS,), lambda x, size: np.unique(x)[:2], {"size": 2}),
    ]


def _picked() -> list[Case]:
    places = np.array([[0, 23, 7], [-1, 99, -99]], "int32")

    def unravel(indices: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
        total = int(np.prod(shape))
        places = np.clip(np.where(indices < 0, indices + total, indices), 0, total - 1)
        return np.unravel_index(places, shape)

    def select(conditions: Any, choices: Any, default: Any = 0) -> np.ndarray:
        return np.select(conditions, choices, default)

    def cut(x: np.ndarray, starts: Sequence[int], shape: Sequence[int]) -> np.ndarray:
        for axis, (start, size) in enumerate(zip(starts, shape, strict=True)):
            start = start + x.shape[axis] if start < 0 else start
            size = x.shape[axis] - start if size == -1 else size
            start = min(max(start, 0), x.shape[axis] - size)
            x = np.take(x, range(start, start + size), axis)
        return x

    start = np.array([1, -2, 9], "int32")
    two = np.array(2, "int32")
    deep = {"dtype": ("int32",) * 3}
    get_item = lambda x, key: x[key]  # noqa: E731
    return [
        Case("get_item", (CUBE, (slice(None), 1, slice(None, None, -1))), get_item),
        Case("get_item", (CUBE, (slice(None), np.array([0, 0, -1]))), get_item, note="repeated",
             opens=(0,)),
        Case("getitem", (CUBE, (slice(None), np.array([1, -1], "int8"), slice(None), None)),
             get_item, opens=(0,), note="int8"),
        Case("unravel_index", (places, (2, 3, 4)), unravel, **deep),
        Case("unravel_index", (places[0].astype("int64"), (24,)), unravel, dtype="int32"),
        Case("select", ([X > 0.5, X < 0], [X, X * 2], -1.0), select, dtype="float32"),
        Case("select", ([BOOLS, INTS[:, :4] > 0], [INTS[:, :4], X]), select, dtype="float32",
             note="promotes"),
        Case("slice", (CUBE, (0, 1, 2), (3, 2, 4)), cut, opens=False),
        Case("slice", (CUBE, (0, -1, 9), (3, 2, 4)), cut, note="beyond", opens=False),
        Case("slice", (CUBE, (0, 1, -2), (-1, -1, -1)), cut, note="rest"),
        Case("slice", (CUBE, start, (1, 2, 3)), cut, note="vector", opens=(0,)),
        Case("slice", (CUBE, (0, two, 0), (-1, 2, 3)), cut, note="tensor", opens=(0,)),
        Case("slice", (BOOLS, (0, 3), (2, 0)), cut, note="nothing", opens=False),
    ]  # fmt: skip


_COMBINE: dict[Any, Any] = {
    None: lambda a, b: b, "add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply,
}  # fmt: skip


def _scatter_update(
    x: np.ndarray, indices: np.ndarray, updates: np.ndarray, reduction: str | None = None
) -> np.ndarray:
    """One update at a time."""
    y = x.copy()
    for place in np.ndindex(indices.shape[:-1]):
        at = tuple(i + n if i < 0 else i for i, n in zip(indices[place], x.shape, strict=False))
        if all(0 <= i < n for i, n in zip(at, x.shape, strict=False)):
            y[at] = _COMBINE[reduction](y[at], updates[place].astype(y.dtype))
    return y


def _scatter(indices: np.ndarray, values: np.ndarray, shape: Any) -> np.ndarray:
    return _scatter_update(np.zeros(shape, values.dtype), indices, values, "add")


def _slice_update(x: np.ndarray, starts: Any, updates: np.ndarray) -> np.ndarray:
    y = x.copy()
    rows = zip(starts, x.shape, updates.shape, strict=True)
    at = [min(max(s + n if s < 0 else s, 0), n - m) for s, n, m in rows]
    y[tuple(slice(a, a + m) for a, m in zip(at, updates.shape, strict=True))] = updates
    return y


def _placed() -> list[Case]:
    rows = np.array([[0], [2], [0], [-2], [7], [-9]], "int32")
    pairs = np.array([[[0, 1], [2, -1]], [[0, 1], [1, 9]]], "int64")
    updates = _draw.standard_normal((6, 4)).astype("float32")
    zeros = updates * (updates > 0)
    cases = []
    for how in (None, "add", "max", "min", "mul"):
        cases += [
            Case(
                "scatter_update",
                (X, rows, updates, how),
                _scatter_update,
                opens=(0,) if how else False,
            ),
            Case("scatter_update", (X, pairs, updates[:2, :2], how), _scatter_update, opens=False),
            Case("scatter_update", (BOOLS, rows, updates > 0, how), _scatter_update, opens=False),
            Case(
                "scatter_update",
                (WORDS, rows[:3], WORDS[[0, 1, 1]], how),
                _scatter_update,
                opens=False,
            ),
        ]
    labels = np.array([[0, 2, 2], [9, -1, 1]], "int32")
    two = np.array(2, "int32")
    return [
        *cases,
        Case("scatter_update", (X, rows, zeros, "mul"), _scatter_update, note="zeros", opens=False, grad=False),
        Case("scatter_update", (BRAIN, rows, updates, "add"), _scatter_update, opens=False, grad=False),
        Case("scatter_update", (X, rows[:0], updates[:0], "add"), _scatter_update, opens=False),
        Case("scatter_update", (INTS, np.array([[1]]), X[:1, :1] * np.ones(9, "f4")), _scatter_update, opens=False),
        Case("scatter", (rows, updates, (4, 4)), _scatter, dtype="float32", opens=(0, 1)),
        Case("scatter", (pairs, BOOLS[:2, :2], (3, 5)), _scatter, dtype="bool", opens=False),
        Case("scatter", (rows, np.full((6, 2), 0.1, "float16"), (3, 2)), _scatter, dtype="float16", opens=False, grad=False),
        Case("slice_update", (CUBE, (0, 1, 9), CUBE[:, :2, :3] * 2), _slice_update),
        Case("slice_update", (CUBE, (0, two, -1), CUBE[:, :2, :3] * 2), _slice_update, opens=(0, 2), note="tensor"),
        Case("slice_update", (INTS, np.array([1, -2], "int32"), X[:1, :2] * 9), _slice_update, opens=False),
        Case("multi_hot", (labels, 3), _multi_hot, dtype="float32"),
        Case("multi_hot", (labels[0], 3, 0, "int32"), _multi_hot, dtype="int32", opens=False),
        Case("multi_hot", (labels, 3, 0), _multi_hot, dtype="float32", note="first"),
        Case("multi_hot", (labels[:, :, None] % 4, 4), _multi_hot, dtype="float32", note="deep"),
    ]  # fmt: skip


def _multi_hot(x: np.ndarray, n: int, axis: int = -1, dtype: Any = None) -> np.ndarray:
    hits = x[..., None] == np.arange(n)
    return np.moveaxis(hits.any(1 if x.ndim > 1 else 0), -1, axis)


def _segments() -> list[Case]:
    ids = np.array([2, 0, 2, -1, 9, 0], "int32")
    data = _draw.standard_normal((6, 3)).astype("float32")
    whole = _draw.integers(-9, 9, 6).astype("int32")

    def segments(start: Any, combine: Any) -> Any:
        def run(data: np.ndarray, ids: np.ndarray, count: int, sorted: bool = False) -> np.ndarray:
            if data.dtype.kind == "i" and abs(start) == np.inf:
                info = np.iinfo(data.dtype)
                y = np.full((count, *data.shape[1:]), info.max if start > 0 else info.min)
            else:
                y = np.full((count, *data.shape[1:]), start, data.dtype)
            for i, row in zip(ids, data, strict=True):
                if 0 <= i < count:
                    y[i] = combine(y[i], row)
            return y

        return run

    cases = []
    rules = {"sum": (0, np.add), "prod": (1, np.multiply), "max": (-np.inf, np.maximum),
             "min": (np.inf, np.minimum)}  # fmt: skip
    for name, rule in rules.items():
        reference = segments(*rule)
        cases += [
            Case(f"segment_{name}", (data, ids, 3), reference),
            Case(f"segment_{name}", (whole, ids.astype("int64"), 4), reference),
            Case(f"segment_{name}", (data[:0], ids[:0], 2, True), reference, opens=False),
            Case(f"segment_{name}", (NAN.T[:6], ids, 3), reference, note="nan"),
        ]
    return cases
