"""Loops, branches and functions of functions, in every way they may be called.

What the table can't express: functions that read variables or close over symbolic tensors, bad
input, and the decorators `custom_gradient` and `vectorize`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import optree
import pytest

from kerata import layers, models, ops
from kerata.backends.registry import load
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import grad, jit
from kerata.core.variable import Variable

X = np.random.default_rng(3).standard_normal((3, 2)).astype("float32")
V = np.array([2.0, -1.0], "float32")


def _add(x: Any, y: Any) -> Any:
    return ops.add(x, y)


# Each runs one operation on `x` with a function that uses `v`, a tensor, a variable or a symbolic
# tensor; beside it what that gives in NumPy.
RUNS: dict[str, tuple[Any, Any]] = {
    "scan": (
        lambda x, v: ops.scan(lambda c, r: (c * v + r, c * v), ops.ones((2,)), x),
        lambda x, v: _scanned(x, v),
    ),
    "map": (lambda x, v: ops.map(lambda r: r * v, x), lambda x, v: x * v),
    "vectorized_map": (lambda x, v: ops.vectorized_map(lambda r: r * v, x), lambda x, v: x * v),
    "while_loop": (
        lambda x, v: ops.while_loop(
            lambda i, y: ops.less(i, 3), lambda i, y: (i + 1, y * v), (0, x), maximum_iterations=5
        )[1],
        lambda x, v: x * v**3,
    ),
    "fori_loop": (
        lambda x, v: ops.fori_loop(0, 3, lambda i, y: y * v + ops.cast(i, "float32"), x),
        lambda x, v: ((x * v) * v + 1) * v + 2,
    ),
    "cond": (
        lambda x, v: ops.cond(ops.sum(ops.square(x)) > 0, lambda: (x * v, x), lambda: (x, x * v)),
        lambda x, v: (x * v, x),
    ),
    "switch": (
        lambda x, v: ops.switch(
            ops.cast(ops.sum(ops.square(x)) > 0, "int32") + 1,
            [lambda y: y, lambda y: y + v, lambda y: y * v],
            x,
        ),
        lambda x, v: x * v,
    ),
    "associative_scan": (
        lambda x, v: ops.associative_scan(lambda a, b: a + b + v, x),
        lambda x, v: np.cumsum(x, 0) + np.arange(3)[:, None] * v,
    ),
    "vectorize": (
        lambda x, v: ops.vectorize(lambda a, b: a * b + ops.sum(v))(x, x[:1] * 2),
        lambda x, v: x * x[:1] * 2 + v.sum(),
    ),
    "custom_gradient": (
        lambda x, v: ops.custom_gradient(lambda y: (y * v, lambda upstream: upstream * 5.0))(x),
        lambda x, v: x * v,
    ),
}
runs = pytest.mark.parametrize("name", RUNS)


def _scanned(x: np.ndarray, v: np.ndarray) -> Any:
    carry, rows = np.ones(2), []
    for row in x:
        rows.append(carry * v)
        carry = carry * v + row
    return carry, np.stack(rows)


def close(found: Any, wanted: Any) -> None:
    pairs = zip(optree.tree_leaves(found), optree.tree_leaves(wanted), strict=True)
    for y, z in pairs:
        np.testing.assert_allclose(ops.convert_to_numpy(y), z, rtol=1e-5, atol=1e-6)


def total(tree: Any) -> Any:
    """A scalar that depends on every entry."""
    value = ops.convert_to_tensor(0.0)
    for i, y in enumerate(optree.tree_leaves(tree)):
        value = value + (i + 1.0) * ops.sum(ops.square(y))
    return value


def slope(f: Any, x: np.ndarray) -> np.ndarray:
    """Central differences of `total(f(x))`."""
    found = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = x.astype(float)
            moved[place] += step
            leaves = optree.tree_leaves(f(moved))
            ends.append(sum((i + 1.0) * np.sum(np.square(y)) for i, y in enumerate(leaves)))
        found[place] = (ends[0] - ends[1]) / 2e-5
    return found


@runs
def test_reads_variables(backend, name):
    run, reference = RUNS[name]
    v = Variable(V)
    close(run(ops.convert_to_tensor(X), v), reference(X, V))
    v.assign(V * 2)
    close(run(ops.convert_to_tensor(X), v), reference(X, V * 2))


@runs
def test_compiled(training_backend, name):
    run, reference = RUNS[name]
    v = Variable(V)
    compiled = jit(lambda x: run(x, v))
    close(compiled(X), reference(X, V))
    v.assign(V * 2)
    close(compiled(X), reference(X, V * 2))


@pytest.mark.parametrize("wrapped", [jit, lambda f: f], ids=["jit", "eager"])
@runs
def test_gradients(training_backend, name, wrapped):
    run, reference = RUNS[name]
    v = Variable(V)
    by_x = wrapped(grad(lambda x: total(run(x, v))))(X)
    by_v = wrapped(grad(lambda x: total(run(x, v)), [v]))(X)[0]
    if name == "custom_gradient":  # its own, and none to what it reads
        close((by_x, by_v), (2 * X * V * 5.0, np.zeros(2)))
        return
    np.testing.assert_allclose(
        ops.convert_to_numpy(by_x), slope(lambda x: reference(x, V), X), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(by_v), slope(lambda v: reference(X, v), V), rtol=1e-3, atol=1e-3
    )


@runs
def test_in_a_functional_model(backend, name):
    """The functions close over a symbolic tensor."""
    run, reference = RUNS[name]
    x, w = layers.Input((2,)), layers.Input((2,))
    model = models.Model([x, w], run(x, ops.sum(w, axis=0) * 1.0))
    close(model([X, V[None]]), reference(X, V))
    assert all(shape is None or isinstance(shape, tuple) for shape in [model.inputs[0].shape])


def test_branches_may_read_what_is_symbolic_by_its_global_name(backend):
    x = layers.Input((2,))
    names: dict[str, Any] = {"ops": ops, "x": x}
    exec("y = ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x)", names)
    close(models.Model(x, names["y"])(np.abs(X)), np.abs(X) * 2)


# Bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.scan(lambda c, x: (c, x), 0.0, (X, X[:2])), "scan: the tensors of xs"),
        (lambda: ops.scan(lambda c, x: (c, x), 0.0, X, length=2), "scan: the tensors of xs"),
        (lambda: ops.scan(lambda c, x: (c, c), 0.0), "scan: length must be given"),
        (lambda: ops.scan(lambda c, x: (c, x), 0.0, 1.0), "scan: every tensor of xs"),
        (lambda: ops.scan(lambda c, x: (c, x), 0.0, X, unroll=-1), "scan: unroll"),
        (lambda: ops.scan(lambda c, x: (x, x), 0.0, X), "scan: each step must keep"),
        (
            lambda: ops.while_loop(lambda x: ops.sum(x) < 9, lambda x: ops.stack([x, x]), V * 0),
            "while_loop: each step must keep",
        ),
        (lambda: ops.switch(0, []), "switch: branches"),
        (lambda: ops.associative_scan(_add, (X, X[:2])), "associative_scan: .*one size"),
        (lambda: ops.vectorize(_add)(X, X.T), "vectorize: .*don't broadcast"),
        (lambda: ops.vectorize(_add, signature="(n"), "vectorize: signature"),
        (lambda: ops.vectorize(_add, signature="(n),(n)->()")(X, X), "vectorize: .*results"),
        (lambda: ops.vectorize(_add, signature="(n),(n)->(n)")(X, X[:, :1]), "vectorize: axis 'n'"),
        (lambda: ops.vectorize(_add, signature="(n,m),(n)->(n)")(X[0], X), "vectorize: .*lacks"),
        (
            lambda: ops.cond(
                KerasTensor((), "bool"), lambda: ops.ones((2,)), lambda: ops.ones((3,))
            ),
            "cond: both branches must give",
        ),
        (
            lambda: ops.cond(KerasTensor((2,), "bool"), lambda: 1.0, lambda: 2.0),
            "cond: pred must be a scalar",
        ),
    ],
)
def test_bad_input(backend, call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_functions(backend):
    with pytest.raises(TypeError, match="associative_scan: f must be"):
        ops.associative_scan(3, X)
    with pytest.raises(TypeError, match="vectorize: pyfunc must be"):
        ops.vectorize(3)
    with pytest.raises(TypeError, match="vectorize: excluded"):
        ops.vectorize(_add, excluded={1.5})
    with pytest.raises(TypeError, match="names 1 arguments; got 2"):
        ops.vectorize(_add, signature="(n)->(n)")(X, X)


def test_a_map_at_once_assigns_no_variable(backend):
    v = Variable(V)
    with pytest.raises(RuntimeError, match="vectorized_map: a variable"):
        ops.vectorized_map(lambda x: v.assign(x) is None and x, X)
    close(v, V)


# What differs from the plain case


def test_rows_may_decide(backend):
    """On torch `vmap` can't, and a loop does."""
    found = ops.vectorized_map(
        lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2.0, lambda: ops.zeros_like(x)), X
    )
    close(found, np.where(X.sum(1, keepdims=True) > 0, X * 2, 0))


def test_results_may_be_numbers(backend):
    """And None."""
    found = ops.vectorized_map(lambda x: {"one": 1.0, "x": x}, X)
    close(found, {"one": np.ones(3), "x": X})
    assert ops.cond(True, lambda: None, lambda: None) is None
    assert isinstance(ops.cond(False, lambda: 1.0, lambda: 2.0), backend.tensor_types)
    close(ops.cond(np.array([True]), lambda: 1.0, lambda: 2.0), 1.0)


def test_no_steps(training_backend):
    """Also where compiled: the outputs are empty, of the right shape."""
    run = lambda x: ops.scan(lambda c, r: (c + r, (c, ops.sum(r))), ops.ones((2,)), x)  # noqa: E731
    for wrapped in (run, jit(run)):
        carry, (rows, sums) = wrapped(X[:0])
        close(carry, np.ones(2))
        assert tuple(rows.shape) == (0, 2) and tuple(sums.shape) == (0,)


def test_loop_variables_keep_their_kind(backend):
    assert isinstance(ops.while_loop(lambda i: i < 3, lambda i: (i + 1,), (0,)), tuple)
    found = ops.while_loop(lambda d: d["i"] < 3, lambda d: {"i": d["i"] + 1}, {"i": 0})
    close(found, {"i": 3})


def test_vectorize_arguments(backend):
    times = ops.vectorize(lambda a, b: a * ops.sum(b), excluded={1, "b"})
    close(times(X, X), X * X.sum())
    close(times(X, b=X), X * X.sum())
    close(ops.vectorize(ops.subtract)(X, x2=[[1], [2], [3]]), X - np.array([[1], [2], [3]]))
    close(ops.vectorize(lambda a: (a, a + 1.0))(2.0), (2.0, 3.0))
    close(ops.vectorize(lambda: ops.ones(()))(), 1.0)
    product = ops.vectorize(lambda a, b: ops.matmul(a, b), signature="(n,m),(m,k)->(n,k)")
    a, b = np.ones((5, 1, 2, 3), "float32"), np.ones((4, 3, 2), "float32")
    close(product(a, b), np.matmul(a, b))
    result = product(KerasTensor((None, 1, 2, 3)), KerasTensor((4, 3, 2)))
    assert result.shape == (None, 4, 2, 2)


# Gradients of one's own


@ops.custom_gradient
def log1pexp(x: Any) -> Any:
    """As in Keras' documentation; naive gradients of it overflow."""
    e = ops.exp(x)

    def gradient(*args: Any, upstream: Any = None) -> Any:
        if upstream is None:
            (upstream,) = args
        return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1, e))

    return ops.log(1 + e), gradient


def test_own_gradient(training_backend):
    x = np.array([-1.0, 0.5, 100.0], "float32")
    for wrapped in (jit, lambda f: f):
        found = wrapped(grad(lambda x: ops.sum(log1pexp(x))))(x)
        close(found, 1 - 1 / (1 + np.exp(x.astype(float))))


def test_own_gradient_again(training_backend):
    inner = grad(lambda x: ops.sum(log1pexp(x)))
    s = 1 / (1 + np.exp(-X))
    close(jit(grad(lambda x: ops.sum(inner(x))))(X), s * (1 - s))


def test_own_gradient_of_several(training_backend):
    @ops.custom_gradient
    def both(x: Any, places: Any, *, factor: float) -> Any:
        y = {"a": x[0] * factor, "b": x[1]}
        return y, lambda upstream: ((upstream["a"] * 3.0, upstream["b"] * 4.0), None)

    def loss(a: Any, b: Any) -> Any:
        y = both((a, b), ops.convert_to_tensor([1, 2]), factor=7.0)
        return ops.sum(y["a"]) + 2.0 * ops.sum(y["b"])

    close(jit(grad(loss, argnums=(0, 1)))(V, X), (np.full(2, 3.0), np.full((3, 2), 8.0)))


def test_own_gradient_by_name_and_of_a_whole_map(training_backend):
    @ops.custom_gradient
    def named(x: Any) -> Any:
        return x * 2.0, lambda *, upstream: upstream * 9.0

    close(grad(lambda x: ops.sum(named(x)))(V), V * 0 + 9.0)
    mapped = grad(lambda x: ops.sum(ops.vectorized_map(named, x)))
    close(jit(mapped)(X), np.full((3, 2), 9.0))


def test_a_wrong_number_of_gradients(training_backend):
    wrong = ops.custom_gradient(lambda x, y: (x * y, lambda upstream: upstream))
    with pytest.raises(ValueError, match="returned 1 gradients for 2 tensors"):
        grad(lambda x: ops.sum(wrong(x, x)))(V)


def test_loops_without_an_end_have_no_gradient_on_jax():
    """The one thing that an engine can't; with `maximum_iterations` it can."""
    pytest.importorskip("jax")
    from kerata.backends import registry

    with registry.use_backend("jax"), pytest.raises(ValueError, match="while_loop"):
        grad(lambda x: ops.sum(ops.while_loop(lambda y: ops.sum(y) < 9, lambda y: y * 2, x)))(V + 2)


def test_work_of_the_steps_is_counted():
    """Every step counts."""
    abstract: Any = load("abstract")
    from kerata.backends.abstract.backend import counting
    from kerata.backends.registry import using

    def work(length: int) -> int:
        with using(abstract), counting() as counts:
            ops.fori_loop(
                0, length, lambda i, x: ops.matmul(x, x), abstract.tensor((4, 4), "float32")
            )
        return counts.flops

    assert work(6) == 6 * work(1)
