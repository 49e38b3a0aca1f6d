"""TensorFlow's kernels of loops and branches: Python's eagerly, operations in a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree
import tensorflow as tf

from kerata.backends.scope import Scope
from kerata.backends.tensorflow.kernels import as_dtype, shape_of, unstack


def aside(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """What `function` gives for tensors of the shapes and dtypes of these, in a graph never run."""

    def like(x: Any) -> Any:
        return tf.compat.v1.placeholder(x.dtype, tuple(x.shape)) if hasattr(x, "dtype") else x

    with tf.__internal__.FuncGraph("aside").as_default(), Scope():
        args, kwargs = optree.tree_map(like, (tuple(args), kwargs))
        return function(*args, **kwargs)


def _like(result: Any, leaves: Sequence[Any]) -> list[Any]:
    found = optree.tree_leaves(result)
    return [tf.convert_to_tensor(v, x.dtype) for v, x in zip(found, leaves, strict=True)]


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    leaves, tree = optree.tree_flatten(xs)
    count = shape_of(leaves[0])[0] if leaves else length or 0
    if tf.executing_eagerly():
        return _loop(f, init, [unstack(x) for x in leaves], tree, count, reverse)
    start, carry_tree = optree.tree_flatten(init)
    row = optree.tree_unflatten(tree, [x[0] for x in leaves])
    ys, out_tree = optree.tree_flatten(aside(f, (init, row), {})[1])
    rows = [tf.TensorArray(x.dtype, count).unstack(x) for x in leaves]
    made = [tf.convert_to_tensor(y) for y in ys]
    out = [tf.TensorArray(y.dtype, count, element_shape=y.shape) for y in made]

    def body(i: Any, carry: Any, out: Any) -> Any:
        at = count - 1 - i if reverse else i
        given = optree.tree_unflatten(tree, [r.read(at) for r in rows])
        carry, y = f(optree.tree_unflatten(carry_tree, carry), given)
        out = [a.write(at, v) for a, v in zip(out, optree.tree_leaves(y), strict=True)]
        return i + 1, _like(carry, start), out

    _, carry, out = tf.while_loop(
        lambda i, *_: i < count, body, (tf.constant(0), start, out), maximum_iterations=count
    )
    return (
        optree.tree_unflatten(carry_tree, carry),
        optree.tree_unflatten(out_tree, [a.stack() for a in out]),
    )


def _loop(f: Any, carry: Any, rows: list[Any], tree: Any, count: int, reverse: bool) -> Any:
    found = []
    for i in reversed(range(count)) if reverse else range(count):
        carry, y = f(carry, optree.tree_unflatten(tree, [r[i] for r in rows]))
        found.append(y)
    if reverse:
        found.reverse()
    return carry, optree.tree_map(lambda *ys: tf.stack(ys), *found) if found else None


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    single = not isinstance(loop_vars, (list, tuple))
    leaves, tree = optree.tree_flatten((loop_vars,) if single else tuple(loop_vars))
    found = tf.while_loop(
        lambda *flat: tf.cast(cond(*optree.tree_unflatten(tree, flat)), tf.bool),
        lambda *flat: _like(body(*optree.tree_unflatten(tree, flat)), leaves),
        leaves,
        maximum_iterations=maximum_iterations,
    )
    values = optree.tree_unflatten(tree, found)
    return values[0] if single else values


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    pred = as_dtype(pred, tf.bool)
    if tf.executing_eagerly():
        return true_fn() if pred else false_fn()
    trees = []

    def branch(function: Callable[[], Any]) -> Any:
        leaves, tree = optree.tree_flatten(function())
        trees.append(tree)
        return tuple(tf.convert_to_tensor(x) for x in leaves)

    found = tf.cond(pred, lambda: branch(true_fn), lambda: branch(false_fn))
    return optree.tree_unflatten(trees[0], found)


KERNELS: dict[str, Callable[..., Any]] = {"scan": scan, "while_loop": while_loop, "cond": cond}
