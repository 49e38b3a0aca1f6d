"""Constraints: values as Keras gives them, configs."""

import numpy as np
import pytest

from kerata import constraints, ops
from kerata.core.config_object import same_config

W = np.array([[1.0, -2.0], [3.0, 4.0]], "float32")
CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.5, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0}),
    ("MinMaxNorm", {"min_value": 6.0, "max_value": 8.0, "rate": 0.5, "axis": 1}),
]


@pytest.mark.oracle
@pytest.mark.parametrize("w", [W, np.zeros((2, 2), "float32")])
@pytest.mark.parametrize("name, kwargs", CASES)
def test_values(backend, keras, name, kwargs, w):
    mine = getattr(constraints, name)(**kwargs)(ops.convert_to_tensor(w))
    theirs = getattr(keras.constraints, name)(**kwargs)(w)
    np.testing.assert_allclose(ops.convert_to_numpy(mine), np.asarray(theirs), rtol=2e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("name, kwargs", CASES)
def test_configs(keras, name, kwargs):
    ours = getattr(constraints, name)(**kwargs)
    theirs = getattr(keras.constraints, name)(**kwargs)
    assert ours.get_config() == theirs.get_config()
    assert same_config(constraints.deserialize(constraints.serialize(ours)), ours)
    assert type(constraints.get(keras.constraints.serialize(theirs))) is type(ours)


@pytest.mark.parametrize("name", ["max_norm", "NonNeg", "unit_norm", "min_max_norm"])
def test_names(name):
    assert isinstance(constraints.get(name), constraints.Constraint)
