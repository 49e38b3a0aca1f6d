"""The models that the tests of saving share: one for each way of defining one."""

import numpy as np

import kerata
from kerata import Input, Model, Sequential, layers, ops

FEATURES = 4


@kerata.saving.register_keras_serializable("tests")
class Block(layers.Layer):
    """Layers in a list, a dict and a tuple, a weight and a seed of its own."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.parts = [layers.Dense(units), {"norm": layers.BatchNormalization()}]
        self.pair = (layers.Dense(units), layers.Dropout(0.3))
        self.scale = self.add_weight(shape=(1,), initializer="ones", name="scale")

    def call(self, x):
        x = self.parts[1]["norm"](self.parts[0](x))
        return self.pair[1](self.pair[0](x)) * self.scale


@kerata.saving.register_keras_serializable("tests")
class Subclassed(Model):
    """A model with nested layers, whose call takes two tensors."""

    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [Block(width), Block(width)]
        self.head = layers.Dense(2)

    def call(self, x, shift=None):
        for block in self.blocks:
            x = block(x)
        x = self.head(x)
        return x if shift is None else x + shift


def stacked():
    """A `Sequential`."""
    return Sequential(
        [
            Input((FEATURES,)),
            layers.Dense(5, activation="relu"),
            layers.Dropout(0.4),
            layers.BatchNormalization(),
            layers.Dense(2),
        ]
    )


def functional():
    """A graph with a shared layer, a nested model, operations and a skip."""
    x = Input((FEATURES,), name="x")
    shared = layers.Dense(FEATURES)
    q = Input((FEATURES,))
    inner = Model(q, layers.Dense(2)(Block(3)(q)), name="inner")
    hidden = shared(ops.add(shared(x), 1.0))[:, ::-1]
    return Model(x, inner(ops.concatenate([hidden[:, :2], x[:, 1:3]], axis=-1)))


def subclassed():
    """A subclass, built."""
    model = Subclassed()
    model.build((None, FEATURES))
    return model


def recurrent():
    """Embedding and LSTM."""
    return Sequential([Input((6,), dtype="int32"), layers.Embedding(9, 4), layers.LSTM(3)])


WAYS = [stacked, functional, subclassed, recurrent]


def data(model=None, rows=8):
    """Inputs for any of these models."""
    rng = np.random.default_rng(5)
    if model is recurrent:
        return rng.integers(0, 9, (rows, 6)).astype("int32")
    return rng.normal(size=(rows, FEATURES)).astype("float32")


def filled(model):
    """`model` with random values in all its weights."""
    rng = np.random.default_rng(7)
    model.set_weights([rng.uniform(0.2, 1.0, w.shape).astype("float32") for w in model.weights])
    return model
