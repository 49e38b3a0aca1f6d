"""Functional models as configs and back: the same graph, the same results."""

import json

import numpy as np
import optree
import pytest

import kerata
from kerata import Input, Model, Sequential, layers, models, ops
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.models.graph_config import in_depth_order, is_graph_config

FEATURES = 4


def rebuilt(model):
    """The model out of its JSON, with the same weights."""
    copy = models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    return copy


def arrays(model):
    """Random inputs for a functional model."""
    rng = np.random.default_rng(1)
    return optree.tree_map(
        lambda t: rng.normal(size=[3 if s is None else s for s in t.shape]).astype(t.dtype),
        model.inputs_structure if hasattr(model, "inputs_structure") else model.input,
    )


def shared_layer():
    a, b = Input((FEATURES,)), Input((FEATURES,))
    layer = layers.Dense(FEATURES)
    return Model([a, b], layers.Concatenate()([layer(layer(a)), layer(b), a]))


def several_outputs():
    x = Input((FEATURES,))
    first = layers.Dense(3)(x)
    return Model(x, [first, layers.Dense(2)(first), x])


def nested_structures():
    a, b = Input((FEATURES,), name="a"), Input((FEATURES,), name="b")
    rest = (layers.Dense(3)(b), [a])
    return Model({"b": b, "a": a}, {"sum": layers.Add()([a, b]), "rest": rest})


def nested_models():
    q = Input((FEATURES,))
    inner = Model(q, [layers.Dense(FEATURES)(q), q], name="inner")
    stack = Sequential([layers.Dense(FEATURES), layers.ReLU()])
    x = Input((FEATURES,))
    first, second = inner(stack(x))
    return Model(x, inner(first)[0] + second + stack(second))


def dictionaries_inside():
    p, q = Input((FEATURES,), name="p"), Input((FEATURES,), name="q")
    inner = Model({"p": p, "q": q}, {"out": layers.Subtract()([p, q])}, name="inner")
    x = Input((FEATURES,))
    return Model(x, inner({"p": x, "q": layers.Dense(FEATURES)(x)})["out"])


def operations():
    x = Input((FEATURES,))
    y = 2.0 - ops.add(x, 1.0) * x
    y = y + np.arange(FEATURES, dtype="float32")
    y = ops.concatenate([y, ops.sum(x, axis=-1, keepdims=True)], axis=-1)
    first, second = ops.split(y[:, 1:], 2, axis=1)
    y = ops.where(ops.greater(first, 0.0), second, -first)
    return Model(x, ops.reshape(y, (-1, 2, 1))[..., 0, None])


def keyword_arguments():
    x = Input((5, FEATURES))
    attention = layers.MultiHeadAttention(2, 3)
    y = attention(x, value=x, use_causal_mask=True)
    sequence, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(y)
    z = layers.LSTM(3)(sequence, initial_state=[h, c])
    return Model(x, layers.Dropout(0.5)(z, training=False))


def middle_of_another():
    x = Input((FEATURES,))
    hidden = layers.Dense(3)(x)
    return Model(hidden, layers.Dense(2)(hidden))


GRAPHS = [
    shared_layer, several_outputs, nested_structures, nested_models, dictionaries_inside,
    operations, keyword_arguments, middle_of_another,
]  # fmt: skip


@pytest.mark.parametrize("make", GRAPHS)
def test_same_results(make, backend):
    model = make()
    copy = rebuilt(model)
    inputs = arrays(model)
    expected, found = (m.predict(inputs, verbose=0) for m in (model, copy))
    assert optree.tree_structure(found) == optree.tree_structure(expected)
    for a, b in zip(optree.tree_leaves(found), optree.tree_leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", GRAPHS)
def test_same_config(make):
    config = make().to_json()
    assert models.model_from_json(config).to_json() == config


@pytest.mark.parametrize("make", GRAPHS)
def test_clone(make, backend):
    model = make()
    copy = models.clone_model(model)
    assert {x.name for x in copy.layers} >= {x.name for x in model.layers}
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}
    copy.set_weights(model.get_weights())
    inputs = arrays(model)
    expected, found = (m.predict(inputs, verbose=0) for m in (model, copy))
    for a, b in zip(optree.tree_leaves(found), optree.tree_leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)


def test_format():
    a = Input((FEATURES,), name="a")
    layer = layers.Dense(FEATURES, name="dense")
    model = Model(a, ops.add(layer(layer(a)), 1.0), name="model")
    config = model.get_config()
    assert is_graph_config(config)
    assert [x["name"] for x in config["layers"]] == [x.name for x in in_depth_order(model._graph)]
    entry, dense, add = config["layers"]
    assert entry["class_name"] == "InputLayer" and entry["inbound_nodes"] == []
    tensor = {"shape": [None, FEATURES], "dtype": "float32"}
    assert [n["args"][0]["config"] for n in dense["inbound_nodes"]] == [
        {**tensor, "keras_history": ["a", 0, 0]},
        {**tensor, "keras_history": ["dense", 0, 0]},
    ]
    assert (add["module"], add["class_name"]) == ("kerata.ops", "add")
    assert add["inbound_nodes"][0]["args"][1] == 1.0
    assert config["input_layers"] == ["a", 0, 0]
    assert config["output_layers"] == [add["name"], 0, 0]


def test_names_and_trainable_are_kept():
    model = several_outputs()
    model.layers[1].trainable = False
    copy = models.model_from_json(model.to_json())
    assert [x.name for x in copy.layers] == [x.name for x in model.layers]
    assert [x.trainable for x in copy.layers] == [True, False, True]
    assert copy.name == model.name


def test_order_of_the_layers_in_the_config_does_not_matter():
    model = nested_models()
    config = model.get_config()
    config["layers"].reverse()
    copy = Model.from_config(config)
    copy.set_weights(model.get_weights())
    x = arrays(model)
    with kerata.use_backend("numpy"):
        np.testing.assert_array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))


def test_long_chains():
    x = y = Input((2,))
    for _ in range(1500):
        y = ops.negative(y)
    copy = models.model_from_json(Model(x, y).to_json())
    assert len(copy.operations) == 1500


def broken(change):
    config = json.loads(several_outputs().to_json())
    change(config["config"])
    return config


def test_config_that_is_no_graph():
    def cycle(config):
        history = config["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"]
        history[0] = config["layers"][2]["name"]

    with pytest.raises(ValueError, match="is no graph"):
        deserialize_object(broken(cycle))


def test_config_that_names_a_missing_tensor():
    with pytest.raises(ValueError, match="which no layer makes"):
        deserialize_object(broken(lambda c: c.update(output_layers=["nothing", 0, 0])))


def test_unknown_operation():
    config = json.loads(operations().to_json())
    entry = next(x for x in config["config"]["layers"] if x["module"] == "kerata.ops")
    entry["class_name"] = "system"
    with pytest.raises(TypeError, match="operation system"):
        deserialize_object(config)


def test_format_of_keras_2():
    def old(config):
        config["layers"][1]["inbound_nodes"] = [[["input_1", 0, 0, {}]]]

    with pytest.raises(ValueError, match="Keras 2"):
        deserialize_object(broken(old))


def test_argument_without_a_config():
    class Odd(layers.Layer):
        def call(self, x, thing=None):
            return x

    x = Input((2,))
    model = Model(x, Odd()(x, thing=object()))
    with pytest.raises(TypeError, match="can't be put into a config"):
        model.to_json()


# Cloning


def test_clone_function_and_call_function():
    def widened(layer):
        config = layer.get_config()
        if "units" in config:
            config["units"] *= 2
        return type(layer).from_config(config)

    def doubled(layer, *args, **kwargs):
        return layer(*args, **kwargs) * 2.0

    x = Input((FEATURES,))
    model = Model(x, layers.Dense(3, kernel_initializer="ones")(x))
    assert models.clone_model(model, clone_function=widened).output_shape == (None, 6)
    copy = models.clone_model(model, call_function=doubled)
    with kerata.use_backend("numpy"):
        found = copy.predict(np.ones((1, FEATURES), "float32"), verbose=0)
    np.testing.assert_array_equal(found, np.full((1, 3), 8.0))


def test_clone_recursively():
    seen = []

    def clone(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    model = nested_models()
    models.clone_model(model, clone_function=clone)
    assert "inner" in seen
    seen.clear()
    models.clone_model(model, clone_function=clone, recursive=True)
    assert "inner" not in seen and len(seen) == 3


def test_clone_on_given_inputs():
    given = Input((FEATURES,), batch_size=7)
    stack = Sequential([layers.Dense(3)])
    assert models.clone_model(stack, input_tensors=given).output_shape == (7, 3)
    assert models.clone_model(several_outputs(), given).output_shape[0] == (7, 3)
    with pytest.raises(ValueError, match="has 1 input"):
        models.clone_model(several_outputs(), [given, given])


def test_clone_of_a_subclass():
    @kerata.saving.register_keras_serializable("tests")
    class Own(Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(units)

        def call(self, x):
            return self.dense(x)

    copy = models.clone_model(Own(3))
    assert copy.dense.units == 3
    with pytest.raises(ValueError, match="subclassed"):
        models.clone_model(Own(3), clone_function=lambda layer: layer)
    with pytest.raises(TypeError, match="call_function"):
        models.clone_model(Sequential([layers.Dense(1)]), call_function=lambda layer, x: x)


# Keras


def random_graph(k, seed):
    """A model of dense layers, shared ones among them, and additions, drawn at random."""
    rng = np.random.default_rng(seed)
    tensors = [k.Input((2,), name=f"i{n}") for n in range(rng.integers(1, 4))]
    inputs = list(tensors)
    shared = [k.layers.Dense(2, name=f"s{n}") for n in range(2)]
    for n in range(rng.integers(3, 10)):
        kind, one, two = rng.integers(4), *rng.integers(len(tensors), size=2)
        if kind < 2:
            tensors.append(k.layers.Dense(2, name=f"d{n}")(tensors[one]))
        elif kind < 3:
            tensors.append(shared[two % 2](tensors[one]))
        else:
            tensors.append(k.layers.Add(name=f"a{n}")([tensors[one], tensors[two]]))
    return k.Model(inputs, [tensors[-1], tensors[rng.integers(len(inputs), len(tensors))]])


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(12))
def test_layers_have_the_order_of_keras(seed, keras):
    ours, theirs = (random_graph(k, seed) for k in (kerata, keras))
    assert [x.name for x in ours.layers] == [x.name for x in theirs.layers]


@pytest.mark.oracle
def test_operations_written_by_keras(keras):
    def graph(k):
        x = k.Input((FEATURES,))
        y = 2.0 - k.ops.add(x, 1.0) * x
        y = k.ops.concatenate([y[:, 1:3], k.ops.sum(x, axis=-1, keepdims=True)], axis=-1)
        q = k.Input((3,))
        inner = k.Model(q, k.ops.reshape(q, (-1, 3, 1)), name="inner")
        return k.Model(x, inner(k.ops.add(y, np.ones((1, 3), "float32"))))

    theirs = graph(keras)
    ours = models.model_from_json(theirs.to_json())
    x = np.random.default_rng(3).normal(size=(2, FEATURES)).astype("float32")
    with kerata.use_backend("numpy"):
        expected, found = (m.predict(x, verbose=0) for m in (theirs, ours))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_serialize_keras_object_round_trip():
    model = nested_structures()
    config = kerata.saving.serialize_keras_object(model)
    copy = kerata.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    assert serialize_object(copy) == config
