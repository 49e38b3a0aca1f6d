"""Models whose first layers take text: trained, evaluated, saved, on every backend."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend

GOOD, BAD = ["good", "great", "fine", "lovely"], ["bad", "awful", "poor", "ugly"]


def _data(count=96):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, count)
    words = [[*rng.choice(GOOD if v else BAD, 2), *rng.choice(["film", "plot"], 2)] for v in y]
    return np.array([" ".join(rng.permutation(w)) + "!" for w in words]), y


def _vectorization(x, **kind):
    layer = layers.TextVectorization(output_mode="multi_hot", **kind)
    layer.adapt(x)
    return layer


def _functional(x):
    inputs = kerata.Input((1,), dtype="string")
    return kerata.Model(inputs, layers.Dense(1, "sigmoid")(_vectorization(x)(inputs)))


def _sequential(x):
    text = layers.TextVectorization()
    text.adapt(x)
    stack = [
        kerata.Input((), dtype="string"), text,
        layers.Embedding(text.vocabulary_size(), 4, mask_zero=True),
        layers.GlobalAveragePooling1D(), layers.Dense(1, "sigmoid"),
    ]  # fmt: skip
    return kerata.Sequential(stack)


def _without_input(x):
    return kerata.Sequential([_vectorization(x), layers.Dense(1, "sigmoid")])


class Classifier(kerata.Model):
    def __init__(self, text):
        super().__init__()
        self.text, self.dense = text, layers.Dense(1, "sigmoid")

    def call(self, inputs):
        return self.dense(self.text(inputs))


def _nested(x):
    inner = _functional(x)
    inputs = kerata.Input((1,), dtype="string")
    return kerata.Model(inputs, layers.Dense(1, "sigmoid")(inner(inputs)))


@pytest.mark.parametrize(
    "make",
    [_functional, _sequential, _without_input, lambda x: Classifier(_vectorization(x)), _nested],
    ids=["functional", "sequential", "without-input", "subclass", "nested"],
)
def test_fit(make, training_backend):
    x, y = _data()
    model = make(x)
    model.compile(kerata.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=6, verbose=0, validation_split=0.25).history
    assert history["accuracy"][-1] > 0.9
    assert history["val_accuracy"][-1] > 0.9
    assert model.evaluate(x, y, verbose=0)[1] > 0.9
    predicted = model.predict(x, verbose=0)
    assert predicted.shape == (96, 1)
    np.testing.assert_allclose(model.predict_on_batch(x[:5]), predicted[:5], atol=1e-6)
    called = kerata.ops.convert_to_numpy(model(x[:5]))
    np.testing.assert_allclose(called, predicted[:5], atol=1e-6)
    assert len(model.train_on_batch(x[:32], y[:32])) == 2
    assert len(model.test_on_batch(x[:32], y[:32])) == 2


def test_batches_of_text(training_backend):
    x, y = _data()
    model = _functional(x)
    model.compile("adam", "binary_crossentropy")
    model.fit([(x[:32], y[:32]), (x[32:64], y[32:64])], verbose=0)
    tf = pytest.importorskip("tensorflow")
    model.fit(tf.data.Dataset.from_tensor_slices((x, y)).batch(32), verbose=0)
    pandas = pytest.importorskip("pandas")
    model.fit(pandas.Series(x), y, verbose=0)
    arrow = pytest.importorskip("pyarrow")
    model.fit(arrow.array(x.tolist()), y, verbose=0)


def test_compiles_once(training_backend):
    x, y = _data()
    model = _functional(x)
    model.compile("adam", "binary_crossentropy")
    model.fit(x, y, epochs=3, verbose=0)
    for shapes in model.compilations.get("train", {}).values():
        assert len(shapes) == 1


def test_host_layers_run_ahead_of_others(training_backend):
    """Text and numbers crossed, the numbers going through layers of data before."""
    rng = np.random.default_rng(1)
    x = {"word": rng.choice(GOOD + BAD, 64), "size": rng.normal(size=64)}
    y = np.isin(x["word"], GOOD) ^ (x["size"] > 0)
    word = kerata.Input((1,), dtype="string", name="word")
    size = kerata.Input((1,), name="size")
    crossed = layers.HashedCrossing(64, output_mode="one_hot")(
        [layers.StringLookup(vocabulary=GOOD + BAD)(word), layers.Discretization([0.0])(size)]
    )
    features = layers.Concatenate()([crossed, layers.Normalization(mean=0.0, variance=1.0)(size)])
    model = kerata.Model({"word": word, "size": size}, layers.Dense(1, "sigmoid")(features))
    model.compile(kerata.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    assert model.fit(x, y, epochs=12, verbose=0).history["accuracy"][-1] > 0.9


def test_a_step_of_ones_own(training_backend):
    class Custom(Classifier):
        def train_step(self, data):
            x, y = data

            def loss_of():
                predicted = kerata.ops.squeeze(self(x, training=True), -1)
                return kerata.ops.mean(kerata.losses.binary_crossentropy(
                    kerata.ops.cast(y, "float32"), predicted))  # fmt: skip

            variables = self.trainable_variables
            loss, gradients = kerata.value_and_grad(loss_of, variables)()
            self.optimizer.apply(gradients, variables)
            return {"loss": loss}

    x, y = _data()
    model = Custom(_vectorization(x))
    model.compile(kerata.optimizers.Adam(0.1))
    losses = model.fit(x, y, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", [{}, {"pad_to_max_tokens": True, "max_tokens": 40}])
def test_saves(kind, zipped, tmp_path, backend):
    x, _ = _data()
    inputs = kerata.Input((1,), dtype="string")
    texts = [
        _vectorization(x, **kind), layers.TextVectorization(output_mode="tf_idf", ngrams=2),
        layers.TextVectorization(split="character", standardize=None, output_mode="count"),
    ]  # fmt: skip
    for layer in texts[1:]:
        layer.adapt([*x, "with a\nbreak"])
    integers = layers.IntegerLookup(output_mode="count", mask_token=0)
    integers.adapt([3, 3, 7])
    bins = layers.Discretization(num_bins=3, output_mode="one_hot")
    bins.adapt(np.arange(9.0))
    scale = layers.Normalization()
    scale.adapt([[1.0], [5.0]])
    number = kerata.Input((1,), dtype="int32")
    outputs = [t(inputs) for t in texts] + [layer(number) for layer in (integers, bins, scale)]
    model = kerata.Model([inputs, number], outputs)
    path = tmp_path / ("model.keras" if zipped else "model")
    model.save(path, zipped=zipped)
    model.save(path, zipped=zipped)  # over the old one
    again = kerata.saving.load_model(path)
    given = [np.array([["good film\nplot"], ["?"]]), np.array([[3], [8]], "int32")]
    for a, b in zip(model(given), again(given), strict=True):
        assert np.array_equal(backend.to_numpy(a), backend.to_numpy(b))


def test_refuses_names_that_lead_out(tmp_path):
    import zipfile

    x, _ = _data(8)
    model = _functional(x)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras", "a") as archive:
        name = next(n for n in archive.namelist() if n.endswith("vocabulary.txt"))
        archive.writestr(name.replace("vocabulary.txt", "../../../../../../evil.txt"), "x")
    with pytest.raises(ValueError, match="leads out"):
        kerata.saving.load_model(tmp_path / "model.keras")


@pytest.mark.oracle
def test_reads_files_of_keras(tmp_path, backend, keras):
    L = keras.layers
    text, tf_idf = L.TextVectorization(), L.TextVectorization(output_mode="tf_idf")
    lookup, bins, scale = L.IntegerLookup(), L.Discretization(num_bins=2), L.Normalization()
    text.adapt(["a b b", "c"])
    tf_idf.adapt(["a b b", "c"])
    lookup.adapt([1, 1, 2])
    bins.adapt(np.arange(5.0))
    scale.adapt(np.array([[1.0], [3.0]]))
    made = [text, tf_idf, lookup, bins, scale]
    a, b = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int32")
    crossed = L.HashedCrossing(9)([a, b])
    keras.Model([a, b], [text(a), tf_idf(a), lookup(b), bins(b), scale(b), crossed]).save(
        tmp_path / "model.keras"
    )
    texts, numbers = [["b d"], ["c"]], np.array([[1], [4]], "int32")
    expected = [layer(texts if layer in made[:2] else numbers) for layer in made]
    expected.append(L.HashedCrossing(9)((np.array(texts), numbers)))
    model = kerata.saving.load_model(tmp_path / "model.keras")
    found = model([np.array(texts), numbers])
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(backend.to_numpy(x), y, rtol=1e-5, atol=1e-6)


def test_text_in_a_compiled_function():
    pytest.importorskip("jax")
    layer = layers.StringLookup(vocabulary=["a"])
    with use_backend("jax"), pytest.raises(TypeError, match="text"):
        kerata.jit(layer.__call__)(np.array(["a"]))
