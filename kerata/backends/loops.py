"""Loops and branches run by Python, and the checks of them that all backends share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import optree

from kerata.backends.registry import load
from kerata.backends.scope import Scope, recorded
from kerata.backends.state import operations, state


def scan_length(leaves: Sequence[Any], length: Any, unroll: Any = 1) -> Any:
    """The number of steps of a scan over the first axis of `leaves`.

    Raises:
        ValueError: the sizes differ, from each other or from `length`, there is nothing to count
            by, or `unroll` is no positive number.
    """
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ValueError(f"scan: unroll must be a bool or a positive int; got {unroll!r}")
    shapes = [tuple(x.shape) for x in leaves]
    if () in shapes:
        raise ValueError(f"scan: every tensor of xs needs a first axis to run along; got {shapes}")
    counts = [s[0] for s in shapes] + ([] if length is None else [length])
    if not counts:
        raise ValueError("scan: length must be given where xs has no tensor")
    known = {n for n in counts if isinstance(n, int)}
    if len(known) > 1:
        raise ValueError(
            f"scan: the tensors of xs and length must agree on the number of steps; "
            f"got the shapes {shapes} and length={length}"
        )
    return counts[0]


def size_along(name: str, leaves: Sequence[Any], axis: int) -> Any:
    """The one size that tensors have along an axis; None where there is no tensor.

    Raises:
        ValueError: they have several.
    """
    sizes = [state.backend.shape_of(x)[axis] for x in leaves]
    if len({n for n in sizes if isinstance(n, int)}) > 1:
        raise ValueError(
            f"{name}: the tensors of elems must have one size along axis {axis}; "
            f"got the shapes {[tuple(x.shape) for x in leaves]}"
        )
    return sizes[0] if sizes else None


def check_carried(name: str, old: Any, new: Any) -> None:
    """Raise a ValueError unless a step keeps the shapes and dtypes of what it carries along."""
    before, after = map(_specs, (old, new))
    if before != after:
        texts = [", ".join(f"{shape} {dtype}" for shape, dtype in s) for s in (before, after)]
        raise ValueError(
            f"{name}: each step must keep the number, shapes and dtypes of what is carried along; "
            f"it was {texts[0]} and became {texts[1]}"
        )


def _specs(tree: Any) -> list[tuple[str, str]]:
    kind = state.backend.dtype_of
    return [(str(tuple(x.shape)), kind(x)) for x in optree.tree_leaves(tree)]


def as_tensors(tree: Any) -> Any:
    """`tree` with the numbers and variables in it as tensors."""
    backend = state.backend
    types, convert = backend.tensor_types, backend.convert

    def tensor(x: Any) -> Any:
        if isinstance(x, types) or hasattr(type(x), "__kerata_record__"):
            return x
        reader = getattr(type(x), "__kerata_value__", None)
        return convert(x) if reader is None else reader(x)

    return optree.tree_map(tensor, tree)


def unwritten(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function` that may read variables; assigning one is refused, which `name` would lose."""

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        with Scope() as scope:
            result = function(*args)
        if scope.written:
            paths = ", ".join(repr(v.path) for v in scope.written.values())
            raise RuntimeError(f"{name}: a variable ({paths}) is assigned in the body; carry it")
        return result

    return run


def no_rows(f: Callable[..., Any], *args: Any) -> Any:
    """The outputs of no step of `f`, stacked: what its results for `args` would be, 0 of each."""
    backend, abstract = state.backend, load("abstract")
    specs = optree.tree_map(
        lambda x: abstract.tensor(tuple(x.shape), backend.dtype_of(x)),  # type: ignore[attr-defined]
        args,
    )
    return optree.tree_map(
        lambda t: operations["zeros"]((0, *t.shape), t.dtype), recorded(f, specs).result
    )


class _Row:
    """The specification of one of the slices that an empty tensor does not have."""

    def __init__(self, x: Any) -> None:
        self.shape, self.dtype = tuple(x.shape)[1:], x.dtype


def scan_with(
    unstack: Callable[[Any], Sequence[Any]], stack: Callable[[Sequence[Any]], Any]
) -> Callable[..., Any]:
    """The kernel of `scan` for a backend that computes at once."""

    def scan(
        f: Callable[[Any, Any], Any],
        init: Any,
        xs: Any = None,
        length: int | None = None,
        reverse: bool = False,
        unroll: Any = 1,
    ) -> tuple[Any, Any]:
        leaves, tree = optree.tree_flatten(xs)
        count = scan_length(leaves, length, unroll)
        if not count:
            row = optree.tree_unflatten(tree, [_Row(x) for x in leaves])
            return init, no_rows(lambda *given: f(*given)[1], init, row)
        # One `unstack` each: indexing in the loop would fill a whole sequence with zeros per step,
        # going backwards.
        rows = list(zip(*map(unstack, leaves), strict=True)) if leaves else [()] * count
        carry = init
        outputs: list[Any] = []
        for row in reversed(rows) if reverse else rows:
            carry, y = f(carry, optree.tree_unflatten(tree, row))
            if not outputs:
                carry = as_tensors(carry)
                check_carried("scan", init, carry)
            outputs.append(y)
        if reverse:
            outputs.reverse()
        if isinstance(outputs[0], state.backend.tensor_types):
            return carry, stack(outputs)
        return carry, optree.tree_map(lambda *ys: stack(as_tensors(list(ys))), *outputs)

    return scan


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: Any = None,
) -> Any:
    """The kernel of `while_loop` for a backend that computes at once."""
    single = not isinstance(loop_vars, (list, tuple))
    first = values = (loop_vars,) if single else tuple(loop_vars)
    count = 0
    while (maximum_iterations is None or count < maximum_iterations) and cond(*values):
        result = body(*values)
        values = (result,) if single else tuple(result)
        if not count:
            values = as_tensors(values)
            check_carried("while_loop", first, values)
        count += 1
    return values[0] if single else values


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The kernel of `cond` for a backend that computes at once."""
    return as_tensors(true_fn() if pred else false_fn())


def flat_gradients(given: Any, args: Any, name: str = "custom_gradient") -> list[Any]:
    """The gradients that a user's function returned, one for each tensor (None for zeros).

    Args:
        given: one gradient if there is one argument, else a sequence nested as `args`.
        args: the sequence of arguments.
        name: who asks.

    Raises:
        ValueError: they are not as many as the tensors.
    """
    if len(args) == 1 and not (isinstance(given, (list, tuple)) and len(given) == 1):
        given = (given,)
    found = optree.tree_leaves(given, none_is_leaf=True)
    wanted = len(optree.tree_leaves(args))
    if len(found) != wanted:
        raise ValueError(
            f"{name}: the gradient function returned {len(found)} gradients for {wanted} tensors"
        )
    return found
