"""TensorFlow's kernels of loops and branches: Python's eagerly, operations in a graph."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import optree
import tensorflow as tf

from kerata.backends import loops
from kerata.backends.scope import Scope
from kerata.backends.state import body_of
from kerata.backends.tensorflow.kernels import as_dtype, reshape, shape_of, unstack


def aside(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """What `function` gives for tensors of the shapes and dtypes of these, in a graph never run."""

    def like(x: Any) -> Any:
        return tf.compat.v1.placeholder(x.dtype, tuple(x.shape)) if hasattr(x, "dtype") else x

    with tf.__internal__.FuncGraph("aside").as_default(), Scope():
        args, kwargs = optree.tree_map(like, (tuple(args), kwargs))
        return function(*args, **kwargs)


def _like(name: str, result: Any, leaves: Sequence[Any]) -> list[Any]:
    """The tensors of `result`, which a step must give as it got them."""
    found = optree.tree_leaves(loops.as_tensors(result))
    kinds = [(x.dtype, x.shape.rank) for x in found]
    if kinds != [(x.dtype, x.shape.rank) for x in leaves]:
        loops.check_carried(name, list(leaves), found)
    return found


_eager_scan = loops.scan_with(unstack, tf.stack)


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    leaves, tree = optree.tree_flatten(xs)
    if tf.executing_eagerly() or loops.scan_length(leaves, length, unroll) == 0:
        return _eager_scan(f, init, xs, length, reverse, unroll)
    count: Any = shape_of(leaves[0])[0] if leaves else length
    start, carry_tree = optree.tree_flatten(init)
    row = optree.tree_unflatten(tree, [tf.TensorSpec(x.shape[1:], x.dtype) for x in leaves])
    made, out_tree = optree.tree_flatten(
        aside(lambda *given: loops.as_tensors(f(*given)[1]), (init, row), {})
    )
    rows = [tf.TensorArray(x.dtype, count).unstack(x) for x in leaves]
    out = [tf.TensorArray(y.dtype, count, element_shape=y.shape) for y in made]

    def body(i: Any, carry: Any, out: Any) -> Any:
        at = count - 1 - i if reverse else i
        given = optree.tree_unflatten(tree, [r.read(at) for r in rows])
        carry, y = f(optree.tree_unflatten(carry_tree, carry), given)
        made = optree.tree_leaves(loops.as_tensors(y))
        out = [a.write(at, v) for a, v in zip(out, made, strict=True)]
        return i + 1, _like("scan", carry, start), out

    _, carry, out = tf.while_loop(
        lambda i, *_: i < count, body, (tf.constant(0), start, out), maximum_iterations=count
    )
    return (
        optree.tree_unflatten(carry_tree, carry),
        optree.tree_unflatten(out_tree, [a.stack() for a in out]),
    )


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    if tf.executing_eagerly():
        return loops.while_loop(cond, body, loop_vars, maximum_iterations)
    single = not isinstance(loop_vars, (list, tuple))
    leaves, tree = optree.tree_flatten((loop_vars,) if single else tuple(loop_vars))

    def step(*flat: Any) -> Any:
        result = body(*optree.tree_unflatten(tree, flat))
        return _like("while_loop", (result,) if single else tuple(result), leaves)

    found = tf.while_loop(
        lambda *flat: _flag(cond(*optree.tree_unflatten(tree, flat))),
        step,
        leaves,
        maximum_iterations=maximum_iterations,
    )
    values = optree.tree_unflatten(tree, found)
    return values[0] if single else values


def _flag(x: Any) -> Any:
    flag = as_dtype(loops.as_tensors(x), tf.bool)
    return flag if flag.shape.rank == 0 else reshape(flag, ())


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    if tf.executing_eagerly():
        return loops.cond(pred, true_fn, false_fn)
    trees = []

    def branch(function: Callable[[], Any]) -> Any:
        leaves, tree = optree.tree_flatten(loops.as_tensors(function()))
        trees.append(tree)
        return tuple(leaves)

    found = tf.cond(_flag(pred), lambda: branch(true_fn), lambda: branch(false_fn))
    return optree.tree_unflatten(trees[0], found)


class _OwnGradient(Exception):
    """Raised where rows are mapped at once, which would lose a gradient of one's own."""


class _Local(threading.local):
    mapping = False


_local = _Local()


def mapping() -> bool:
    """Whether this is a function whose rows are mapped at once."""
    return _local.mapping


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    leaves, tree = optree.tree_flatten(elements)
    if not leaves or not all(x.shape.rank and x.shape[0] not in (0, 1) for x in leaves):
        return body_of("vectorized_map")(function, elements)
    structures = []
    mapped = loops.unwritten(function, "vectorized_map")

    def flat(row: Any) -> Any:
        results, structure = optree.tree_flatten(
            loops.as_tensors(mapped(optree.tree_unflatten(tree, row)))
        )
        structures.append(structure)
        return results

    outer, _local.mapping = _local.mapping, True
    try:
        found = tf.vectorized_map(flat, leaves)
    except _OwnGradient:
        found = None
    finally:
        _local.mapping = outer
    if found is None:
        return body_of("vectorized_map")(function, elements)
    return optree.tree_unflatten(structures[0], found)


class _Constants(Scope):
    """Answers reads of variables with values through which no gradient flows."""

    def missing(self, variable: Any) -> Any:
        return tf.stop_gradient(super().missing(variable))


def call_with_gradient(f: Callable[..., Any], args: Any) -> Any:
    if mapping():
        raise _OwnGradient
    leaves, tree = optree.tree_flatten(args)
    structures: list[Any] = []

    def run(*tensors: Any) -> Any:
        with _Constants():
            output, gradient = f(*optree.tree_unflatten(tree, tensors))
        outputs, structure = optree.tree_flatten(loops.as_tensors(output))
        structures.append(structure)

        def backward(*upstream: Any, variables: Any = None) -> Any:
            found = loops.flat_gradients(gradient(optree.tree_unflatten(structure, upstream)), args)
            return found if variables is None else (found, [None] * len(variables))

        return outputs, backward

    found = tf.custom_gradient(loops.unwritten(run, "custom_gradient"))(*leaves)
    return optree.tree_unflatten(structures[0], found)


KERNELS: dict[str, Callable[..., Any]] = {
    "scan": scan, "while_loop": while_loop, "cond": cond, "vectorized_map": vectorized_map,
    "call_with_gradient": call_with_gradient,
}  # fmt: skip
