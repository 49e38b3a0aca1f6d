"""Look-ups of strings and integers: numbers, vectors, vocabularies, files."""

import tempfile

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import kerata
from kerata import layers
from kerata.backends.registry import use_backend

STRINGS = ["a", "z", "", "c", "q", "[M]", "yy", "hello"]
INTEGERS = [10, 5, 0, 30, -1, -4, 7, 1000, 123456789012, -123456789012]


@pytest.fixture
def tf():
    return pytest.importorskip("tensorflow")


def _host(backend, x):
    return backend.to_numpy(x) if isinstance(x, backend.tensor_types) else np.asarray(x)


def _same(found, expected):
    """Equal values; Keras' integers have as many bits as its backend has."""
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype.kind == expected.dtype.kind
    np.testing.assert_allclose(found, expected, rtol=1e-6)


KINDS = [
    {}, {"num_oov_indices": 3}, {"mask_token": ""}, {"mask_token": "", "num_oov_indices": 2},
    {"mask_token": "[M]", "oov_token": "O"}, {"num_oov_indices": 3, "salt": 133137},
    {"num_oov_indices": 3, "salt": [133, 137]},
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("kind", KINDS)
def test_strings_as_keras(kind, backend, keras):
    layer = layers.StringLookup(vocabulary=["a", "b", "c"], **kind)
    peer = keras.layers.StringLookup(vocabulary=["a", "b", "c"], **kind)
    _same(_host(backend, layer(STRINGS)), peer(STRINGS))
    assert layer.get_vocabulary() == peer.get_vocabulary()
    assert layer.vocabulary_size() == peer.vocabulary_size()
    ours, theirs = layer.get_config(), peer.get_config()
    assert set(ours) == set(theirs)
    assert ours["vocabulary"] == theirs["vocabulary"]
    again = layers.StringLookup.from_config(peer.get_config())
    assert again.get_vocabulary() == peer.get_vocabulary()


@pytest.mark.oracle
@pytest.mark.parametrize(
    "kind",
    [{}, {"num_oov_indices": 3}, {"mask_token": 0}, {"mask_token": 0, "num_oov_indices": 2},
     {"num_oov_indices": 3, "oov_method": "farmhash"},
     {"num_oov_indices": 3, "oov_method": "farmhash", "salt": 9}],
)  # fmt: skip
def test_integers_as_keras(kind, backend, keras):
    layer = layers.IntegerLookup(vocabulary=[10, 20, 30], **kind)
    peer = keras.layers.IntegerLookup(vocabulary=[10, 20, 30], **kind)
    _same(_host(backend, layer(INTEGERS)), peer(INTEGERS))
    assert layer.get_vocabulary() == peer.get_vocabulary()
    assert set(layer.get_config()) == set(peer.get_config())
    compiled = kerata.jit(layer.__call__)
    _same(_host(backend, compiled(np.array(INTEGERS[:8], "int32"))), peer(INTEGERS[:8]))


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count", "tf_idf"])
@pytest.mark.parametrize(
    "kind", [{}, {"pad_to_max_tokens": True, "max_tokens": 7}, {"mask_token": ""}]
)
def test_vectors_as_keras(mode, kind, backend, keras):
    more = {"output_mode": mode} | ({"idf_weights": [0.5, 0.6, 0.7]} if mode == "tf_idf" else {})
    layer = layers.StringLookup(vocabulary=["a", "b", "c"], **kind, **more)
    peer = keras.layers.StringLookup(vocabulary=["a", "b", "c"], **kind, **more)
    for x in (["a", "z", ""], [["a", "a", "z"], ["c", "b", ""]], [["a"], ["q"]], [[["a", "b"]]]):
        found, expected = _host(backend, layer(x)), np.asarray(peer(np.array(x).tolist()))
        _same(found, expected)
        symbolic = layer(kerata.Input(np.shape(x)[1:], dtype="string"))
        assert len(symbolic.shape) == found.ndim
        assert symbolic.dtype == str(found.dtype)


@pytest.mark.oracle
def test_adapts_as_keras(keras):
    rows = np.array([["b", "a", "[UNK]"], ["a", "c", ""], ["", "b", "d"]])
    kinds = [{}, {"mask_token": ""}, {"max_tokens": 3}, {"output_mode": "tf_idf"},
             {"max_tokens": 5, "output_mode": "tf_idf", "pad_to_max_tokens": True}]  # fmt: skip
    for kind in kinds:
        layer, peer = layers.StringLookup(**kind), keras.layers.StringLookup(**kind)
        layer.adapt(rows)
        peer.adapt(rows)
        assert layer.get_vocabulary() == peer.get_vocabulary()
        with use_backend("numpy"):
            _same(np.asarray(layer(rows)), peer(rows.tolist()))
    numbers = np.array([[3, 1, 1], [2, -1, 0]])
    layer, peer = layers.IntegerLookup(mask_token=0), keras.layers.IntegerLookup(mask_token=0)
    layer.adapt(numbers)
    peer.adapt(numbers)
    assert layer.get_vocabulary() == peer.get_vocabulary()


def test_inverts(backend):
    strings = layers.StringLookup(vocabulary=["a", "b"], invert=True, mask_token="")
    assert np.asarray(strings([[0, 1], [3, 9]])).tolist() == [["", "[UNK]"], ["b", "[UNK]"]]
    numbers = layers.IntegerLookup(vocabulary=[10, 20], invert=True)
    assert _host(backend, numbers([[0, 1], [2, 9]])).tolist() == [[-1, 10], [20, -1]]


@pytest.mark.parametrize("give", [
    lambda s: s, np.array, lambda s: np.array(s, object), lambda s: np.array(s).astype("S"),
    lambda s: np.array([t.encode() for t in s], object),
    lambda s: pytest.importorskip("pandas").Series([*s[:-1], None]),
    lambda s: pytest.importorskip("pandas").Series([*s[:-1], None], dtype="string"),
    lambda s: pytest.importorskip("pandas").Series(s, dtype="category"),
    lambda s: pytest.importorskip("polars").Series(s),
    lambda s: pytest.importorskip("pyarrow").array([*s[:-1], None]),
    lambda s: pytest.importorskip("pyarrow").chunked_array([s[:2], s[2:]]),
    lambda s: pytest.importorskip("tensorflow").constant(s),
])  # fmt: skip
def test_takes_strings_of_every_kind(give, backend):
    layer = layers.StringLookup(vocabulary=["é", "b"], mask_token="")
    strings = ["b", "é" if "S" not in str(getattr(give, "__code__", "")) else "b", "x", ""]
    try:
        given = give(strings)
    except UnicodeEncodeError:
        given = give(["b", "b", "x", ""])
        assert _host(backend, layer(given)).tolist() == [3, 3, 1, 0]
        return
    assert _host(backend, layer(given)).tolist() == [3, 2, 1, 0]


def test_vocabulary_in_a_file(tmp_path, backend):
    path = tmp_path / "words.txt"
    path.write_text("x\ny\nz\n")
    layer = layers.StringLookup(vocabulary=path)
    assert layer.get_vocabulary() == ["[UNK]", "x", "y", "z"]
    assert layer.get_config()["vocabulary"] is None  # it goes into the saved files
    path.write_text("5\n6\n")
    assert layers.IntegerLookup(vocabulary=str(path)).get_vocabulary() == [-1, 5, 6]


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(st.lists(st.text(max_size=5), min_size=1, max_size=9))
def test_there_and_back(tokens):
    """Any strings, line breaks among them: looked up, back again, saved to a file and loaded."""
    layer = layers.StringLookup()
    layer.adapt(tokens)
    with tempfile.TemporaryDirectory() as folder, use_backend("numpy"):
        layer.save_assets(folder)
        again = layers.StringLookup.from_config(layer.get_config())
        again.load_assets(folder)
        assert again.get_vocabulary() == layer.get_vocabulary()
        if layer.vocabulary_size() == 1:  # nothing but "[UNK]"
            return
        words = layer.get_vocabulary(include_special_tokens=False)
        back = layers.StringLookup(vocabulary=words, invert=True)
        assert back(again(tokens)).tolist() == tokens


def test_updates_piece_by_piece():
    layer = layers.StringLookup()
    layer.update_state(["b", "b", "a"])
    layer.update_state([["a", "c"], ["a", "a"]])
    layer.finalize_state()
    assert layer.get_vocabulary() == ["[UNK]", "a", "b", "c"]
    layer.reset_state()
    layer.adapt(["x", "y", "y"])
    assert layer.get_vocabulary(include_special_tokens=False) == ["y", "x"]


def test_set_vocabulary(tmp_path):
    layer = layers.StringLookup(vocabulary=["a"])
    layer.set_vocabulary(["b", "c"])  # what is saved is this one, not the constructor's
    model = kerata.Sequential([kerata.Input((1,), dtype="string"), layer])
    model.save(tmp_path / "model.keras")
    (again,) = kerata.saving.load_model(tmp_path / "model.keras").layers
    assert again.get_vocabulary() == ["[UNK]", "b", "c"]
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.set_vocabulary(["[UNK]", "r", "s"], [1.0, 2.0])
    assert layer.get_vocabulary() == ["[UNK]", "r", "s"]
    with use_backend("numpy"):
        assert layer([["s", "q"]]).tolist() == [[1.5, 0.0, 2.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.StringLookup(max_tokens=1), "max_tokens must be more than 1; got 1"),
        (lambda: layers.StringLookup(pad_to_max_tokens=True), "needs max_tokens"),
        (lambda: layers.StringLookup(invert=True, output_mode="count"), "must be 'int'"),
        (lambda: layers.StringLookup(sparse=True), "sparse=True"),
        (lambda: layers.StringLookup(num_oov_indices=-1), "at least 0; got -1"),
        (lambda: layers.StringLookup(vocabulary=["a", "a"]), r"twice: \['a'\]"),
        (lambda: layers.StringLookup(vocabulary=[]), "must not be empty"),
        (lambda: layers.StringLookup(vocabulary="nowhere.txt"), "no file"),
        (lambda: layers.StringLookup(max_tokens=3, vocabulary=["x", "y", "z"]), "has 4 tokens"),
        (lambda: layers.StringLookup(vocabulary=["x", ""], mask_token=""), "mask token"),
        (lambda: layers.StringLookup(vocabulary=["x"], idf_weights=[1.0]), "tf_idf"),
        (lambda: layers.StringLookup(vocabulary=["x"], output_mode="tf_idf"), "idf_weights"),
        (lambda: layers.StringLookup(salt="x"), "salt must be an integer or two"),
        (lambda: layers.StringLookup()(["a"]), "has no vocabulary"),
        (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), "was given a vocabulary"),
        (lambda: layers.StringLookup(vocabulary=["a"])([["a"], ["b", "c"]]), "one length"),
        (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "b"]), r"\['b'\]"),
        (lambda: layers.IntegerLookup(vocabulary=[1], num_oov_indices=0)([1, 4]), r"\[4\]"),
        (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), "must be 'int64'; got 'int32'"),
        (lambda: layers.IntegerLookup(salt=3), "farmhash"),
    ],
)
def test_refuses(make, message):
    with use_backend("numpy"), pytest.raises(ValueError, match=message):
        make()


def test_refuses_what_is_no_text(backend):
    with pytest.raises(TypeError, match="StringLookup takes strings; got 1"):
        layers.StringLookup(vocabulary=["a"])([1, 2])
    with pytest.raises(TypeError, match="IntegerLookup takes integers"):
        layers.IntegerLookup(vocabulary=[1])(["a"])


def test_ragged_and_sparse(tf, backend):
    layer = layers.StringLookup(vocabulary=["a", "b"])
    ragged = tf.ragged.constant([["a"], ["b", "z"]])
    sparse = tf.sparse.from_dense(tf.constant([["a", ""], ["b", "z"]]))
    found = layer(ragged), layer(sparse)
    if backend.name == "tensorflow":
        assert found[0].to_list() == [[1], [2, 0]]
        found = (tf.sparse.to_dense(found[1]),)
    for x in found:
        assert _host(backend, x).tolist() == [[1, 0], [2, 0]]
    counts = layers.StringLookup(vocabulary=["a"], output_mode="count")(ragged)
    assert _host(backend, counts).tolist() == [[0, 1], [2, 0]]
    adapted = layers.StringLookup()
    adapted.adapt(ragged)
    assert adapted.vocabulary_size() == 4
