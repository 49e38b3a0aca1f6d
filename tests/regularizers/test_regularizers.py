"""Regularizers: values as Keras gives them, arguments, configs."""

import numpy as np
import pytest

from kerata import grad, ops, regularizers
from kerata.core.config_object import same_config

W = np.array([[1.0, -2.0], [3.0, 4.0]], "float32")
CASES = [
    ("L1", (0.1,)),
    ("L2", (0.1,)),
    ("L1L2", (0.1, 0.2)),
    ("L1", ()),
    ("L2", ()),
    ("L1L2", ()),
    ("OrthogonalRegularizer", (0.5,)),
]


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


def test_orthogonal(training_backend):
    square = regularizers.OrthogonalRegularizer(1.0, "columns")
    assert float(square(ops.eye(3))) == 0.0
    assert float(square(ops.ones((3, 4)))) == pytest.approx(1.0)
    assert float(square(ops.ones((3, 1)))) == 0.0
    # Keras divides the columns by the norms of others and refuses 3 × 2; the cosine is meant.
    assert float(square(W)) == pytest.approx(10 / (10**0.5 * 20**0.5))
    gradient = grad(square)(ops.zeros((2, 3)))
    assert np.all(ops.convert_to_numpy(gradient) == 0)
    for wrong in ({"mode": "diagonals"}, {"factor": None}, {"factor": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            regularizers.OrthogonalRegularizer(**wrong)
    with pytest.raises(ValueError, match="matrices"):
        square(ops.ones(3))


@pytest.mark.parametrize("value", ["a", -1.0, float("nan"), float("inf"), True])
def test_wrong_factors(value):
    with pytest.raises(ValueError, match="l2"):
        regularizers.L2(value)


@pytest.mark.parametrize("name", ["l2", "L2", "l1_l2", "L1L2", "orthogonal_regularizer"])
def test_names(name):
    assert isinstance(regularizers.get(name), regularizers.Regularizer)
