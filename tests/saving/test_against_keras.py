"""Weights go to Keras 3 and come back."""

import h5py
import numpy as np
import pytest

import kerata
from kerata.backends.registry import use_backend

pytestmark = pytest.mark.oracle
ROWS, LENGTH, FEATURES = 3, 6, 4


def dense(k):
    return [k.layers.Dense(5, activation="relu"), k.layers.Dropout(0.3), k.layers.Dense(2)]


def convolution(k):
    layers = k.layers
    return [layers.Conv1D(3, 2), layers.BatchNormalization(), layers.Flatten(), layers.Dense(2)]


def lstm(k):
    return [k.layers.LSTM(5, return_sequences=True, dropout=0.1), k.layers.LSTM(3)]


def others(k):
    layers = k.layers
    return [layers.GRU(3, return_sequences=True), layers.LayerNormalization(), layers.Dense(2)]


def half(k):
    return [k.layers.Dense(3, dtype="bfloat16"), k.layers.Dense(2, dtype="float16")]


def stack(k, layers):
    return k.Sequential([k.Input((LENGTH, FEATURES)), *layers(k)])


def branched(k):
    """A graph with a shared layer, a nested model and attention."""
    x = k.Input((LENGTH, FEATURES))
    shared = k.layers.Dense(FEATURES)
    q = k.Input((LENGTH, FEATURES))
    inner = k.Model(q, k.layers.Dense(3)(k.layers.Dense(2)(q)))
    joined = k.layers.Add()([shared(x), k.layers.Dense(FEATURES)(shared(x))])
    attended = k.layers.MultiHeadAttention(2, 3, dropout=0.1)(joined, x)
    return k.Model(x, [inner(attended), joined])


def nested(k):
    """A subclass with layers in lists, dicts and tuples, weights and properties of its own."""

    class Part(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.rows = [k.layers.Dense(4), [k.layers.Dense(4)], {}, (k.layers.Dense(4),)]
            self.Upper, self._private = k.layers.Dense(4), k.layers.Dense(4)
            self.table = {"b": k.layers.Dense(4), "a": k.layers.BatchNormalization()}
            self.total = k.metrics.Mean()
            self.scale = self.add_weight(shape=(1,), initializer="ones", name="scale")

        @property
        def renamed(self):
            return self._private

        def call(self, x):
            layers = [self.rows[0], self.rows[1][0], self.rows[3][0], self.Upper, self.renamed]
            for layer in [*layers, self.table["b"], self.table["a"]]:
                x = layer(x)
            return x * self.scale

    class Whole(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.parts = [Part(), Part()]
            self.alias = self.parts[0]
            self.zone = k.Sequential([k.layers.Dense(3)])
            self._last = k.layers.Dense(2)

        def call(self, x):
            return self._last(self.zone(self.parts[1](self.alias(x))))

    model = Whole()
    model.build((None, LENGTH, FEATURES))
    model(np.zeros((1, LENGTH, FEATURES), "float32"))
    return model


STACKS = [dense, convolution, lstm, others, half]
MODELS = {f.__name__: (lambda k, f=f: stack(k, f)) for f in STACKS}
MODELS |= {"branched": branched, "nested": nested}


def tree(path):
    """Every variable in a file, seeds left out, with its shape."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda n, x: found.update({n: x.shape}) if isinstance(x, h5py.Dataset) else None
        )
    return {n: s for n, s in found.items() if "seed_generator" not in n}


def close(one, other):
    for a, b in zip(*(x if isinstance(x, list) else [x] for x in (one, other)), strict=True):
        tolerance = 1e-5 if a.dtype == np.float32 else 1e-2
        np.testing.assert_allclose(np.float32(a), np.float32(b), rtol=tolerance, atol=tolerance)


@pytest.fixture(params=MODELS)
def pair(request, keras):
    """The same model in both libraries, and data for it."""
    x = np.random.default_rng(4).normal(size=(ROWS, LENGTH, FEATURES)).astype("float32")
    with use_backend("numpy"):
        yield MODELS[request.param](kerata), MODELS[request.param](keras), x


def test_weights_go_to_keras_and_back(pair, tmp_path):
    ours, theirs, x = pair
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
    rng = np.random.default_rng(9)
    for variable in theirs.weights:
        variable.assign(rng.uniform(0.1, 0.6, variable.shape))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    assert tree(tmp_path / "ours.weights.h5") == tree(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_optimizer_state_comes_from_keras(pair, tmp_path):
    ours, theirs, _ = pair
    for model in (ours, theirs):
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(9)
    for i, variable in enumerate(theirs.optimizer.variables):
        variable.assign(7 if i == 0 else rng.uniform(0.1, 0.6, variable.shape))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    assert int(ours.optimizer.iterations.numpy()) == 7
    for a, b in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.float32(a.numpy()), np.float32(b.numpy()))


def test_sharded_weights(keras, tmp_path):
    with use_backend("numpy"):
        ours, theirs = stack(kerata, dense), stack(keras, dense)
        ours.save_weights(tmp_path / "ours.weights.json", max_shard_size=1e-7)
        theirs.load_weights(tmp_path / "ours.weights.json")
        x = np.ones((ROWS, LENGTH, FEATURES), "float32")
        close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
        for variable in theirs.weights:
            variable.assign(np.full(variable.shape, 0.25))
        theirs.save_weights(tmp_path / "theirs.weights.json", max_shard_size=2e-7)
        ours.load_weights(tmp_path / "theirs.weights.json")
        close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
