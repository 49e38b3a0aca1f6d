"""JAX's kernels whose derivatives are written out: the composites' results, in every mode."""

from __future__ import annotations

import functools

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp, lax = jax.numpy, jax.lax

from kerata import ops  # noqa: E402
from kerata.backends import registry  # noqa: E402
from kerata.backends.state import body_of  # noqa: E402
from kerata.core.transforms import jit  # noqa: E402


@pytest.fixture(autouse=True)
def active():
    with registry.use_backend("jax") as backend:
        yield backend


def drawn(*shape):
    return jnp.asarray(np.random.default_rng(sum(shape)).standard_normal(shape), "float32")


def every_mode(f, x):
    """Value, gradient, forward derivative, and the gradient of the gradient's norm; all of `f`."""
    tangent = jnp.cos(x)
    batch = jnp.stack([x, -x])
    return (
        *jax.value_and_grad(f)(x),
        jax.jvp(f, (x,), (tangent,))[1],
        jax.grad(lambda x: (jax.grad(f)(x) ** 2).sum())(x),
        jax.vmap(jax.grad(f))(batch),
        jax.grad(jax.checkpoint(f))(x),
    )


def assert_alike(f, other, x, rtol=2e-5):
    for a, b in zip(every_mode(f, x), every_mode(other, x), strict=True):
        scale = float(jnp.abs(b).max())
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("features", [3, 70])  # the product in each step, or before all
@pytest.mark.parametrize(("op", "states", "gates"), [("lstm", 2, 4), ("gru", 1, 3)])
def test_recurrences_derive_as_their_composites(op, states, gates, features, masked):
    weights = 0.3 * drawn(features, 8), 0.5 * drawn(2, 8)
    weights = tuple(w[:, : 2 * gates] for w in weights)
    bias = drawn(2, 6) if op == "gru" else drawn(8)
    mask = jnp.asarray([[True] * 5, [False, True, False, True, True]]) if masked else None

    def run(f, x):
        start = [drawn(2, 2)] * states
        last, outputs, ends = f(
            x, *start, *weights, bias, mask, activation=ops.tanh, recurrent_activation=ops.sigmoid
        )
        return (last * ends[0]).sum() + (outputs**2).sum()

    ours, body = (functools.partial(run, f) for f in (getattr(ops, op), body_of(op)))
    assert_alike(ours, body, drawn(2, 5, features), rtol=2e-4)


@pytest.mark.parametrize("shape", [(2, 3, 4), (0, 3, 4), (2, 3, 1, 4)])
def test_products_with_a_matrix_derive_as_einsum(shape):
    kernel = drawn(4, 5)
    for given in (drawn(*shape), drawn(*shape).astype("bfloat16")):
        same = kernel.astype(given.dtype)
        y = jax.jit(ops.matmul)(given, same)
        assert y.shape == (*shape[:-1], 5) and y.dtype == given.dtype
    if 0 not in shape:
        own = lambda x: (ops.matmul(x, kernel) ** 3).sum()  # noqa: E731
        other = lambda x: (jnp.einsum("...i,ij->...j", x, kernel) ** 3).sum()  # noqa: E731
        assert_alike(own, other, drawn(*shape))


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_maximum_pooling_derives_as_a_window(size, stride, padding):
    def own(x):
        return (ops.max_pool(x, size, stride, padding, "channels_last") ** 3).sum()

    def window(x):
        frame = (1, size, size, 1), (1, stride, stride, 1)
        return (lax.reduce_window(x, -jnp.inf, lax.max, *frame, padding.upper()) ** 3).sum()

    x = jnp.asarray(np.random.default_rng(0).permutation(2 * 7 * 6 * 3), "float32") / 100
    x = x.reshape(2, 7, 6, 3)
    for a, b in zip((*jax.value_and_grad(own)(x), jax.jvp(own, (x,), (x,))[1]),
                    (*jax.value_and_grad(window)(x), jax.jvp(window, (x,), (x,))[1]),
                    strict=True):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-5)
    ties = jnp.round(x / 2)
    np.testing.assert_allclose(jax.grad(own)(ties), jax.grad(window)(ties), rtol=1e-5)
    twice = jax.grad(lambda x: (jax.grad(own)(x) ** 2).sum())(x)
    assert bool(jnp.isfinite(twice).all()) and bool((twice != 0).any())


def test_maximum_pooling_hands_on_nan():
    x = drawn(1, 4, 1).at[0, 1, 0].set(jnp.nan)
    assert np.isnan(ops.max_pool(x, 2)).ravel().tolist() == [True, False]
    gradient = jax.grad(lambda x: ops.max_pool(x, 2).sum())(x)
    assert gradient.ravel()[:2].tolist() == [0, 1]


def test_pooling_nothing():
    assert ops.max_pool(jnp.zeros((0, 4, 1)), 2).shape == (0, 2, 1)


@pytest.mark.parametrize("size", [8, 1000, 100_000])
def test_a_compiled_function_does_not_see_later_writes(size):
    double = jit(lambda x: x * 2)
    for offset in range(16):
        array = np.zeros(size + 16, "float32")[offset : offset + size]
        result = double(array)
        array[:] = 1
        assert not ops.convert_to_numpy(result).any()
    assert double(np.ones(2)).dtype == "float32" and len(double.compilations["jax"]) == 2


def test_a_compiled_function_takes_arrays_inside_of_transformations():
    product = jit(lambda x, y: ops.matmul(x, y) + x.sum())
    y = np.ones((2, 2), "float32")
    gradient = jax.grad(lambda x: product(x, y).sum())(jnp.ones((2, 2)))
    assert gradient.shape == (2, 2)
    assert jit(lambda x: product(x, y))(jnp.ones((2, 2))).shape == (2, 2)
