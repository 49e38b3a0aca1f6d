"""Loops and branches whose number and choice the program need not know when it is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.ops import creation
from kerata.ops import elementwise as ew
from kerata.ops.dispatch import Tensor, Tree, composite, primitive

__all__ = (
    "scan", "while_loop", "cond", "fori_loop", "map",
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
        unroll: accepted for compatibility.

    Returns:
        The last carry, and the outputs stacked on a new first axis.
    """


@primitive()
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Tree,
    maximum_iterations: int | None = None,
) -> Any:
    """Run `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds."""


@primitive()
def cond(pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """`true_fn()` where the scalar `pred` holds, else `false_fn()`; both give the same shapes."""


@composite()
def fori_loop(lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Tree) -> Any:
    """Run `value = body_fun(i, value)` for `i` from `lower` up to but without `upper`."""
    first = ew.cast(lower, "int32")

    def step(i: Tensor, value: Any) -> tuple[Any, Any]:
        return i + 1, body_fun(i, value)

    return while_loop(lambda i, _: ew.less(i, upper), step, (first, init_val))[1]


@composite()
def map(f: Callable[[Any], Any], xs: Tree) -> Any:
    """`f` of every slice along the first axis of `xs`, the results stacked."""
    return scan(lambda carry, x: (carry, f(x)), creation.full((), 0, "int32"), xs)[1]
