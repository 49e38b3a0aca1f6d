"""`FeatureSpace`: against Keras, on tables of every kind, in models and files."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend
from kerata.utils import FeatureSpace

TABLE = {
    "s": np.array(["a", "b", "a", "c"]), "i": np.array([1, 2, 2, 5]),
    "f": np.array([0.5, 1.5, 2.5, 9.0]), "fd": np.array([0.5, 1.5, 2.5, 9.0]),
    "fr": np.array([50.0, 150.0, 200.0, 0.0]), "h": np.array(["x", "y", "z", "x"]),
    "ih": np.array([1, 2, 3, 4]),
}  # fmt: skip


def _space(F, mode="concat"):
    features = {
        "s": "string_categorical", "i": F.integer_categorical(num_oov_indices=1),
        "f": "float_normalized", "fd": F.float_discretized(num_bins=3),
        "fr": F.float_rescaled(scale=1 / 255.0), "h": F.string_hashed(num_bins=4),
        "ih": F.integer_hashed(num_bins=4, output_mode="one_hot"),
    }  # fmt: skip
    crosses = [("s", "i"), F.cross(feature_names=("fd", "s"), crossing_dim=8)]
    return F(features=features, crosses=crosses, crossing_dim=16, output_mode=mode)


def _adapted(mode="concat"):
    space = _space(FeatureSpace, mode)
    space.adapt(TABLE)
    return space


@pytest.mark.oracle
def test_as_keras(backend, keras, tmp_path):
    tf = pytest.importorskip("tensorflow")
    peers = [_space(keras.utils.FeatureSpace, mode) for mode in ("concat", "dict")]
    for peer in peers:
        peer.adapt(tf.data.Dataset.from_tensor_slices(TABLE))
    space, other = _adapted(), _adapted("dict")
    expected, by_name = peers[0](TABLE), peers[1](TABLE)
    np.testing.assert_allclose(backend.to_numpy(space(TABLE)), expected, atol=1e-6)
    found = other(TABLE)
    assert list(found) == list(by_name) == list(other.get_encoded_features())
    for name, value in found.items():
        np.testing.assert_allclose(backend.to_numpy(value), by_name[name], atol=1e-6)
    assert set(space.get_config()) == set(peers[0].get_config())
    peers[0].save(tmp_path / "space.keras")
    loaded = kerata.saving.load_model(tmp_path / "space.keras")
    np.testing.assert_allclose(backend.to_numpy(loaded(TABLE)), expected, atol=1e-6)


def test_tables_of_every_kind(backend):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    space = _adapted()
    expected = backend.to_numpy(space(TABLE))
    tables = [
        {n: v.tolist() for n, v in TABLE.items()}, {n: v[:, None] for n, v in TABLE.items()},
        pandas.DataFrame(TABLE).assign(other=1), polars.DataFrame(TABLE),
    ]  # fmt: skip
    for table in tables:
        assert np.array_equal(backend.to_numpy(space(table)), expected)
        again = _space(FeatureSpace)
        again.adapt(table)
        assert np.array_equal(backend.to_numpy(again(TABLE)), expected)
    one = {n: v[0] for n, v in TABLE.items()}
    assert np.array_equal(backend.to_numpy(space(one)), expected[0])


def test_in_pipelines(backend):
    tf, grain = pytest.importorskip("tensorflow"), pytest.importorskip("grain")
    space = _adapted()
    expected = backend.to_numpy(space(TABLE))
    data = tf.data.Dataset.from_tensor_slices(TABLE)
    for mapped in (data.batch(2).map(space), data.map(space).batch(2)):
        found = np.concatenate(list(mapped.as_numpy_iterator()))
        np.testing.assert_allclose(found, expected, atol=1e-6)
    rows = [{n: v[i] for n, v in TABLE.items()} for i in range(4)]
    found = np.concatenate(list(grain.MapDataset.source(rows).map(space).batch(2)))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    for source in (data, data.batch(3), grain.MapDataset.source(rows), [(r, 0) for r in rows]):
        again = _space(FeatureSpace)
        again.adapt(source)
        np.testing.assert_allclose(backend.to_numpy(again(TABLE)), expected, atol=1e-6)


def test_before_a_model(training_backend, tmp_path):
    space = _adapted()
    model = kerata.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    model.compile(kerata.optimizers.Adam(0.1), "mse")
    y = np.arange(4.0)
    losses = model.fit(TABLE, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    pandas = pytest.importorskip("pandas")
    predicted = model.predict(pandas.DataFrame(TABLE), verbose=0)
    model.save(tmp_path / "model.keras")
    again = kerata.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(TABLE, verbose=0), predicted, atol=1e-6)


def test_as_a_layer_of_a_model(training_backend):
    model = kerata.Sequential([_adapted(), layers.Dense(1)])
    model.compile(kerata.optimizers.Adam(0.1), "mse")
    losses = model.fit(TABLE, np.arange(4.0), epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_saves(tmp_path, backend):
    space = _adapted()
    space.save(tmp_path / "space.keras")
    again = kerata.saving.load_model(tmp_path / "space.keras")
    assert np.array_equal(backend.to_numpy(again(TABLE)), backend.to_numpy(space(TABLE)))
    assert again.get_config() == space.get_config()


def test_kinds_of_ones_own():
    features = {
        "a": FeatureSpace.feature("float32", layers.Lambda(kerata.ops.negative), "float"),
        "b": FeatureSpace.feature("string", layers.StringLookup(), "int"),
        "c": FeatureSpace.float_discretized(4, bin_boundaries=[1.0, 2.0]),
        "d": FeatureSpace.float(),
    }
    space = FeatureSpace(features, output_mode="dict")
    table = {"a": [1.0, 2.0], "b": ["x", "y"], "c": [0.0, 5.0], "d": [7.0, 8.0]}
    space.adapt(table)
    with use_backend("numpy"):
        found = {n: v.tolist() for n, v in space(table).items()}
    assert found == {
        "a": [[-1.0], [-2.0]], "b": [[2], [1]], "c": [[1, 0, 0], [0, 0, 1]], "d": [[7.0], [8.0]],
    }  # fmt: skip


def test_keeps_what_it_learnt_where_columns_are_missing(backend):
    space = FeatureSpace({"a": "float_normalized"})
    space.adapt({"a": [1.0, 3.0]})
    with pytest.raises(ValueError, match="'a' are missing; there are 'b'"):
        space.adapt({"b": [1.0]})
    assert space.preprocessors["a"].adapt_mean.numpy().tolist() == [2.0]
    assert backend.to_numpy(space({"a": [3.0]})).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureSpace({}), "at least one column"),
        (lambda: FeatureSpace({"a": "nope"}), "'a' must be one of float, "),
        (lambda: FeatureSpace({"a": "float"}, "x"), "'concat' or 'dict'; got 'x'"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), "'b' is none of 'a'"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "a")], crossing_dim=[2, 3]), "1 of"),
        (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), "call adapt"),
        (lambda: FeatureSpace({"a": "float_normalized"}).get_inputs(), "call adapt"),
        (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), "'a' are missing; there are 'b'"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt({"b": [1.0]}), "'a' are missing"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt(iter([])), "data is empty"),
        (lambda: FeatureSpace({"a": "float"})([1.0]), "a dictionary of columns"),
        (lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})({"a": [1]}), "concat"),
    ],
)
def test_refuses(make, message):
    with use_backend("numpy"), pytest.raises(ValueError, match=message):
        make()
