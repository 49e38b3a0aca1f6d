"""A layer as pure functions of JAX, and as an `nnx.Module`."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend

jax = pytest.importorskip("jax")
from kerata.interop.jax import functional, update  # noqa: E402

X = np.random.default_rng(0).random((16, 4)).astype("float32")
Y = X[:, :3]


@pytest.fixture(autouse=True)
def active():
    kerata.utils.set_random_seed(0)
    with use_backend("jax"):
        yield


@pytest.fixture
def model():
    return kerata.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, "relu", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.1),
            layers.Dense(3),
        ]
    )


def test_trees(model):
    apply, params, state = functional(model)
    assert {n: sorted(v) for n, v in params.items()} == {
        "first": ["bias", "kernel"], "norm": ["beta", "gamma"], "dense": ["bias", "kernel"],
    }  # fmt: skip
    assert {n: sorted(v) for n, v in state.items()} == {
        "norm": ["moving_mean", "moving_variance"], "dropout": ["seed_generator_state"],
    }  # fmt: skip
    outputs, same = apply(params, state, X)
    np.testing.assert_allclose(outputs, model(X), rtol=1e-5)
    assert jax.tree.structure(same) == jax.tree.structure(state)


def test_a_loop_with_optax(model):
    optax = pytest.importorskip("optax")
    apply, params, state = functional(model)
    before = model.get_weights()
    rule = optax.adam(0.02)
    slots = rule.init(params)

    @jax.jit
    def step(params, state, slots):
        def loss(params):
            outputs, new = apply(params, state, X, training=True)
            return ((outputs - Y) ** 2).mean(), new

        (value, new), slopes = jax.value_and_grad(loss, has_aux=True)(params)
        changes, slots = rule.update(slopes, slots)
        return optax.apply_updates(params, changes), new, slots, value

    losses = []
    for _ in range(8):
        params, state, slots, value = step(params, state, slots)
        losses.append(float(value))
    assert losses[-1] < losses[0]
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    update(model, params, state)
    np.testing.assert_allclose(model(X), apply(params, state, X)[0], rtol=1e-5)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)  # which donates what the variables hold, not the trees
    assert np.isfinite(apply(params, state, X)[0]).all()


def test_maps(model):
    apply, params, state = functional(model)
    expected = np.asarray(model(X))
    each = jax.vmap(lambda x: apply(params, state, x[None])[0][0])(X)
    np.testing.assert_allclose(each, expected, rtol=1e-4, atol=1e-6)
    on_devices = jax.pmap(lambda x: apply(params, state, x)[0])(X[None])
    np.testing.assert_allclose(on_devices[0], expected, rtol=1e-4, atol=1e-6)


def test_under_another_backend(model):
    with use_backend("numpy"):
        apply, params, state = functional(model)
        assert isinstance(apply(params, state, X)[0], jax.Array)


def test_wrong_trees(model):
    apply, _, state = functional(model)
    with pytest.raises(ValueError, match="params must be a tree like"):
        apply({}, state, X)
    with pytest.raises(ValueError, match="state must be a tree like"):
        update(model, state={"norm": 1})
    with pytest.raises(ValueError, match="has no variables yet"):
        functional(layers.Dense(2))


def test_nnx(model):
    nnx = pytest.importorskip("flax.nnx")
    optax = pytest.importorskip("optax")
    module = kerata.interop.flax.as_module(model)
    assert module.params.first.kernel[...].shape == (4, 8)
    optimizer = nnx.Optimizer(module, optax.adam(0.02), wrt=nnx.Param)

    @nnx.jit
    def step(module, optimizer):
        loss, slopes = nnx.value_and_grad(lambda m: ((m(X) - Y) ** 2).mean())(module)
        optimizer.update(module, slopes)
        return loss

    module.train()
    losses = [float(step(module, optimizer)) for _ in range(8)]
    assert losses[-1] < losses[0]
    assert int(module.state.dropout.seed_generator_state[1]) == 8
    assert np.abs(module.state.norm.moving_mean[...]).max() > 0
    assert np.abs(model.get_layer("norm").moving_mean.numpy()).max() == 0
    module.eval()
    found = module(X)
    module.write_back()
    np.testing.assert_allclose(model(X), found, rtol=1e-5)
