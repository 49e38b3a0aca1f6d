"""`save_model` and `load_model`: what comes back is what was saved."""

import json
import zipfile

import numpy as np
import pytest

import kerata
from kerata import Input, Model, Sequential, initializers, layers, models, saving
from kerata.backends.registry import use_backend
from kerata.core.serialization import serialize_object
from tests.saving.models import FEATURES, WAYS, Subclassed, data, filled, functional, stacked


def predicted(model, x):
    return model.predict(x, verbose=0)


@pytest.mark.parametrize("way", WAYS)
def test_predictions_are_identical(way, backend, tmp_path):
    model = filled(way())
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert [w.shape for w in loaded.weights] == [w.shape for w in model.weights]
    np.testing.assert_array_equal(predicted(loaded, data(way)), predicted(model, data(way)))


@pytest.mark.parametrize("way", WAYS)
def test_config_is_the_same_after_loading(way, tmp_path):
    model = way()
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    assert json.dumps(serialize_object(loaded)) == json.dumps(serialize_object(model))


@pytest.mark.parametrize("way", WAYS)
def test_folder(way, tmp_path):
    model = filled(way())
    for _ in range(2):  # the second replaces the first
        model.save(tmp_path / "model", zipped=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]
    loaded = models.load_model(tmp_path / "model")
    np.testing.assert_array_equal(predicted(loaded, data(way)), predicted(model, data(way)))


def test_moves_to_another_backend(backend, tmp_path):
    model = filled(functional())
    expected = predicted(model, data())
    model.save(tmp_path / "model.keras")
    with use_backend("numpy"):
        loaded = models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(predicted(loaded, data()), expected, rtol=1e-4, atol=1e-5)


def test_nothing_is_drawn(backend, tmp_path):
    drawn = []

    @saving.register_keras_serializable("tests")
    class Watched(initializers.Initializer):
        def draw(self, shape, dtype):
            drawn.append(shape)
            return np.ones(shape, dtype)

    layer = layers.Dense(3, kernel_initializer=Watched())
    model = Sequential([Input((FEATURES,)), layer])
    model.save(tmp_path / "model.keras")
    assert len(drawn) == 1
    loaded = models.load_model(tmp_path / "model.keras")
    assert len(drawn) == 1
    np.testing.assert_array_equal(predicted(loaded, data()), predicted(model, data()))


# Training


@pytest.mark.parametrize("way", WAYS[:3])
def test_training_goes_on_as_if_never_stopped(way, training_backend, tmp_path):
    x, y = data(rows=16), np.random.default_rng(2).normal(size=(16, 2)).astype("float32")
    model = way()
    model.compile(kerata.optimizers.Adam(0.01), "mse", metrics=["mse"])
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations.numpy()) == 4
    curves = [
        m.fit(x, y, batch_size=8, epochs=3, verbose=0, shuffle=False).history
        for m in (model, loaded)
    ]
    assert curves[0] == curves[1]


def test_compile_false_and_optimizer_options(training_backend, tmp_path):
    model = stacked()
    model.compile(kerata.optimizers.Adam(0.25, clipnorm=1.0), "mse")
    model.optimizer.learning_rate = 0.125
    model.save(tmp_path / "model.keras")
    assert not models.load_model(tmp_path / "model.keras", compile=False).compiled
    loaded = models.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate.numpy()) == 0.125
    assert loaded.optimizer.clipnorm == 1.0


def test_custom_loss_needs_its_name(training_backend, tmp_path):
    def far(y_true, y_pred):
        return kerata.ops.mean(kerata.ops.square(y_true - y_pred), axis=-1)

    model = stacked()
    model.compile("sgd", far)
    model.save(tmp_path / "model.keras")
    with pytest.raises(TypeError, match="'far'") as caught:
        models.load_model(tmp_path / "model.keras")
    assert "compile=False" in "".join(caught.value.__notes__)
    assert models.load_model(tmp_path / "model.keras", custom_objects={"far": far}).compiled


def test_model_with_its_own_compile_is_loaded_uncompiled(tmp_path):
    class Odd(Subclassed):
        def compile(self, first_optimizer):
            super().compile("adam", "mse")
            self.first_optimizer = first_optimizer

    model = Odd()
    model.build((None, FEATURES))
    model.compile(kerata.optimizers.SGD())
    model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="Odd has its own compile"):
        loaded = models.load_model(tmp_path / "model.keras", custom_objects={"Odd": Odd})
    assert not loaded.compiled


class Adversarial(Subclassed):
    """Two optimizers, as in a GAN."""

    def compile(self, first, second):
        super().compile()
        self.first_optimizer, self.second_optimizer = first, second

    def get_compile_config(self):
        parts = {"first": self.first_optimizer, "second": self.second_optimizer}
        return serialize_object(parts)

    def compile_from_config(self, config):
        self.compile(**saving.deserialize_keras_object(config))
        self.first_optimizer.build(self.blocks[0].trainable_variables)


def test_several_optimizers(tmp_path):
    model = Adversarial()
    model.build((None, FEATURES))
    model.compile(kerata.optimizers.Adam(0.5), kerata.optimizers.SGD())
    model.first_optimizer.build(model.blocks[0].trainable_variables)
    model.first_optimizer.variables[2].assign(np.full((1,), 0.25, "float32"))
    model.save(tmp_path / "model.keras")
    own = {"Adversarial": Adversarial}
    loaded = models.load_model(tmp_path / "model.keras", custom_objects=own)
    np.testing.assert_array_equal(loaded.first_optimizer.variables[2].numpy(), 0.25)
    assert models.load_model(tmp_path / "model.keras", own, compile=False).blocks[0].built


def test_nested_model_that_is_compiled(training_backend, tmp_path):
    inner = stacked()
    inner.compile("adam", "mse")
    inner.fit(data(), np.ones((8, 2), "float32"), verbose=0)
    x = Input((FEATURES,))
    model = Model(x, inner(x))
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras").layers[1]
    assert loaded.compiled and int(loaded.optimizer.iterations.numpy()) == 1
    plain = models.load_model(tmp_path / "model.keras", compile=False).layers[1]
    assert not plain.compiled


# Custom objects


class Doubled(layers.Layer):
    def call(self, x):
        return x * 2


class Stack(Sequential):
    def __init__(self, width=3, **kwargs):
        super().__init__([Input((FEATURES,)), layers.Dense(width)], **kwargs)


class Graph(Model):
    def __init__(self, width, **kwargs):
        x = Input((FEATURES,))
        super().__init__(x, layers.Dense(width)(x), **kwargs)


class Scaled(Model):
    def __init__(self, inputs, outputs, factor=1.0, **kwargs):
        super().__init__(inputs, outputs, **kwargs)
        self.factor = factor

    def call(self, inputs):
        return super().call(inputs) * self.factor


def test_custom_objects(backend, tmp_path):
    model = filled(Sequential([Input((FEATURES,)), Doubled(name="twice"), layers.Dense(2)]))
    model.save(tmp_path / "model.keras")
    with pytest.raises(TypeError, match=r"Doubled.*custom_objects"):
        models.load_model(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", custom_objects={"Doubled": Doubled})
    np.testing.assert_array_equal(predicted(loaded, data()), predicted(model, data()))
    with saving.custom_object_scope({"Doubled": Doubled}):
        assert models.load_model(tmp_path / "model.keras").layers[0].name == "twice"


def in_scaled():
    x = Input((FEATURES,))
    return Scaled(x, layers.Dense(2)(x), factor=3.0)


@pytest.mark.parametrize("make", [lambda: Stack(5), lambda: Graph(width=5), in_scaled])
def test_subclasses_that_make_their_own_graph(make, backend, tmp_path):
    model = filled(make())
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(
        tmp_path / "model.keras", custom_objects={type(model).__name__: type(model)}
    )
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(predicted(loaded, data()), predicted(model, data()))


def test_subclass_called_on_two_tensors(backend, tmp_path):
    model = Subclassed()
    x, shift = data(), np.ones((8, 2), "float32")
    expected = backend.to_numpy(model(x, shift=shift))
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(backend.to_numpy(loaded(x, shift=shift)), expected)


def test_subclass_called_on_a_dict(backend, tmp_path):
    @saving.register_keras_serializable("tests")
    class OfDict(Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.table, self.dense = layers.Embedding(9, 3), layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs["x"]) + self.table(inputs["id"])[:, :2]

    model = OfDict()
    inputs = {"x": data(), "id": np.arange(8, dtype="int32")}
    expected = backend.to_numpy(model(inputs))
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(backend.to_numpy(loaded(inputs)), expected)


def test_lambda_runs_only_where_it_is_trusted(backend, tmp_path):
    model = Sequential([Input((FEATURES,)), layers.Lambda(lambda x: x * 3.0)])
    with pytest.warns(UserWarning, match="code of a lambda"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        models.load_model(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", safe_mode=False)
    np.testing.assert_array_equal(predicted(loaded, data()), predicted(model, data()))


def test_unbuilt_model(tmp_path):
    model = Sequential([layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    assert not loaded.built and len(loaded.layers) == 1


def test_what_the_archive_holds(tmp_path):
    stacked().save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        names = [i.filename for i in archive.infolist()]
        metadata = json.loads(archive.read("metadata.json"))
        assert json.loads(archive.read("config.json"))["class_name"] == "Sequential"
    assert names == ["metadata.json", "config.json", "model.weights.h5"]
    assert metadata["kerata_version"] == kerata.version()
