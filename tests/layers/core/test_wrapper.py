import numpy as np
import pytest

from kerata import layers, ops
from kerata.core.serialization import deserialize_object, serialize_object


class Twice(layers.Wrapper):
    """The layer inside, applied two times."""

    def call(self, inputs):
        return self.layer(self.layer(inputs))


def test_has_the_weights_of_the_layer_inside(backend):
    layer = Twice(layers.Dense(4, name="inner"), name="twice")
    x = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    y = backend.to_numpy(layer(backend.convert(x)))
    assert [w.path for w in layer.weights] == ["twice/inner/kernel", "twice/inner/bias"]
    kernel = layer.layer.kernel.numpy()
    np.testing.assert_allclose(y, x @ kernel @ kernel, 1e-4, 1e-5)
    layer.trainable = False
    assert not layer.trainable_weights


def test_config(keras):
    ours = layers.Wrapper(layers.Dense(3))
    theirs = keras.layers.Wrapper(keras.layers.Dense(3)).get_config()
    assert set(ours.get_config()) == set(theirs)
    again = layers.Wrapper.from_config(theirs)
    again.build((None, 4))
    assert again.layer.kernel.shape == (4, 3)
    assert again.get_build_config() == {"input_shape": (None, 4)}


def test_custom_objects():
    class Mine(layers.Dense):
        """Not registered."""

    config = serialize_object(Twice(Mine(3)))
    again = Twice.from_config(config["config"], custom_objects={"Mine": Mine})
    assert type(again.layer) is Mine
    found = deserialize_object(config, {"Mine": Mine, "Twice": Twice})
    assert type(found) is Twice and type(found.layer) is Mine


def test_refuses_what_is_no_layer():
    with pytest.raises(ValueError, match="Wrapper: layer must be a layer; got 3"):
        layers.Wrapper(3)


def test_serialize_and_deserialize(keras):
    theirs = keras.layers.serialize(keras.layers.MaxPool2D(3))
    assert layers.deserialize(theirs).pool_size == (3, 3)
    assert layers.deserialize({"class_name": "AvgPool1D", "config": {"pool_size": 2}}).rank == 1
    config = layers.serialize(layers.Dense(3, "relu"))
    again = layers.deserialize(config)
    assert again.units == 3 and again.activation(ops.convert_to_tensor(-1.0)) == 0
    with pytest.raises(TypeError, match="the class Foo, which is not known"):
        layers.deserialize({"class_name": "Foo", "config": {}})
    with pytest.raises(ValueError, match="describes no layer"):
        layers.deserialize({"module": "keras.initializers", "class_name": "Zeros", "config": {}})
