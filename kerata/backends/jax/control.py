"""JAX's kernels of loops and branches, compiled as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optree
from jax import lax

from kerata.backends.jax.kernels import inside_loop
from kerata.backends.loops import (
    as_tensors,
    check_carried,
    flat_gradients,
    scan_length,
    size_along,
    unwritten,
)  # fmt: skip
from kerata.backends.state import state


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> Any:
    count = scan_length(optree.tree_leaves(xs), length, unroll)
    run = unwritten(f, "scan")

    def step(carry: Any, x: Any) -> Any:
        new, y = run(carry, x)
        check_carried("scan", carry, as_tensors(new))
        return new, y

    with inside_loop():
        return lax.scan(step, init, xs, count, reverse, unroll)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: Any = None,
) -> Any:
    single = not isinstance(loop_vars, (list, tuple))
    start = (loop_vars,) if single else tuple(loop_vars)
    limit = maximum_iterations
    test, step = unwritten(cond, "while_loop"), unwritten(body, "while_loop")

    def alive(values: Any) -> Any:
        return jnp.asarray(test(*values), bool).reshape(())

    def once(values: Any) -> Any:
        result = step(*values)
        result = as_tensors((result,) if single else tuple(result))
        check_carried("while_loop", values, result)
        return result

    with inside_loop():
        if state.differentiating and isinstance(limit, int):
            values = _bounded(alive, once, start, limit)
        else:
            values = lax.while_loop(
                lambda v: alive(v[1]) if limit is None else alive(v[1]) & (v[0] < limit),
                lambda v: (v[0] + 1, once(v[1])),
                (jnp.int32(0), start),
            )[1]
    return values[0] if single else values


def _bounded(alive: Any, once: Any, start: Any, limit: int) -> Any:
    """A loop of `limit` turns, which JAX can differentiate; those after the end do nothing."""

    def turn(values: Any, _: Any) -> Any:
        return lax.cond(alive(values), once, lambda v: v, values), None

    return lax.scan(turn, start, None, max(limit, 0))[0]


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    chosen = jnp.asarray(pred, bool).reshape(())
    return lax.cond(chosen, unwritten(true_fn, "cond"), unwritten(false_fn, "cond"))


def choose_branch(index: Any, branches: Sequence[Callable[..., Any]], operands: Any) -> Any:
    place = index.reshape(()).astype(jnp.int32)
    return lax.switch(place, [unwritten(b, "switch") for b in branches], *operands)


def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    size_along("associative_scan", optree.tree_leaves(elems), axis)
    return lax.associative_scan(f, elems, reverse, axis)


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    return jax.vmap(unwritten(function, "vectorized_map"))(elements)


def call_with_gradient(f: Callable[..., Any], args: Any) -> Any:
    """The output as a constant, joined to the arguments by a function with that gradient.

    What the gradient is computed from comes in as an argument as well, through which no first
    gradient flows, and a second one does.
    """
    output, gradient = unwritten(f, "custom_gradient")(*args)
    outputs, structure = optree.tree_flatten(as_tensors(output))
    leaves = optree.tree_leaves(args)
    given: list[bool] = []  # for which arguments there is a gradient

    def backward(upstream: Any) -> Any:
        found = flat_gradients(gradient(optree.tree_unflatten(structure, upstream)), args)
        pairs = list(zip(found, leaves, strict=True))
        given[:] = [g is not None and _continuous(x) for g, x in pairs]
        return [jnp.asarray(g, x.dtype) for ok, (g, x) in zip(given, pairs, strict=True) if ok]

    program = jax.make_jaxpr(backward)(outputs)

    @jax.custom_vjp
    def joined(leaves: Any, outputs: Any, constants: Any) -> Any:
        return outputs

    def back(constants: Any, upstream: Any) -> Any:
        filled = [u if _continuous(y) else jnp.zeros_like(y) for u, y in zip(upstream, outputs)]
        found = iter(jax.core.eval_jaxpr(program.jaxpr, constants, *filled))
        return [next(found) if ok else None for ok in given], None, None

    joined.defvjp(lambda leaves, outputs, constants: (outputs, constants), back)
    outputs = [lax.stop_gradient(y) for y in outputs]
    return optree.tree_unflatten(structure, joined(leaves, outputs, program.consts))


def _continuous(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.inexact))


_OWN = (
    scan, while_loop, cond, choose_branch, associative_scan, vectorized_map, call_with_gradient,
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
