"""Loops and branches."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from tests.ops.case import Case

_draw = np.random.default_rng(6)
X = _draw.standard_normal((3, 4)).astype("float32")
START = np.ones(4, "float32")
ZERO = np.array(0, "int32")


def table() -> list[Case]:
    """The cases."""
    return [*_scans(), *_loops(), *_branches(), *_joins(), *_slices()]


def _scan(
    f: Any, init: Any, xs: Any = None, length: Any = None, reverse: bool = False, unroll: Any = 1
) -> Any:
    """`ops.scan` for an array or a pair of arrays."""
    if xs is None:
        rows: list[Any] = [None] * length
    else:
        rows = list(zip(*xs, strict=True)) if isinstance(xs, tuple) else list(xs)
    outputs, carry = [], init
    for row in reversed(rows) if reverse else rows:
        carry, y = f(carry, row)
        outputs.append(y)
    outputs = outputs[::-1] if reverse else outputs
    if isinstance(outputs[0], tuple):
        return carry, tuple(np.stack(column) for column in zip(*outputs, strict=True))
    return carry, None if outputs[0] is None else np.stack(outputs)


def _scans() -> list[Case]:
    add = lambda c, x: (c + x, c * x)  # noqa: E731
    swap = lambda c, x: ((c[1] * x, c[0]), (c[0], x))  # noqa: E731
    both = lambda c, x: (c + x[0] * x[1], x[0])  # noqa: E731
    double = lambda c, _: (c * 2.0, c)  # noqa: E731
    quiet = lambda c, x: (c * x, None)  # noqa: E731
    return [
        Case("scan", (add, START, X), _scan, note="plain", opens=(1,)),
        Case("scan", (add, START, X), _scan, {"reverse": True}, note="backwards", opens=(1,)),
        Case("scan", (swap, (START, START * 2), X), _scan, note="nested-carry", opens=(2,)),
        Case("scan", (both, START, (X, X * 2)), _scan, note="nested-xs", opens=(1, 2)),
        Case("scan", (double, START), _scan, {"length": 3}, note="length", opens=False),
        Case("scan", (quiet, START, X), _scan, note="no-output", opens=(1,)),
        Case(
            "scan", (add, START, X), _scan, {"unroll": 2, "length": 3}, note="unroll", opens=False
        ),
        Case("scan", (add, START, X[:0]), _empty_scan, note="no-steps", opens=False),
        Case("map", (lambda x: x * x[0], X), lambda f, x: np.stack([f(r) for r in x])),
        Case(
            "map",
            (lambda row: ops.scan(lambda c, x: (c * x, c + x), ops.ones(()), row)[1], X),
            lambda _, x: np.stack([_scan(lambda c, v: (c * v, c + v), 1.0, row)[1] for row in x]),
            note="scan-inside",
        ),
    ]


def _empty_scan(f: Any, init: Any, xs: Any) -> Any:
    return init, xs


def _until(cond: Any, body: Any, values: Any, maximum_iterations: Any = None) -> Any:
    """`ops.while_loop`, which sees operations of NumPy here."""
    single = not isinstance(values, (list, tuple))
    values, count = (values,) if single else tuple(values), 0
    while cond(*values) and (maximum_iterations is None or count < maximum_iterations):
        result = body(*values)
        values, count = (result,) if single else tuple(result), count + 1
    return values[0] if single else values


def _loops() -> list[Case]:
    count = lambda i, x: (i + 1, x * 1.5)  # noqa: E731
    below = lambda i, x: i < 4  # noqa: E731
    twice = lambda x: x * 2.0  # noqa: E731
    small = lambda x: x[0] < 100.0  # noqa: E731
    never = lambda x: x[0] < -100.0  # noqa: E731

    def fori(low: int, high: int, f: Any, x: Any) -> Any:
        return _scan(lambda c, i: (f(np.int32(i), c), None), x, range(low, high))[0]

    loop: dict[str, Any] = {"grad": False, "opens": False}
    fixed = {"opens": False}
    return [
        Case("while_loop", (below, count, (ZERO, X)), _until, note="pair", dtype=("int32", "float32"), **loop),
        Case("while_loop", (small, twice, START), _until, note="single", **loop),
        Case("while_loop", (small, twice, START), _until, {"maximum_iterations": 2}, note="limit", **fixed),
        Case("while_loop", (small, twice, START), _until, {"maximum_iterations": 20}, note="bounded", **fixed),
        Case("while_loop", (never, twice, START), _until, note="never", **loop),
        Case("while_loop", (below, lambda i, x: [i + 1, x + 1.0], [ZERO, X]), _until, note="list",
             dtype=("int32", "float32"), **loop),
        Case("fori_loop", (0, 4, lambda i, x: x * 1.5 + ops.cast(i, "float32"), START),
             lambda low, high, _, x: fori(low, high, lambda i, v: v * 1.5 + i, x), **fixed),
        Case("fori_loop", (np.array(1, "int32"), np.array(4, "int32"), lambda i, x: x * 1.5, START),
             lambda low, high, _, x: x * 1.5**3, note="tensors", dtype="float32", **loop),
        Case("fori_loop", (2, 2, lambda i, x: x * 2.0, START), lambda *a: a[-1], note="none", **loop),
    ]  # fmt: skip


def _branches() -> list[Case]:
    cases = []
    for name, x in (("true", np.abs(X)), ("false", -np.abs(X))):
        cases.append(_Branch("cond", (x,), _Branch.decided, note=name))
    return cases


def _chosen(index: Any, branches: Any, operands: Any) -> Any:
    return branches[np.clip(index, 0, len(branches) - 1)](*operands)


def _joins() -> list[Case]:
    choices = (lambda x, y: x * y, lambda x, y: x + y, lambda x, y: x - 2.0 * y)
    cases = [
        Case("choose_branch", (np.array(i, "int32"), choices, (X, X[0].copy())), _chosen,
             note=f"branch{i}", dtype="float32", opens=(1,))
        for i in (-4, 1, 2, 9)
    ]  # fmt: skip
    squares = _draw.standard_normal((5, 2, 2)).astype("float32")

    def linear(a: Any, b: Any) -> Any:
        return {"s": a["s"] * b["s"], "t": a["t"] * b["s"] + b["t"]}

    def joined(f: Any, x: Any, reverse: bool = False, axis: int = 0) -> Any:
        rows = np.moveaxis(x, axis, 0)[:: -1 if reverse else 1]
        found = [rows[0]]
        for row in rows[1:]:
            found.append(f(found[-1], row))
        return np.moveaxis(np.stack(found[:: -1 if reverse else 1]), 0, axis)

    def recurrence(_: Any, x: Any) -> Any:
        s, t = np.ones_like(x["s"][0]), np.zeros_like(x["t"][0])
        rows = []
        for a, b in zip(x["s"], x["t"], strict=True):
            s, t = s * a, t * a + b
            rows.append((s, t))
        return tuple(np.stack(column) for column in zip(*rows, strict=True))

    return [
        *cases,
        Case("associative_scan", (ops.matmul, squares), lambda _, x: joined(np.matmul, x)),
        Case("associative_scan", (ops.matmul, squares), lambda _, x, reverse: joined(np.matmul, x, reverse),
             {"reverse": True}),
        Case("associative_scan", (ops.add, X), lambda _, x, axis: np.cumsum(x, axis), {"axis": -1}),
        Case("associative_scan", (linear, {"s": X, "t": X * 2}), recurrence, note="dict"),
        Case("associative_scan", (ops.maximum, np.array([1, 3, 2, 5], "int16")),
             lambda _, x: np.maximum.accumulate(x)),
        Case("associative_scan", (ops.add, X[:0]), lambda _, x: x, note="empty", opens=False),
    ]  # fmt: skip


def _slices() -> list[Case]:
    def weighed(x: Any) -> Any:
        return ops.sum(x * x), x * ops.max(x)

    def pairs(x: Any) -> Any:
        return {"a": x["a"] + x["b"], "b": ops.matmul(x["a"], x["b"])}

    def cubed(x: Any, y: Any) -> Any:
        return (x * x * x * y, x), lambda up: (up[0] * 3.0 * x * x * y + up[1], up[0] * x * x * x)

    def doubled(x: Any) -> Any:
        return x * 2.0, lambda up: up * 2.0

    def inner(rows: Any) -> Any:
        return ops.sum(ops.multiply(*rows))

    axes = ([("n",), ("n",)], [()])
    return [
        Case("vectorized_map", (weighed, X), lambda _, x: ((x * x).sum(1), x * x.max(1, keepdims=True))),
        Case("vectorized_map", (pairs, {"a": X, "b": X * 2}),
             lambda _, x: (x["a"] + x["b"], (x["a"] * x["b"]).sum(1)), note="dict"),
        Case("vectorized_map", (lambda x: x * 2.0, X[:0]), lambda _, x: x, note="empty", opens=False),
        Case("vectorized_map", (lambda x: ops.vectorized_map(ops.sum, x), X[None]),
             lambda _, x: x.sum(-1), note="inside", opens=False),
        Case("broadcast_call", (lambda v: v[0] * v[1] + v[0], [X, X[0] * 2]), lambda _, v: v[0] * v[1] + v[0],
             opens=(0,), note="scalars"),
        Case("broadcast_call", (inner, [X[:, None], X[None]], axes),
             lambda _, v, __: v[0][:, 0] @ v[1][0].T, note="inner", opens=(0,)),
        Case("broadcast_call", (inner, [X[0], X[1]], axes), lambda _, v, __: v[0] @ v[1], note="outer-none",
             opens=False),
        Case("call_with_gradient", (cubed, (X, X + 1.0)), lambda _, v: (v[0] ** 3 * v[1], v[0])),
        Case("call_with_gradient", (doubled, (X,)), lambda _, v: v[0] * 2.0, note="one"),
    ]  # fmt: skip


class _Branch(Case):
    """`ops.cond` whose functions close over the tensor that decides."""

    @staticmethod
    def decided(x: np.ndarray) -> Any:
        """The reference."""
        return (x * 3.0, x.sum()) if x.sum() > 0 else (x - 1.0, x.min())

    def run(self, arrays: Any) -> Any:
        """The result for this tensor."""
        x = ops.convert_to_tensor(arrays[0])
        return ops.cond(
            ops.sum(x) > 0, lambda: (x * 3.0, ops.sum(x)), lambda: (x - 1.0, ops.min(x))
        )
