"""`TFSMLayer`."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend
from tests.layers.wrappers.common import X, check, check_other_backend

tf = pytest.importorskip("tensorflow")
SPEC = tf.TensorSpec((None, 4))


class Saved(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.ones((4, 3)), name="kernel")
        self.count = tf.Variable(0, trainable=False, name="count")

    @tf.function(input_signature=[SPEC])
    def serve(self, x):
        return x @ self.kernel

    @tf.function(input_signature=[SPEC])
    def serve_training(self, x):
        self.count.assign_add(1)
        return x @ self.kernel

    @tf.function(input_signature=[{"a": SPEC, "b": SPEC}])
    def of_dicts(self, x):
        return {"y": (x["a"] + x["b"]) @ self.kernel}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("saved"))
    saved = Saved()
    tf.saved_model.save(saved, folder, signatures={"serving_default": saved.serve})
    return folder


@pytest.fixture(autouse=True)
def active():
    with use_backend("tensorflow"):
        yield


def test_trains_saves_and_loads(path, tmp_path):
    layer = layers.TFSMLayer(path, call_training_endpoint="serve_training")
    model = kerata.Sequential([layers.Input((4,)), layer, layers.Dense(3)])
    model.compile("adam", "mse")
    model.fit(X, X[:, :3], epochs=3, verbose=0)
    assert int(layer.weights[1]) == 3
    check(layers.TFSMLayer(path), tmp_path, trusted=False)


def test_weights_and_config(path):
    layer = layers.TFSMLayer(path, call_training_endpoint="serve_training")
    assert [(v.name, v.trainable) for v in layer.weights] == [("kernel", True), ("count", False)]
    assert [v.name for v in layers.TFSMLayer(path).weights] == ["kernel"]
    assert list(layer.get_config()) == [
        "name", "trainable", "dtype", "filepath", "call_endpoint", "call_training_endpoint",
    ]  # fmt: skip
    assert layers.TFSMLayer(path, trainable=False).trainable_weights == []


def test_endpoints(path):
    expected = X.sum(1, keepdims=True) * np.ones(3)
    np.testing.assert_allclose(layers.TFSMLayer(path)(X), expected, rtol=1e-5)
    by_signature = layers.TFSMLayer(path, call_endpoint="serving_default")(X)
    np.testing.assert_allclose(by_signature["output_0"], expected, rtol=1e-5)
    by_dict = layers.TFSMLayer(path, call_endpoint="of_dicts")({"a": X, "b": X})
    np.testing.assert_allclose(by_dict["y"], 2 * expected, rtol=1e-5)


def test_gradients(path):
    layer = layers.TFSMLayer(path)
    x = tf.constant(X)
    slopes = kerata.grad(lambda x: kerata.ops.sum(layer(x) ** 2))(x)
    expected = 2 * (X @ np.ones((4, 3))) @ np.ones((3, 4))
    np.testing.assert_allclose(slopes, expected, rtol=1e-5)
    found = kerata.jit(
        lambda x: kerata.grad(lambda: kerata.ops.sum(layer(x) ** 2), layer.trainable_variables)()
    )(x)
    np.testing.assert_allclose(found[0], 2 * X.T @ (X @ np.ones((4, 3))), rtol=1e-4)


def test_writes_reach_the_saved_model(path):
    layer = layers.TFSMLayer(path)
    with use_backend("numpy"):
        layer.weights[0].assign(np.zeros((4, 3)))
    assert float(np.abs(layer(X)).max()) == 0
    layer.trainable = False
    layer.set_weights([np.ones((4, 3))])
    assert float(np.abs(layer(X)).max()) > 0


def test_errors(path):
    with pytest.raises(ValueError, match="which has of_dicts, serve, serve_training, serving_def"):
        layers.TFSMLayer(path, call_endpoint="nothing")
    with pytest.raises(ValueError, match="call_training_endpoint='nothing' is no function"):
        layers.TFSMLayer(path, call_training_endpoint="nothing")
    with pytest.raises(OSError, match="does not exist"):
        layers.TFSMLayer(path + "/nowhere")
    layer = layers.TFSMLayer(path)
    with pytest.raises(RuntimeError, match="can't be called with other values"):
        layer.stateless_call([], [], X)
    check_other_backend(layer, "tensorflow")
