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
    return [*_scans(), *_loops(), *_branches()]


def _scan(f: Any, init: Any, xs: Any = None, length: Any = None, reverse: bool = False) -> Any:
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
        Case("map", (lambda x: x * x[0], X), lambda f, x: np.stack([f(r) for r in x])),
        Case(
            "map",
            (lambda row: ops.scan(lambda c, x: (c * x, c + x), ops.ones(()), row)[1], X),
            lambda _, x: np.stack([_scan(lambda c, v: (c * v, c + v), 1.0, row)[1] for row in x]),
            note="scan-inside",
        ),
    ]


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
    return [
        Case("while_loop", (below, count, (ZERO, X)), _until, note="pair", dtype=("int32", "float32"), **loop),
        Case("while_loop", (small, twice, START), _until, note="single", **loop),
        Case("while_loop", (small, twice, START), _until, {"maximum_iterations": 2}, note="limit", **loop),
        Case("while_loop", (never, twice, START), _until, note="never", **loop),
        Case("while_loop", (below, lambda i, x: [i + 1, x + 1.0], [ZERO, X]), _until, note="list",
             dtype=("int32", "float32"), **loop),
        Case("fori_loop", (0, 4, lambda i, x: x * 1.5 + ops.cast(i, "float32"), START),
             lambda low, high, _, x: fori(low, high, lambda i, v: v * 1.5 + i, x), **loop),
        Case("fori_loop", (2, 2, lambda i, x: x * 2.0, START), lambda *a: a[-1], note="none", **loop),
    ]  # fmt: skip


def _branches() -> list[Case]:
    cases = []
    for name, x in (("true", np.abs(X)), ("false", -np.abs(X))):
        cases.append(_Branch("cond", (x,), _Branch.decided, note=name))
    return cases


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
