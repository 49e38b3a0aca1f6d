"""A layer as a `tf.Module`."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend

tf = pytest.importorskip("tensorflow")
from kerata.interop.tensorflow import as_module  # noqa: E402

X = np.random.default_rng(0).random((16, 4)).astype("float32")
Y = X[:, :3]


@pytest.fixture(autouse=True)
def active():
    kerata.utils.set_random_seed(0)
    with use_backend("tensorflow"):
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


class Net(tf.Module):
    """A module of TensorFlow with one of Kerata's layers in it."""

    def __init__(self, layer):
        super().__init__()
        self.body = as_module(layer)
        self.scale = tf.Variable(1.0)

    @tf.function
    def __call__(self, x, training):
        return self.body(x, training=training) * self.scale


def test_in_modules_and_functions(model):
    net = Net(model)
    held = {id(v.storage()) for v in model.variables}
    assert held == {id(v) for v in net.body.variables}
    assert len(net.trainable_variables) == 7

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(x, training=True) - y) ** 2)
        for v, g in zip(net.trainable_variables, tape.gradient(loss, net.trainable_variables)):
            v.assign_sub(0.05 * g)
        return loss

    losses = [float(step(tf.constant(X), tf.constant(Y))) for _ in range(8)]
    assert losses[-1] < losses[0]
    assert np.abs(model.get_layer("norm").moving_mean.numpy()).max() > 0
    found = net.body(X, training=False)
    np.testing.assert_allclose(found, model(X), rtol=1e-5)


def test_saved_model(model, tmp_path):
    module = as_module(model)
    module.serve = tf.function(
        lambda x: module(x, training=False), input_signature=[tf.TensorSpec((None, 4))]
    )
    tf.saved_model.save(module, str(tmp_path / "saved"))
    again = layers.TFSMLayer(tmp_path / "saved")
    np.testing.assert_allclose(again(X), model(X), rtol=1e-5)
    assert len(again.trainable_weights) == 6


def test_checkpoint(model, tmp_path):
    module = as_module(model)
    path = tf.train.Checkpoint(module=module).save(str(tmp_path / "point"))
    expected = model.get_weights()
    model.set_weights([np.zeros(w.shape) for w in model.weights])
    tf.train.Checkpoint(module=module).restore(path).assert_consumed()
    for a, b in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_moved_variables(model):
    module = as_module(model)
    kernel = module.held["first/kernel"]
    with use_backend("numpy"):
        model.get_layer("first").kernel.assign(np.ones((4, 8)))
    module(X)
    assert model.get_layer("first").kernel.storage() is kernel
    assert float(kernel[0, 0]) == 1


def test_not_built():
    with pytest.raises(ValueError, match="has no variables yet"):
        as_module(layers.Dense(2))
