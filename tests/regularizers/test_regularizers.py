"""Regularizers: values as Keras gives them, arguments, configs."""

import numpy as np
import pytest

from kerata import ops, regularizers
from kerata.core.config_object import same_config

W = np.array([[1.0, -2.0], [3.0, 4.0]], "float32")
CASES = [("L1", (0.1,)), ("L2", (0.1,)), ("L1L2", (0.1, 0.2)), ("L1", ()), ("L2", ()), ("L1L2", ())]


@pytest.mark.oracle
@pytest.mark.parametrize("name, args", CASES)
def test_values(backend, keras, name, args):
    mine = getattr(regularizers, name)(*args)(ops.convert_to_tensor(W))
    assert tuple(mine.shape) == ()
    assert float(mine) == pytest.approx(
        float(getattr(keras.regularizers, name)(*args)(W)), rel=1e-6
    )


@pytest.mark.oracle
@pytest.mark.parametrize("name, args", CASES)
def test_configs(keras, name, args):
    ours = getattr(regularizers, name)(*args)
    theirs = getattr(keras.regularizers, name)(*args)
    assert ours.get_config() == pytest.approx(theirs.get_config())
    assert same_config(regularizers.deserialize(regularizers.serialize(ours)), ours)
    assert type(regularizers.get(keras.regularizers.serialize(theirs))) is type(ours)


@pytest.mark.parametrize("value", ["a", -1.0, float("nan"), float("inf"), True])
def test_wrong_factors(value):
    with pytest.raises(ValueError, match="l2"):
        regularizers.L2(value)


@pytest.mark.parametrize("name", ["l2", "L2", "l1_l2", "L1L2"])
def test_names(name):
    assert isinstance(regularizers.get(name), regularizers.Regularizer)
