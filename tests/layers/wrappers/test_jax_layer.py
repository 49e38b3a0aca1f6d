"""`JaxLayer`."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend
from tests.layers.wrappers.common import X, check, check_other_backend

jax = pytest.importorskip("jax")


@pytest.fixture(autouse=True)
def active():
    with use_backend("jax"):
        yield


def init(rng, inputs):
    kernel = jax.random.normal(rng, (inputs.shape[-1], 3))
    state = {"mean": jax.numpy.zeros(3), "count": jax.numpy.zeros((), "int32")}
    return {"dense": {"kernel": kernel, "bias": jax.numpy.zeros(3)}}, state


def call(params, state, rng, inputs, training):
    y = inputs @ params["dense"]["kernel"] + params["dense"]["bias"]
    if training:
        y = y * jax.random.bernoulli(rng, 0.9, y.shape)
        state = {"mean": y.mean(0), "count": state["count"] + 1}
    return y, state


def linear(params, inputs):
    return inputs @ params["kernel"]


def test_trains_saves_and_loads(tmp_path):
    layer = layers.JaxLayer(call, init, seed=3)
    check(layer, tmp_path, {"call": call, "init": init})
    assert int(layer.state["count"]) == 12
    assert [w.shape for w in layer.weights] == [(3,), (4, 3), (), (3,)]
    assert [w.trainable for w in layer.weights] == [True, True, False, False]
    keys = ["name", "trainable", "dtype", "call_fn", "init_fn", "native_serialization_platforms"]
    assert list(layer.get_config()) == keys


def test_given_weights(tmp_path):
    layer = layers.JaxLayer(linear, params={"kernel": np.ones((4, 3), "float32")})
    np.testing.assert_allclose(layer(X), X.sum(1, keepdims=True) * np.ones(3), rtol=1e-5)
    check(layer, tmp_path, {"linear": linear})


def test_the_seed_decides():
    one, two, other = (layers.JaxLayer(call, init, seed=s) for s in (1, 1, 2))
    found = [np.asarray(layer(X, training=True)) for layer in (one, two, other)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], one(X, training=True))


def test_trees_of_inputs_of_other_dtypes(tmp_path):
    def of_trees(params, inputs):
        return {"y": params["table"][inputs["ids"]] * inputs["scale"]}

    def make(rng, inputs):
        assert inputs["ids"].dtype == "int32"
        return {"table": jax.random.normal(rng, (5, inputs["scale"].shape[-1]))}

    layer = layers.JaxLayer(of_trees, make)
    x = {"ids": layers.Input((), dtype="int32"), "scale": layers.Input((3,))}
    model = kerata.Model(x, layer(x))
    assert model.output["y"].shape == (None, 3)
    data = {"ids": np.array([1, 2]), "scale": np.ones((2, 3), "float32")}
    expected = layer.params["table"].numpy()[[1, 2]]
    np.testing.assert_allclose(model(data)["y"], expected)
    model.save(tmp_path / "model.keras")
    names = {"of_trees": of_trees, "make": make}
    again = kerata.saving.load_model(tmp_path / "model.keras", custom_objects=names)
    np.testing.assert_allclose(again(data)["y"], expected)


def test_stateless_call_in_transformations():
    layer = layers.JaxLayer(call, init)
    layer(X)
    trained, others = ([v.value for v in g] for g in (
        layer.trainable_variables, layer.non_trainable_variables,
    ))  # fmt: skip

    @jax.jit
    def slopes(trained, others):
        return jax.grad(lambda t: layer.stateless_call(t, others, X, training=True)[0].sum())(
            trained
        )

    assert [g.shape for g in slopes(trained, others)] == [(3,), (4, 3)]
    assert int(layer.state["count"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"call_fn": call}, "call_fn takes params and state; give init_fn"),
        ({"call_fn": lambda params, x: x, "params": {}}, "it lacks 'inputs'"),
        ({"call_fn": lambda inputs, more: inputs}, "it also needs 'more'"),
        ({"call_fn": linear, "init_fn": lambda rng: 1}, "init_fn must take rng, inputs"),
    ],
)
def test_wrong_functions(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.JaxLayer(**arguments)


def test_no_function():
    with pytest.raises(TypeError, match="call_fn must be a function; got 3"):
        layers.JaxLayer(3)


def test_another_state():
    layer = layers.JaxLayer(lambda state, inputs: (inputs, {"b": 1}), state={"a": np.zeros(())})
    with pytest.raises(ValueError, match="a state of the structure"):
        layer(X)


def test_other_backend():
    check_other_backend(layers.JaxLayer(call, init), "jax")
