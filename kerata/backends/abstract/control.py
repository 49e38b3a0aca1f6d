"""What loops, branches and draws give: the functions in them are run once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import optree

from kerata.backends import dtypes
from kerata.backends.abstract.kernels import counted, describe, tally
from kerata.backends.abstract.tensor import AbstractTensor as T
from kerata.backends.loops import as_tensors, check_carried, scan_length


def _scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    count = scan_length(optree.tree_leaves(xs), length, unroll)
    before = None if tally.counts is None else (tally.counts.flops, tally.counts.bytes)
    row = optree.tree_map(lambda x: T(tuple(x.shape[1:]), x.dtype), cast(Any, xs))
    carry, y = f(init, row)
    carry = as_tensors(carry)
    check_carried("scan", init, carry)
    if before is not None and isinstance(count, int):
        tally.counts.flops += (tally.counts.flops - before[0]) * (count - 1)
        tally.counts.bytes += (tally.counts.bytes - before[1]) * (count - 1)
    return carry, optree.tree_map(lambda t: T((count, *t.shape), t.dtype), as_tensors(y))


def _while_loop(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    single = not isinstance(loop_vars, (list, tuple))
    values = (loop_vars,) if single else tuple(loop_vars)
    _check_choice("while_loop", "cond", cond(*values))
    result = body(*values)
    check_carried("while_loop", values, as_tensors((result,) if single else tuple(result)))
    return values[0] if single else values


def _check_choice(name: str, what: str, x: Any) -> None:
    shape = tuple(getattr(x, "shape", ()))
    if any(isinstance(n, int) and n != 1 for n in shape):
        raise ValueError(f"{name}: {what} must be a scalar; got {describe(x)}")


def _cond(pred: T, true_fn: Any, false_fn: Any) -> Any:
    _check_choice("cond", "pred", pred)
    chosen, other = as_tensors(true_fn()), as_tensors(false_fn())
    leaves, tree = optree.tree_flatten(chosen)
    others, structure = optree.tree_flatten(other)
    if tree != structure or [_spec(x) for x in leaves] != [_spec(x) for x in others]:
        raise ValueError(
            "cond: both branches must give the same structure, shapes and dtypes; "
            f"got {describe(*leaves) or 'none'} and {describe(*others) or 'none'}"
        )
    return chosen


def _spec(x: T) -> tuple[str, str]:
    return str(tuple(x.shape)), x.dtype


def _call_with_gradient(f: Callable[..., Any], args: Any) -> Any:
    return as_tensors(f(*args)[0])


def _random(shape: Any, seed: T, dtype: str = "float32") -> T:
    return T(tuple(shape), dtypes.standardize_dtype(dtype))


_CALLING: dict[str, Callable[..., Any]] = {
    "scan": _scan, "while_loop": _while_loop, "cond": _cond,
    "call_with_gradient": _call_with_gradient,
}  # fmt: skip
CALLING = tuple(_CALLING)  # their kernels run functions of the user, and count what these do
_DRAWS: dict[str, Callable[..., Any]] = {
    "random_uniform": _random,
    "random_normal": _random,
    "random_randint": lambda shape, minval, maxval, seed, dtype="int32": T(tuple(shape), dtype),
    "random_bernoulli": lambda shape, probability, seed: T(tuple(shape), "bool"),
    "random_gamma": lambda alpha, seed: T(alpha.shape, alpha.dtype),
    "random_binomial": lambda counts, probabilities, seed: T(counts.shape, counts.dtype),
}
KERNELS = {**_CALLING, **{n: counted(n, k) for n, k in _DRAWS.items()}}
