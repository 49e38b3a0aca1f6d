"""`grad`, `value_and_grad` and `checkpoint`, with equal results on every backend that trains."""

from __future__ import annotations

import numpy as np
import pytest

from kerata import ops
from kerata.backends import registry
from kerata.backends.scope import recorded
from kerata.backends.state import state
from kerata.core.stateless import StatelessScope
from kerata.core.transforms import checkpoint, grad, jit, value_and_grad
from kerata.core.variable import Variable

X = np.float32([1.0, -2.0, 0.5])


def numbers(x) -> list:
    return ops.convert_to_numpy(x).tolist()


def test_of_an_argument(training_backend):
    value, g = value_and_grad(lambda x: ops.sum(x * x * x))(X)
    np.testing.assert_allclose(numbers(value), (X**3).sum(), rtol=1e-6)
    np.testing.assert_allclose(numbers(g), 3 * X**2, rtol=1e-6)
    assert isinstance(g, registry.load(training_backend).tensor_types)


def test_argnums(training_backend):
    f = lambda x, y, z: ops.sum(x * y) * z  # noqa: E731
    assert numbers(grad(f, argnums=1)(X, 2 * X, 3.0)) == (3 * X).tolist()
    gx, gz = grad(f, argnums=(0, 2))(X, 2 * X, 3.0)
    np.testing.assert_allclose(numbers(gx), 6 * X)
    np.testing.assert_allclose(numbers(gz), (X * 2 * X).sum(), rtol=1e-6)
    (only,) = grad(f, argnums=(0,))(X, X, 1.0)
    np.testing.assert_allclose(numbers(only), X)


def test_of_nested_arguments(training_backend):
    f = lambda tree, k: ops.sum(tree["a"] * tree["b"][0]) * k  # noqa: E731
    g = grad(f)({"a": X, "b": [2 * X]}, k=3.0)
    np.testing.assert_allclose(numbers(g["a"]), 6 * X)
    np.testing.assert_allclose(numbers(g["b"][0]), 3 * X)


def test_of_variables(training_backend):
    v, w, unused = Variable(X), Variable(2.0), Variable([1.0, 2.0])

    def loss(x):
        return ops.sum(v * v * x) * w

    value, (gv, gw, gu) = value_and_grad(loss, [v, w, unused])(X)
    np.testing.assert_allclose(numbers(value), 2 * (X**3).sum(), rtol=1e-6)
    np.testing.assert_allclose(numbers(gv), 4 * X * X, rtol=1e-6)
    np.testing.assert_allclose(numbers(gw), (X**3).sum(), rtol=1e-6)
    assert numbers(gu) == [0.0, 0.0]


def test_of_untrainable_and_lazy_variables(training_backend):
    fixed, lazy = Variable(X, trainable=False), Variable("ones", (3,))
    g = grad(lambda: ops.sum(fixed * fixed * lazy), [fixed, lazy])()
    np.testing.assert_allclose(numbers(g[0]), 2 * X)
    np.testing.assert_allclose(numbers(g[1]), X * X)


def test_any_iterable_of_variables_repeatedly(training_backend):
    v = Variable(X)
    f = grad(lambda: ops.sum(v * v), (x for x in [v]))
    for _ in range(2):
        np.testing.assert_allclose(numbers(f()[0]), 2 * X)
    assert grad(lambda: ops.sum(v * v), [])() == []


def test_has_aux(training_backend):
    v = Variable(X)

    def loss(x):
        y = v * x
        return ops.sum(y), {"y": y, "name": "aux", "none": None}

    (value, aux), (g,) = value_and_grad(loss, [v], has_aux=True)(2.0)
    assert numbers(value) == float(2 * X.sum()) and numbers(aux["y"]) == (2 * X).tolist()
    assert aux["name"] == "aux" and aux["none"] is None and numbers(g) == [2.0] * 3
    gradients, aux = grad(loss, [v], has_aux=True)(2.0)
    assert numbers(gradients[0]) == [2.0] * 3 and aux["name"] == "aux"


def test_nested_second_derivatives(training_backend):
    cube = lambda x: ops.sum(x**3)  # noqa: E731
    second = grad(lambda x: ops.sum(grad(cube)(x)))
    np.testing.assert_allclose(numbers(second(X)), 6 * X, rtol=1e-5)
    third = grad(lambda x: ops.sum(second(x)))
    np.testing.assert_allclose(numbers(third(X)), [6.0] * 3, rtol=1e-5)


def test_the_gradient_penalty_of_a_gan(training_backend):
    """A gradient by an argument inside one by variables."""
    w = Variable(X)

    def loss(x):
        g = grad(lambda x: ops.sum(w * w * x * x))(x)
        return ops.sum(g * g)

    value, (g,) = value_and_grad(loss, [w])(X)
    np.testing.assert_allclose(numbers(value), (4 * X**6).sum(), rtol=1e-5)
    np.testing.assert_allclose(numbers(g), 16 * X**5, rtol=1e-5)


def test_variables_inside_variables(training_backend):
    v, w = Variable(X), Variable(2.0)

    def inner_gradient():
        (g,) = grad(lambda: ops.sum(v * v * v) * w, [v])()
        return ops.sum(g)

    gv, gw = grad(inner_gradient, [v, w])()
    np.testing.assert_allclose(numbers(gv), 12 * X, rtol=1e-5)
    np.testing.assert_allclose(numbers(gw), (3 * X * X).sum(), rtol=1e-5)


def test_writes_inside_the_differentiated_function(training_backend):
    v, mean = Variable(X), Variable(np.zeros(3, "float32"), trainable=False)

    def loss():
        mean.assign(mean * 0.5 + v.value)
        return ops.sum(v * mean)

    (g,) = grad(loss, [v])()
    np.testing.assert_allclose(numbers(mean), X)
    np.testing.assert_allclose(numbers(g), 2 * X)
    (g,) = grad(loss, [v])()
    np.testing.assert_allclose(numbers(mean), 1.5 * X)
    np.testing.assert_allclose(numbers(g), 2.5 * X)


def test_writing_what_is_differentiated(training_backend):
    v = Variable(X)

    def loss():
        value = ops.sum(v * v)
        v.assign(v * 2.0)
        return value

    (g,) = grad(loss, [v])()
    np.testing.assert_allclose(numbers(g), 2 * X)
    np.testing.assert_allclose(numbers(v), 2 * X)


@pytest.mark.parametrize("compiled", [False, True])
def test_under_a_stateless_scope(training_backend, compiled):
    v, count = Variable(X), Variable(0.0)

    def loss(x):
        count.assign_add(1.0)
        return ops.sum(v * v * x)

    run = value_and_grad(loss, [v])
    if compiled:
        run = jit(run)
    with StatelessScope([(v, 2 * X)]) as scope:
        value, (g,) = run(1.0)
        np.testing.assert_allclose(numbers(value), (4 * X * X).sum(), rtol=1e-6)
        np.testing.assert_allclose(numbers(g), 4 * X, rtol=1e-6)
    assert float(count) == 0.0 and numbers(scope.get_current_value(count)) == 1.0
    np.testing.assert_array_equal(v.numpy(), X)


def test_stop_gradient(training_backend):
    v = Variable(X)
    (g,) = grad(lambda: ops.sum(ops.stop_gradient(v * v) * v), [v])()
    np.testing.assert_allclose(numbers(g), X * X)


def test_nothing_connected(training_backend):
    v = Variable(X)
    value, (g,) = value_and_grad(lambda: ops.sum(ops.ones((2,))), [v])()
    assert numbers(value) == 2.0 and numbers(g) == [0.0] * 3
    assert numbers(grad(lambda x: ops.sum(ops.ones((2,))))(X)) == [0.0] * 3


def test_half_precision(training_backend):
    v = Variable(X, dtype="bfloat16")
    (g,) = grad(lambda: ops.sum(v * v), [v])()
    assert registry.load(training_backend).dtype_of(g) == "bfloat16"
    np.testing.assert_allclose(ops.convert_to_numpy(g).astype(float), 2 * X)


def test_autocast_variables_have_gradients_in_their_own_dtype(training_backend):
    v = Variable(X)

    def loss():
        state.autocast = "bfloat16"
        try:
            return ops.sum(ops.cast(v * v, "float32"))
        finally:
            state.autocast = None

    (g,) = grad(loss, [v])()
    assert registry.load(training_backend).dtype_of(g) == "float32"
    np.testing.assert_allclose(numbers(g), 2 * X, rtol=2e-2)


def test_the_value_carries_no_graph(training_backend):
    v = Variable(X)
    value, (g,) = value_and_grad(lambda: ops.sum(v * v), [v])()
    assert not getattr(value, "requires_grad", False) and not getattr(g, "requires_grad", False)


def test_an_error_leaves_everything(training_backend):
    v, w = Variable(X), Variable(0.0)

    def loss():
        w.assign(1.0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        grad(loss, [v])()
    assert state.scope is None and state.differentiating == 0
    np.testing.assert_allclose(numbers(grad(lambda: ops.sum(v * v), [v])()[0]), 2 * X)


def test_differentiating_is_known(training_backend):
    seen = []

    def loss(x):
        seen.append(state.differentiating)
        return ops.sum(x)

    grad(loss)(X)
    assert seen[0] == 1 and state.differentiating == 0


def test_loops(training_backend):
    def loss(x):
        carry, ys = ops.scan(lambda c, v: (c * v, c + v), ops.convert_to_tensor(1.0), x)
        return carry + ops.sum(ys)

    g = numbers(grad(loss)(X))
    h = 1e-3
    for i in range(3):
        step = np.eye(3, dtype="float32")[i] * h
        slope = (numbers(loss(X + step)) - numbers(loss(X - step))) / (2 * h)
        np.testing.assert_allclose(g[i], slope, rtol=1e-2)


@pytest.mark.parametrize("compiled", [False, True])
def test_checkpoint(training_backend, compiled):
    v, runs = Variable(X), []
    count = Variable(0.0, trainable=False)

    @checkpoint
    def block(x):
        runs.append(1)
        count.assign_add(1.0)
        return ops.sin(x * v)

    f = value_and_grad(lambda x: ops.sum(block(block(x))), [v])
    value, (g,) = (jit(f) if compiled else f)(X)
    plain = lambda x: ops.sin(x * v)  # noqa: E731
    wanted, (slope,) = value_and_grad(lambda x: ops.sum(plain(plain(x))), [v])(X)
    np.testing.assert_allclose(numbers(value), numbers(wanted), rtol=1e-6)
    np.testing.assert_allclose(numbers(g), numbers(slope), rtol=1e-5)
    assert float(count) == 2.0 and len(runs) >= 2


def test_equal_on_all_backends():
    w1, w2 = np.linspace(-1, 1, 12).reshape(3, 4), np.linspace(1, -1, 8).reshape(4, 2)
    found = []
    for name in registry.backends(training=True):
        with registry.use_backend(name):
            a, b = Variable(w1.astype("float32")), Variable(w2.astype("float32"))

            def loss(x, a=a, b=b):
                logits = ops.matmul(ops.tanh(ops.matmul(x, a)), b)
                return ops.mean(ops.sparse_categorical_crossentropy([0, 1], logits, True))

            value, gradients = jit(value_and_grad(loss, [a, b]))(np.stack([X, 2 * X]))
            found.append([ops.convert_to_numpy(t) for t in (value, *gradients)])
    for others in found[1:]:
        for first, other in zip(found[0], others, strict=True):
            np.testing.assert_allclose(other, first, rtol=1e-5, atol=1e-6)


def test_what_does_not_differentiate_says_so():
    for name in ("numpy", *(n for n in registry.backends() if n == "openvino")):
        with (
            registry.use_backend(name),
            pytest.raises(RuntimeError, match="does not differentiate"),
        ):
            grad(lambda x: ops.sum(x * x))(X)
        with registry.use_backend(name), pytest.raises(RuntimeError, match="use_backend"):
            value_and_grad(lambda: 1.0, [Variable(1.0)])()


def test_abstractly():
    v, w = Variable(X), Variable("ones", (2, 2))

    def step(x):
        value, gradients = value_and_grad(lambda x: ops.sum(v * x), [v, w])(x)
        v.assign(v - gradients[0])
        return value, gradients

    from kerata.backends.abstract.tensor import AbstractTensor

    found = recorded(step, [AbstractTensor((3,), "float32")])
    value, gradients = found.result
    assert value.shape == () and [g.shape for g in gradients] == [(3,), (2, 2)]
    assert [x is v for x in found.written] == [True]
    assert w._home is None


def test_a_loss_that_is_no_scalar_is_refused(training_backend):
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        grad(lambda x: x * x)(X)
