"""Layers as users write them, called, trained, saved and loaded on every backend that trains."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.saving import load_model, register_keras_serializable

X = np.random.default_rng(0).random((16, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


@register_keras_serializable("custom_layers")
class InInit(layers.Layer):
    """Its weights are made in `__init__`."""

    def __init__(self, units=3, size=4, **kwargs):
        super().__init__(**kwargs)
        self.units, self.size = units, size
        self.kernel = self.add_weight((size, units), name="kernel")
        self.offset = kerata.Variable(np.zeros(units, "float32"), name="offset")

    def call(self, x):
        return ops.matmul(x, self.kernel) + self.offset


@register_keras_serializable("custom_layers")
class InBuild(layers.Layer):
    """Its weights are made in `build`; it has an argument of its own and a state."""

    def __init__(self, units=3, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = kerata.activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x, scale=1.0, training=None):
        if training:
            self.calls.assign_add(1.0)
        return self.activation(x @ self.kernel) * scale


@register_keras_serializable("custom_layers")
class InCall(layers.Layer):
    """Its weights and a layer of its own are made when they are first needed."""

    def call(self, x):
        if not hasattr(self, "kernel"):
            self.kernel = self.add_weight(shape=(x.shape[-1], 3), name="kernel")
            self.top = layers.Dense(2)
        return self.top(x @ self.kernel)


@register_keras_serializable("custom_layers")
class Nested(layers.Layer):
    """Layers in lists, dicts, and lists of dicts."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(4, "relu"), [InBuild(4), layers.Dropout(0.1)]]
        self.heads = {"mean": layers.Dense(1), "spread": layers.Dense(1)}
        self.later = []
        self.later.append({"norm": layers.LayerNormalization()})

    def call(self, x, training=None):
        for layer in (self.blocks[0], *self.blocks[1]):
            x = layer(x)
        x = self.later[0]["norm"](x)
        return self.heads["mean"](x) + ops.softplus(self.heads["spread"](x))


@register_keras_serializable("custom_layers")
class OfDicts(layers.Layer):
    """Dict and nested inputs, dict outputs, shapes by name in `build`."""

    def build(self, input_shape):
        self.first = self.add_weight(shape=(input_shape["a"][-1], 2), name="first")
        self.second = self.add_weight(shape=(input_shape["b"][0][-1], 2), name="second")

    def call(self, inputs):
        b, c = inputs["b"]
        return {"sum": inputs["a"] @ self.first + b @ self.second, "rest": [c, c * 2]}


@register_keras_serializable("custom_layers")
class OfArguments(layers.Layer):
    """Several tensors, by position and by name."""

    def build(self, query_shape, key_shape=None, value_shape=None):
        self.shapes = query_shape, key_shape, value_shape
        self.kernel = self.add_weight(shape=(query_shape[-1], key_shape[-1]), name="kernel")

    def call(self, query, key, value=None, *, power=1):
        found = ops.matmul(query, self.kernel) * key
        return found**power if value is None else found**power + value


def trained(make, x=X, y=Y):
    """A model with a layer, trained; its loss has fallen."""
    model = make()
    model.compile(kerata.optimizers.Adam(0.02), "mse")
    losses = model.fit(x, y, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    return model


def check_saved(model, tmp_path, x=X):
    path = tmp_path / "model.keras"
    model.save(path)
    again = load_model(path)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
    assert len(again.weights) == len(model.weights)
    weights = tmp_path / "model.weights.h5"
    model.save_weights(weights)
    expected = model.predict(x, verbose=0)
    for variable in model.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    model.load_weights(weights)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize("layer", [InInit, InBuild, InCall, Nested])
@pytest.mark.parametrize("symbolic", [True, False])
def test_trains_saves_and_loads(layer, symbolic, training_backend, tmp_path):
    stack = [layer(), layers.Dense(1)]
    model = trained(lambda: kerata.Sequential([layers.Input((4,)), *stack] if symbolic else stack))
    moved = stack[0].trainable_variables
    assert moved
    check_saved(model, tmp_path)


def test_weights_are_those_of_keras(keras):
    """In number, shape and order, for layers written once for both."""
    source = {"layers": layers, "ops": ops}
    of_keras = {"layers": keras.layers, "ops": keras.ops}
    text = (
        "class Block(layers.Layer):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.top = layers.Dense(2)\n"
        "        self.items = [layers.Dense(3), {'x': layers.BatchNormalization()}]\n"
        "        self.scale = self.add_weight(shape=(5,), name='scale')\n"
        "    def build(self, shape):\n"
        "        self.frozen = self.add_weight(shape=(1,), trainable=False, name='frozen')\n"
        "        self.kernel = self.add_weight(shape=(shape[-1],), name='kernel')\n"
        "    def call(self, x, training=False):\n"
        "        x = self.items[1]['x'](self.items[0](x * self.kernel), training=training)\n"
        "        return self.top(x)\n"
    )
    found = []
    for names in (source, of_keras):
        exec(text, names)
        block = names["Block"]()
        block(X)
        found.append(block)
    for kind in ("weights", "trainable_weights", "non_trainable_weights"):
        mine, theirs = (getattr(b, kind) for b in found)
        assert [(w.name, w.shape) for w in mine] == [(w.name, tuple(w.shape)) for w in theirs]


def test_what_a_call_takes_out_of_a_dictionary_stays_in_it(backend):
    class Takes(layers.Layer):
        def call(self, inputs, more):
            return inputs.pop("a") + more.pop("b")

    x = backend.convert(np.ones((2, 3), "float32"))
    inputs, more = {"a": x}, {"b": x}
    assert backend.to_numpy(Takes()(inputs, more=more)).tolist() == [[2.0] * 3] * 2
    assert list(inputs) == ["a"]
    assert list(more) == ["b"]


def test_dict_inputs(training_backend, tmp_path):
    inputs = {"a": X, "b": (X[:, :3], X[:, :1])}
    layer = OfDicts()
    found = layer(inputs)
    expected = X @ layer.first.numpy() + X[:, :3] @ layer.second.numpy()
    np.testing.assert_allclose(ops.convert_to_numpy(found["sum"]), expected, rtol=1e-5)
    symbolic = {
        "a": layers.Input((4,), name="a"),
        "b": (layers.Input((3,), name="b"), layers.Input((1,), name="c")),
    }
    outputs = OfDicts()(symbolic)
    assert outputs["sum"].shape == (None, 2)
    assert [x.shape for x in outputs["rest"]] == [(None, 1), (None, 1)]
    model = kerata.Model(symbolic, layers.Dense(1)(outputs["sum"]))
    check_saved(trained(lambda: model, inputs), tmp_path, inputs)


def test_arguments_by_name(training_backend):
    layer = OfArguments()
    found = layer(X, key=X[:, :2], value=X[:, :2], power=2)
    assert layer.shapes == ((16, 4), (16, 2), (16, 2))
    expected = (X @ layer.kernel.numpy() * X[:, :2]) ** 2 + X[:, :2]
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-4)
    a, b = layers.Input((4,)), layers.Input((2,))
    assert OfArguments()(a, b, power=3).shape == (None, 2)
    model = kerata.Model([a, b], layers.Dense(1)(OfArguments()(a, key=b, power=2)))
    trained(lambda: model, [X, X[:, :2]])


def test_extra_arguments(training_backend):
    layer = InBuild(2, "relu")
    one = ops.convert_to_numpy(layer(X))
    two = ops.convert_to_numpy(layer(X, scale=2.0, training=True))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-6)
    assert float(layer.calls) == 1.0
    with pytest.raises(TypeError, match="unexpected keyword argument 'skale'"):
        layer(X, skale=2.0)
    with pytest.raises(TypeError, match=r"InBuild: unknown argument\(s\) 'unit'"):
        InBuild(unit=2)


def _engine_sine(name):
    if name == "jax":
        import jax.numpy as jnp

        return jnp.sin
    if name == "torch":
        import torch

        return torch.sin
    import tensorflow as tf

    return tf.sin


class EngineCode(layers.Layer):
    """An engine's own functions in `call`."""

    def __init__(self, sine):
        super().__init__()
        self.sine = sine
        self.dense = layers.Dense(3)

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")

    def call(self, x):
        return self.dense(self.sine(x * self.factor))


def test_engine_code(training_backend):
    layer = EngineCode(_engine_sine(training_backend))
    x = layers.Input((4,))
    assert layer(x).shape == (None, 3)
    assert layer.compute_output_shape((None, 4)) == (None, 3)
    expected = np.sin(X) @ layer.dense.kernel.numpy()
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), expected, rtol=1e-4, atol=1e-6)
    model = kerata.Model(x, layers.Dense(1)(layer(x)))
    trained(lambda: model)
    assert not np.allclose(layer.factor.numpy(), 1.0)


class Scaled(layers.Layer):
    """It registers a context argument and takes it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._register_call_context_args("scale")

    def call(self, x, scale=1.0):
        return x * scale


class Around(layers.Layer):
    """A layer around another that says nothing of the argument."""

    def __init__(self, inner, registers=False):
        super().__init__()
        self.inner = inner
        if registers:
            self._register_call_context_args("scale")

    def call(self, x):
        return self.inner(x)


class Taking(Around):
    """It takes the argument itself, and does not hand it on."""

    def call(self, x, scale=5.0):
        return self.inner(x)


def _first(x):
    return float(ops.convert_to_numpy(x).ravel()[0])


def test_context_arguments(backend):
    """As Keras 3.15.1 hands them on."""
    x = np.ones((2, 2), "float32")
    assert _first(Scaled()(x, scale=3.0)) == 3
    assert _first(Around(Scaled(), True)(x, scale=3.0)) == 3
    assert _first(Around(Around(Scaled()), True)(x, scale=3.0)) == 3
    assert _first(Around(Scaled(), True)(x)) == 1
    assert _first(Taking(Scaled())(x, scale=3.0)) == 1  # not registered: its own affair
    assert _first(Taking(Scaled(), True)(x)) == 5
    assert _first(Around(Taking(Scaled(), True), True)(x, scale=3.0)) == 3
    with pytest.raises(TypeError, match="unexpected keyword argument 'scale'"):
        Around(Scaled())(x, scale=3.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'other'"):
        Around(Scaled(), True)(x, other=3.0)
    assert _first(Around(Scaled(), True)(x, scale=3.0)) + _first(Scaled()(x)) == 4  # none stays


def test_context_arguments_of_models(backend):
    x = np.ones((2, 2), "float32")
    stack = kerata.Sequential([Around(Scaled(), True), Scaled()])
    assert _first(stack(x, scale=3.0)) == 9
    inputs = layers.Input((2,))
    graph = kerata.Model(inputs, Scaled()(inputs))
    assert _first(graph(x, scale=3.0)) == 3
    assert _first(graph(x)) == 1
    with pytest.raises(TypeError, match="unexpected keyword argument 'other'"):
        graph(x, other=1)
    fixed = kerata.Model(inputs, Scaled()(inputs, scale=2.0))
    assert _first(fixed(x, scale=3.0)) == 2
