"""Models, layers, optimizers and variables in `pickle` and `copy.deepcopy`."""

import copy
import pickle

import numpy as np
import pytest

import kerata
from kerata import layers

X = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")


class Doubled(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units, activation=halved)

    def call(self, x):
        return 2 * self.dense(x)


def halved(x):
    return x / 2


def error(y_true, y_pred):
    return (y_true - y_pred) ** 2


def trained():
    model = kerata.Sequential([kerata.Input((4,)), Doubled(3), layers.Dense(1, activation=halved)])
    model.compile("adam", error, metrics=["mae"])
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    return model


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_models_go_on_as_they_were(training_backend, copied):
    model = trained()
    again = copied(model)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    for one in (model, again):
        one.fit(X, X[:, :1], shuffle=False, verbose=0)
    for found, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert again.get_weights()[0] is not model.get_weights()[0]


def test_other_objects(backend):
    layer = Doubled(2)
    layer(X)
    again = pickle.loads(pickle.dumps(layer))
    numbers = kerata.ops.convert_to_numpy
    np.testing.assert_array_equal(numbers(again(X)), numbers(layer(X)))
    variable = kerata.Variable([1.0, 2.0], name="v")
    other = copy.deepcopy(variable)
    other.assign_add([1.0, 1.0])
    assert (variable.numpy().tolist(), other.numpy().tolist()) == ([1.0, 2.0], [2.0, 3.0])
    optimizer = kerata.optimizers.Adam(0.5)
    optimizer.build([variable])
    again = pickle.loads(pickle.dumps(optimizer))
    assert float(again.learning_rate) == 0.5 and len(again.variables) == len(optimizer.variables)
    mean = kerata.metrics.Mean()
    mean.update_state([1.0, 3.0])
    assert float(pickle.loads(pickle.dumps(mean)).result()) == 2.0
