"""Activations: values as Keras gives them, names and configs."""

import numpy as np
import pytest

from kerata import activations, ops
from kerata.core.serialization import CustomObjectScope

X = np.array([[-7.0, -3.0, -1.0, -0.5, 0.0], [0.5, 1.0, 2.0, 5.0, 7.0]], "float32")
CASES = [
    ("linear", {}),
    ("relu", {}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 2.0}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"max_value": 6.0, "negative_slope": 0.1}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"threshold": 1.0, "negative_slope": 0.1}),
    ("relu", {"threshold": 1.0, "negative_slope": 0.1, "max_value": 4.0}),
    ("relu", {"threshold": -1.0, "max_value": 2.0}),
    ("relu6", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.5}),
    ("elu", {}),
    ("elu", {"alpha": 0.5}),
    ("selu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("silu", {}),
    ("swish", {}),
    ("sigmoid", {}),
    ("hard_sigmoid", {}),
    ("tanh", {}),
    ("softplus", {}),
    ("softsign", {}),
    ("exponential", {}),
    ("softmax", {}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {}),
    ("celu", {}),
    ("celu", {"alpha": 2.0}),
    ("hard_shrink", {}),
    ("hard_silu", {}),
    ("hard_swish", {}),
    ("hard_tanh", {}),
    ("log_sigmoid", {}),
    ("mish", {}),
    ("soft_shrink", {"threshold": 0.7}),
    ("sparse_plus", {}),
    ("sparse_sigmoid", {}),
    ("sparsemax", {}),
    ("sparsemax", {"axis": 0}),
    ("squareplus", {"b": 3}),
    ("tanh_shrink", {}),
    ("threshold", {"threshold": 0.7, "default_value": -2.0}),
    ("glu", {"axis": 0}),
]


@pytest.mark.oracle
@pytest.mark.parametrize("name, kwargs", CASES)
def test_values(backend, keras, name, kwargs):
    mine = getattr(activations, name)(ops.convert_to_tensor(X), **kwargs)
    theirs = np.asarray(getattr(keras.activations, name)(X, **kwargs))
    np.testing.assert_allclose(ops.convert_to_numpy(mine), theirs, rtol=2e-6, atol=1e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_names(keras, name):
    function = activations.get(name)
    assert activations.serialize(function) == keras.activations.serialize(
        keras.activations.get(name)
    )
    assert activations.deserialize(activations.serialize(function)) is function


def test_none_is_linear():
    assert activations.get(None) is activations.linear


def test_configs_of_functions():
    config = {"module": "builtins", "class_name": "function", "config": "relu"}
    assert activations.get(config) is activations.relu


def test_custom_functions():
    def cube(x):
        return x * x * x

    assert activations.get(cube) is cube
    config = activations.serialize(cube)
    assert activations.deserialize(config, {"cube": cube}) is cube
    with CustomObjectScope({"cube": cube}):
        assert activations.get("cube") is cube
