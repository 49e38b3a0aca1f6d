import pytest

from kerata import layers
from kerata.core.symbolic import KerasTensor


def test_input_is_the_output_of_an_input_layer():
    x = layers.Input((28, None), batch_size=4, dtype="uint8", name="pixels")
    assert isinstance(x, KerasTensor)
    assert (x.shape, x.dtype, x.name) == ((4, 28, None), "uint8", "pixels")
    layer = x.node.operation
    assert isinstance(layer, layers.InputLayer)
    assert (layer.name, layer.batch_shape, layer.dtype) == ("pixels", (4, 28, None), "uint8")
    assert layer.output is x
    assert x.node.inputs == []


def test_config():
    layer = layers.InputLayer((3,), dtype="int32", name="ids", optional=True)
    again = layers.InputLayer.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.output.shape == (None, 3)
    assert again.optional


@pytest.mark.oracle
def test_config_of_keras(keras):
    theirs = keras.layers.InputLayer((3, None), batch_size=2, dtype="int32", name="ids")
    ours = layers.InputLayer((3, None), batch_size=2, dtype="int32", name="ids")
    assert ours.get_config() == theirs.get_config()
    again = layers.InputLayer.from_config(theirs.get_config())
    assert again.output.shape == theirs.output.shape


def test_begin_at_a_tensor():
    x = layers.Dense(2)(layers.Input((3,)))
    assert layers.Input(tensor=x) is x
    assert isinstance(x.node.operation, layers.InputLayer)
