"""Bases that say constructor and arguments once for several layers."""

import inspect
import pickle

import pytest

from kerata import layers


class Wide(layers.Conv2D, strides=(2, 2), activation="relu"):
    """A convolution of every second place.

    Input: images.
    """


def test_defaults_of_a_class():
    assert inspect.signature(layers.Conv1D).parameters["strides"].default == 1
    assert inspect.signature(layers.Conv3D).parameters["strides"].default == (1, 1, 1)
    layer = Wide(3, 2)
    assert layer.strides == (2, 2) and layer.get_config()["activation"] == "relu"
    assert Wide.from_config(layer.get_config()).strides == (2, 2)
    assert Wide(3, 2, strides=1).strides == (1, 1)
    assert layers.Conv2D(3, 2).strides == (1, 1)
    assert pickle.loads(pickle.dumps(layer)).strides == (2, 2)


def test_an_unknown_default():
    with pytest.raises(TypeError, match=r"no arguments \['stride'\] with defaults"):

        class Wrong(layers.Conv2D, stride=2):
            pass


def test_arguments_in_docstrings():
    for cls in (Wide, layers.Conv2D, layers.Conv3DTranspose, layers.AlphaDropout):
        before, after = inspect.getdoc(cls).split("\nArgs:\n")
        assert "\nInput" in after and "Args" not in before + after
        assert after.index("    ") < after.index("\nInput")
    assert inspect.getdoc(layers.Cropping1D).count("Args:") == 1
