"""`FlaxLayer`."""

import numpy as np
import pytest

from kerata import layers
from kerata.backends.registry import use_backend
from tests.layers.wrappers.common import X, check, check_other_backend

jax = pytest.importorskip("jax")
nn = pytest.importorskip("flax.linen")
nnx = pytest.importorskip("flax.nnx")


@pytest.fixture(autouse=True)
def active():
    with use_backend("jax"):
        yield


class Linen(nn.Module):
    units: int = 3

    @nn.compact
    def __call__(self, inputs, training):
        x = nn.Dense(self.units)(inputs)
        x = nn.BatchNorm(use_running_average=not training)(x)
        return nn.Dropout(0.1, deterministic=not training)(x)

    def plain(self, inputs):
        return self(inputs, False)


class Described(Linen):
    def get_config(self):
        return {"units": self.units}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class OfNNX(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(4, 3, rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        return self.dropout(self.norm(self.dense(x)))

    def twice(self, x):
        return 2 * self(x)


def test_linen(tmp_path):
    layer = layers.FlaxLayer(Linen())
    check(layer, tmp_path, trusted=False)
    assert [w.shape for w in layer.trainable_weights] == [(3,), (3,), (3,), (4, 3)]
    assert [w.shape for w in layer.non_trainable_weights] == [(3,), (3,)]
    keys = ["name", "trainable", "dtype", "native_serialization_platforms", "module", "method"]
    assert list(layer.get_config()) == keys


def test_linen_with_a_config(tmp_path):
    check(layers.FlaxLayer(Described(4)), tmp_path, {"Described": Described})


def test_nnx(tmp_path):
    module = OfNNX(nnx.Rngs(0))
    kernel = np.asarray(module.dense.kernel[...])
    layer = layers.FlaxLayer(module)
    np.testing.assert_array_equal(layer.params["dense"]["kernel"].numpy(), kernel)
    check(layer, tmp_path, trusted=False)
    np.testing.assert_array_equal(module.dense.kernel[...], kernel)


def test_modes_of_nnx():
    layer = layers.FlaxLayer(OfNNX(nnx.Rngs(0)))
    one, two = (np.asarray(layer(X, training=True)) for _ in range(2))
    assert not np.array_equal(one, two)
    expected = nnx.merge(*nnx.split(OfNNX(nnx.Rngs(0))))
    expected.eval()
    layer.state["norm"]["mean"].assign(np.zeros(3))
    layer.state["norm"]["var"].assign(np.ones(3))
    np.testing.assert_allclose(layer(X), expected(X), rtol=1e-5)


def test_variables_and_methods():
    module = Linen()
    variables = module.init(jax.random.PRNGKey(0), X, False)
    expected = module.apply(variables, X, False)
    np.testing.assert_allclose(layers.FlaxLayer(module, variables=variables)(X), expected)
    for method in ("plain", Linen.plain, lambda module, inputs: module(inputs, False)):
        found = layers.FlaxLayer(module, method, variables)(X)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert layers.FlaxLayer(module, Linen.plain).get_config()["method"] == "plain"
    of_nnx = OfNNX(nnx.Rngs(0))
    one, two = layers.FlaxLayer(of_nnx)(X), layers.FlaxLayer(of_nnx, "twice")(X)
    np.testing.assert_allclose(two, 2 * one)


def test_integers():
    assert layers.FlaxLayer(nn.Embed(5, 2))(np.array([[1, 2]])).shape == (1, 2, 2)


def test_errors():
    with pytest.raises(TypeError, match=r"must be a flax\.linen\.Module"):
        layers.FlaxLayer(3)
    with pytest.raises(ValueError, match="an NNX module has its own"):
        layers.FlaxLayer(OfNNX(nnx.Rngs(0)), variables={})
    check_other_backend(layers.FlaxLayer(Linen()), "jax")
