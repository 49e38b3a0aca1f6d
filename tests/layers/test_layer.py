"""`Layer` as its subclasses rely on it: building, paths, precision."""

import numpy as np
import pytest

from kerata import layers
from kerata.backends.registry import use_backend


class Block(layers.Layer):
    """Builds its layers by hand."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(units, name="first")
        self.second = layers.LSTM(units, name="second")

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build((*input_shape[:-1], self.first.units))
        self.scale = self.add_weight(name="scale", initializer="ones")

    def call(self, x):
        return self.second(self.first(x)) * self.scale.value


class Taller(Block):
    """Builds what its parent builds, and more."""

    def build(self, input_shape):
        super().build(input_shape)
        self.shift = self.add_weight(name="shift", initializer="zeros")

    def call(self, x):
        return super().call(x) + self.shift.value


PATHS = ["scale", "first/kernel", "first/bias"] + [
    f"second/lstm_cell/{n}" for n in ("kernel", "recurrent_kernel", "bias")
]


def test_paths_are_the_same_however_it_is_built():
    x = np.ones((2, 3, 4), "float32")
    with use_backend("numpy"):
        called, built, symbolic = (Block(5, name="block") for _ in range(3))
        called(x)
        built.build((None, 3, 4))
        symbolic(layers.Input((3, 4)))
        for block in (called, built, symbolic):
            assert [w.path for w in block.weights] == [f"block/{p}" for p in PATHS]


def test_built_by_hand_is_built_once():
    layer = layers.Dense(3)
    layer.build((None, 4))
    kernel = layer.kernel
    assert layer.built
    assert layer.get_build_config() == {"input_shape": (None, 4)}
    with use_backend("numpy"):
        layer(np.ones((2, 4), "float32"))
    assert layer.kernel is kernel
    assert len(layer.weights) == 2


def test_build_of_a_parent():
    with use_backend("numpy"):
        layer = Taller(5, name="tall")
        layer(np.ones((2, 3, 4), "float32"))
    assert [w.path for w in layer.weights][:2] == ["tall/scale", "tall/shift"]


def test_the_config_of_keras_with_what_is_not_supported():
    config = layers.BatchNormalization().get_config()
    layers.BatchNormalization.from_config(config | {"quantization_config": None})
    with pytest.raises(TypeError, match="quantization_config"):
        layers.BatchNormalization.from_config(config | {"quantization_config": {"mode": "int8"}})
