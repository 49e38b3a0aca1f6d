"""Loops and branches whose number and choice the program need not know when it is compiled.

The functions they take may read variables, and close over any tensor, also a symbolic one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import optree

from kerata.backends.loops import size_along, unwritten
from kerata.ops import creation, indexing
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, Tree, composite, primitive

__all__ = (
    "scan", "while_loop", "cond", "fori_loop", "map", "switch", "associative_scan",
    "vectorized_map", "custom_gradient",
)  # fmt: skip


@primitive()
def scan(
    f: Callable[[Any, Any], Any],
    init: Tree,
    xs: Tree = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    """Run `carry, y = f(carry, x)` along the first axis of `xs`.

    Args:
        f: takes the carry and one slice of `xs`; returns the next carry, of the same shapes and
            dtypes, and an output (any nesting of tensors, or None).
        init: the first carry.
        xs: tensors of one length on their first axis; None to run `length` times.
        length: the number of steps where `xs` is None.
        reverse: run from the end; outputs keep their places.
        unroll: how many steps a compiled loop makes in each turn (True for all); JAX heeds it.

    Returns:
        The last carry, and the outputs stacked on a new first axis.

    Raises:
        ValueError: the tensors of `xs` and `length` disagree on the number of steps, none of them
            gives it, or a step changes the carry's shapes or dtypes.

    >>> carry, sums = scan(lambda c, x: (c + x, c + x), 0, ops.arange(4))
    >>> int(carry), ops.convert_to_numpy(sums).tolist()
    (6, [0, 1, 3, 6])
    """


@primitive()
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Tree,
    maximum_iterations: int | None = None,
) -> Any:
    """Run `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    Args:
        cond: takes the values; returns a bool scalar.
        body: takes the values; returns the next ones, of the same shapes and dtypes.
        loop_vars: a sequence of values (tensors, or any nesting of them), or a single one.
        maximum_iterations: the most steps to make.

    Returns:
        The last values: a tuple for a sequence.

    JAX differentiates it only where `maximum_iterations` is given.
    """


@primitive()
def cond(pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """`true_fn()` where the scalar `pred` holds, else `false_fn()`; both give the same shapes."""


@composite()
def fori_loop(lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Tree) -> Any:
    """Run `value = body_fun(i, value)` for `i` from `lower` up to but without `upper`."""
    if isinstance(lower, int) and isinstance(upper, int):  # can be differentiated everywhere
        turns = creation.arange(lower, max(lower, upper), dtype="int32")
        return scan(lambda value, i: (body_fun(i, value), None), init_val, turns)[0]
    first = ew.cast(lower, "int32")

    def step(i: Tensor, value: Any) -> tuple[Any, Any]:
        return i + 1, body_fun(i, value)

    return while_loop(lambda i, _: ew.less(i, upper), step, (first, init_val))[1]


@composite()
def map(f: Callable[[Any], Any], xs: Tree) -> Any:
    """`f` of every slice along the first axis of `xs`, one after the other, the results stacked."""
    return scan(lambda carry, x: (carry, f(x)), creation.full((), 0, "int32"), xs)[1]


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`; an index out of range means the nearest branch.

    Args:
        index: an int scalar.
        branches: functions that give results of the same shapes and dtypes.
        operands: tensors, or any nestings of them.

    Raises:
        ValueError: there is no branch.

    >>> float(switch(1, [lambda x: x + 1, lambda x: x * 10], 2.0))
    20.0
    """
    if not branches:
        raise ValueError("switch: branches must hold at least one function; got none")
    return choose_branch(index, tuple(branches), operands)


@composite()
def choose_branch(index: Tensor, branches: tuple[Callable[..., Any], ...], operands: Tree) -> Any:
    """`switch` with its operands in a tuple: halves the branches until one is left."""
    place = ew.cast(index, "int32")

    def among(first: int, last: int) -> Any:
        if first == last:
            return branches[first](*operands)
        middle = (first + last + 1) // 2
        return cond(
            ew.less(place, middle), lambda: among(first, middle - 1), lambda: among(middle, last)
        )

    return among(0, len(branches) - 1)


@composite()
def associative_scan(
    f: Callable[[Any, Any], Any], elems: Tree, reverse: bool = False, axis: int = 0
) -> Any:
    """All partial results of joining slices by an associative function, many at a time.

    Result `i` joins the slices 0 to `i`, by recursive doubling (Hillis & Steele, 1986).

    Args:
        f: takes two nestings like `elems`, the first joined of earlier slices, and joins them slice
            by slice; associative.
        elems: tensors of one size along `axis`.
        reverse: join from the end: result `i` joins the last slice to the `i`-th, in that order.
        axis: the axis that the slices lie along.

    Raises:
        TypeError: `f` can't be called.
        ValueError: the sizes along `axis` differ.

    >>> associative_scan(ops.add, ops.convert_to_tensor([1.0, 2.0, 3.0])).tolist()
    [1.0, 3.0, 6.0]
    """
    if not callable(f):
        raise TypeError(f"associative_scan: f must be a function; got {f!r}")
    leaves, tree = optree.tree_flatten(elems)
    size = size_along("associative_scan", leaves, axis)

    def join(earlier: Sequence[Tensor], later: Sequence[Tensor]) -> list[Tensor]:
        return optree.tree_leaves(f(*(optree.tree_unflatten(tree, x) for x in (earlier, later))))

    if reverse:
        leaves = [sh.flip(x, axis) for x in leaves]
    if leaves:
        doubling = _doubled if isinstance(size, int) else _doubled_in_a_loop
        leaves = doubling(join, leaves, size, axis)
    if reverse:
        leaves = [sh.flip(x, axis) for x in leaves]
    return optree.tree_unflatten(tree, leaves)


def _doubled(join: Callable[..., Any], leaves: list[Any], size: int, axis: int) -> list[Any]:
    span = 1  # of how many slices each is joined so far
    while span < size:
        heads = [sh.split(x, [span], axis)[0] for x in leaves]
        earlier = [sh.split(x, [size - span], axis)[0] for x in leaves]
        later = [sh.split(x, [span], axis)[1] for x in leaves]
        leaves = [
            sh.concatenate([a, b], axis) for a, b in zip(heads, join(earlier, later), strict=True)
        ]
        span *= 2
    return leaves


def _doubled_in_a_loop(
    join: Callable[..., Any], leaves: list[Any], size: Any, axis: int
) -> list[Any]:
    """`_doubled` for a size that is open: every step joins all slices and keeps those that fit."""
    places = creation.arange(size)

    def step(span: Tensor, leaves: list[Any]) -> tuple[Any, list[Any]]:
        inside = ew.greater_equal(places, span)
        earlier = [indexing.take(x, ew.maximum(places - span, 0), axis) for x in leaves]
        joined = []
        for new, old in zip(join(earlier, leaves), leaves, strict=True):
            after = len(sh.shape(old)) - 1 - axis % len(sh.shape(old))
            chosen = sh.expand_dims(inside, tuple(range(1, after + 1))) if after else inside
            joined.append(ew.where(chosen, new, old))
        return span * 2, joined

    start = (creation.full((), 1, "int32"), leaves)
    return list(while_loop(lambda span, _: ew.less(span, size), step, start)[1])


@composite()
def vectorized_map(function: Callable[[Any], Any], elements: Tree) -> Any:
    """`function` of every slice along the first axis of `elements`, all at once, stacked.

    Args:
        function: takes one slice (nested as `elements`); it may read variables, not assign them.
        elements: tensors of one size on their first axis.

    >>> vectorized_map(lambda row: ops.sum(row), ops.ones((2, 3))).tolist()
    [3.0, 3.0]
    """
    return map(unwritten(function, "vectorized_map"), elements)


@primitive()
def call_with_gradient(f: Callable[..., Any], args: Tree) -> Any:
    """The first of what `f(*args)` returns, its gradient by the second; see `custom_gradient`."""


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with a gradient of its own.

    Args:
        f: returns `(output, grad)`. `grad(upstream)` gets the gradient with respect to the output
            (nested as the output) and returns that with respect to the argument, or a sequence of
            them where there are more. A `grad` with a required keyword `upstream` gets it by name.

    Returns:
        The function, which returns the output. Its keyword arguments go to `f` as they are. No
        gradient flows to variables that `f` reads, or to what it closes over.

    >>> @custom_gradient
    ... def clipped(x):
    ...     return x, lambda upstream: ops.clip(upstream, -1.0, 1.0)
    >>> clipped(ops.convert_to_tensor(2.0)).item()
    2.0
    """

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        return call_with_gradient(_with_plain_gradient(f, kwargs), args)

    return call


def _with_plain_gradient(f: Callable[..., Any], kwargs: dict[str, Any]) -> Callable[..., Any]:
    """`f` with `kwargs`, its gradient function taking the upstream gradient by position."""

    def run(*args: Any) -> tuple[Any, Callable[[Any], Any]]:
        output, gradient = f(*args, **kwargs)
        parameter = inspect.signature(gradient).parameters.get("upstream")
        named = parameter is not None and (
            parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        )
        return output, (lambda upstream: gradient(upstream=upstream)) if named else gradient

    return run
