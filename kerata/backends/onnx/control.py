"""Loops and branches as ONNX's Loop and If, whose bodies see what encloses them.

A scan is a Loop that takes a slice in each turn. ONNX's own Scan is no faster in the runtimes (ONNX
Runtime takes a third longer), and OpenVINO reads it only where the body uses nothing that is
computed outside, and not inside of another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree

from kerata.backends.onnx.arrays import flip, gather, squeeze
from kerata.backends.onnx.graph import (
    Graph,
    OnnxValue,
    Size,
    Unsupported,
    body,
    constant,
    emit_many,
    same_size,
)
from kerata.backends.onnx.kernels import cast, subtract, tensor

Specs = list[tuple[Sequence[Any], str]]


def _leaves(tree: Any) -> tuple[list[OnnxValue], Any]:
    leaves, structure = optree.tree_flatten(tree)
    return [tensor(leaf) for leaf in leaves], structure


def _flag(x: Any) -> OnnxValue:
    flag = cast(tensor(x), "bool")
    return squeeze(flag) if flag.ndim else flag


def _specs(graph: Graph, values: Sequence[OnnxValue], *sizes: Any) -> Specs:
    """Of what comes out of the body `graph`: sizes that only it knows are open."""

    def outside(size: Any) -> Any:
        return None if isinstance(size, Size) and size.value.graph is graph else size

    return [((*sizes, *map(outside, v.shape)), v.dtype) for v in values]


def _loop(
    turns: Any,
    alive: OnnxValue,
    starts: Sequence[OnnxValue],
    step: Callable[[OnnxValue, OnnxValue, list[OnnxValue]], Any],
) -> tuple[Any, Any]:
    """A Loop; `step(turn, alive, values)` returns `(alive, trees of next values, of rows)`.

    Raises:
        TypeError: a step changes the number of values or a dtype.
    """
    with body().writing() as graph:
        turn, going = graph.input("turn", (), "int64"), graph.input("alive", (), "bool")
        flag, *trees = step(turn, going, [graph.input("value", v.shape, v.dtype) for v in starts])
        (after, carried), (rows, stacked) = map(_leaves, trees)
        for value in (flag, *after, *rows):
            graph.output(value)
    before, now = [v.dtype for v in starts], [v.dtype for v in after]
    if before != now:
        raise TypeError(f"A step of a loop turns values of the dtypes {before} into {now}")
    specs: Specs = [(v.shape, v.dtype) for v in starts]
    specs += _specs(graph, rows, turns)
    limit = None if turns is None else tensor(turns, "int64")
    found = emit_many("Loop", [limit, alive, *starts], specs, body=graph)
    n = len(starts)
    return optree.tree_unflatten(carried, found[:n]), optree.tree_unflatten(stacked, found[n:])


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    starts, carried = _leaves(init)
    rows, tree = _leaves(xs)
    turns: Any = rows[0].shape[0] if rows else length

    def step(turn: OnnxValue, alive: OnnxValue, values: list[OnnxValue]) -> Any:
        place = subtract(tensor(turns - 1, "int64"), turn) if reverse else turn
        row = optree.tree_unflatten(tree, [gather(v, place, 0) for v in rows])
        return alive, *f(optree.tree_unflatten(carried, values), row)

    carry, outputs = _loop(turns, constant(True), starts, step)
    return carry, optree.tree_map(lambda y: flip(y, 0), outputs) if reverse else outputs


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: Any = None,
) -> Any:
    single = not isinstance(loop_vars, (list, tuple))
    first = (loop_vars,) if single else tuple(loop_vars)
    starts, tree = _leaves(first)

    def step(turn: OnnxValue, alive: OnnxValue, values: list[OnnxValue]) -> Any:
        result = body(*optree.tree_unflatten(tree, values))
        result = (result,) if single else tuple(result)
        return _flag(cond(*result)), result, ()

    last, _ = _loop(maximum_iterations, _flag(cond(*first)), starts, step)
    return last[0] if single else last


def cond(pred: OnnxValue, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    branches = []
    for function in (true_fn, false_fn):
        with body(branch=True).writing() as graph:
            leaves, tree = _leaves(function())
            for value in leaves:
                graph.output(value)
        branches.append((graph, tree, _specs(graph, leaves)))
    (then, tree, first), (otherwise, _, second) = branches
    if [dtype for _, dtype in first] != [dtype for _, dtype in second]:
        raise TypeError("cond: the branches give values of different dtypes or numbers")
    specs: Specs = [
        ([a if same_size(a, b) else None for a, b in zip(s, t, strict=True)], dtype)
        for (s, dtype), (t, _) in zip(first, second, strict=True)
    ]
    found = emit_many("If", [_flag(pred)], specs, then_branch=then, else_branch=otherwise)
    return optree.tree_unflatten(tree, found)


def call_with_gradient(f: Callable[..., Any], args: Any) -> Any:
    return f(*args)[0]


def refused(name: str) -> Callable[..., Any]:
    """The kernel of an operation that draws at random."""

    def kernel(*_: Any, **__: Any) -> Any:
        raise Unsupported(
            f"{name}: random draws can't be written to ONNX so that they give the same numbers; "
            "call the model with training=False"
        )

    return kernel


_DRAWS = (
    "random_uniform", "random_normal", "random_randint", "random_bernoulli", "random_gamma",
    "random_binomial",
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {
    "scan": scan, "while_loop": while_loop, "cond": cond, "call_with_gradient": call_with_gradient,
}  # fmt: skip
KERNELS |= {name: refused(name) for name in _DRAWS}
