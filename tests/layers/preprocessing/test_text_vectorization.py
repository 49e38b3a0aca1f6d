"""Documents as numbers, against Keras and in themselves."""

import string
from collections import Counter

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import kerata
from kerata import layers
from kerata.backends.registry import use_backend

DOCUMENTS = ["The quick brown fox!", "jumped over the lazy dog.", "the THE the fox-trot, a", ""]
UNICODE = (
    "ÄÖÜ É ß İ ǅ“quoted”…—dash´`^°§ Привет ΣΑΣ　wide\tTab\nnl\x0bvt\x0cff\u00a0nb\x1ffs\u2003em"
)

KINDS = [
    {}, {"output_sequence_length": 3}, {"output_sequence_length": 7}, {"standardize": None},
    {"standardize": "lower"}, {"standardize": "strip_punctuation"}, {"split": None},
    {"split": "character"}, {"split": "character", "standardize": None}, {"ngrams": 2},
    {"ngrams": (2,)}, {"ngrams": (1, 3)}, {"ngrams": 2, "output_mode": "count"},
    {"output_mode": "multi_hot"}, {"output_mode": "tf_idf"},
    {"output_mode": "count", "pad_to_max_tokens": True, "max_tokens": 99},
    {"split": None, "output_mode": "count"}, {"split": None, "ngrams": 2}, {"max_tokens": 5},
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_as_keras(kind, backend, keras):
    layer, peer = layers.TextVectorization(**kind), keras.layers.TextVectorization(**kind)
    layer.adapt(np.array(DOCUMENTS))
    peer.adapt(DOCUMENTS)
    assert layer.get_vocabulary() == peer.get_vocabulary()
    for documents in (DOCUMENTS, [[d] for d in DOCUMENTS]):
        found = backend.to_numpy(layer(documents))
        np.testing.assert_allclose(found, peer(documents), rtol=1e-6)
    assert set(layer.get_config()) == set(peer.get_config())


@pytest.mark.oracle
def test_leaves_what_is_not_ascii(keras):
    layer, peer = layers.TextVectorization(), keras.layers.TextVectorization()
    layer.adapt([UNICODE])
    peer.adapt([UNICODE])
    assert layer.get_vocabulary() == peer.get_vocabulary()


def test_one_document(backend):
    layer = layers.TextVectorization(vocabulary=["the", "fox"])
    assert backend.to_numpy(layer("The fox!")).tolist() == [2, 3]
    assert backend.to_numpy(layer(np.array([""]))).shape == (1, 0)


def test_symbolic_shapes():
    def shape(**kind):
        return layers.TextVectorization(vocabulary=["a"], **kind)(
            kerata.Input((1,), dtype="string")
        )

    with use_backend("numpy"):
        assert shape().shape == (None, None)
        assert shape().dtype == "int32"
        assert shape(output_sequence_length=4).shape == (None, 4)
        assert shape(output_mode="count").shape == (None, 2)
        assert shape(output_mode="one_hot").shape == (None, None, 2)
        assert shape(split=None).shape == (None, 1)


def test_one_hot_fills_up_with_zeros(backend):
    layer = layers.TextVectorization(vocabulary=["a"], output_mode="one_hot")
    assert backend.to_numpy(layer(["a b", "a"])).tolist() == [[[0, 1], [1, 0]], [[0, 1], [0, 0]]]


def test_functions_of_ones_own(backend):
    layer = layers.TextVectorization(
        standardize=np.char.upper, split=lambda texts: [t.split(",") for t in texts], ngrams=2
    )
    layer.adapt(["a,b", "b,c"])
    assert layer.get_vocabulary() == ["", "[UNK]", "B", "C", "B C", "A B", "A"]
    assert backend.to_numpy(layer(["a,x"])).tolist() == [[6, 1, 1]]


def test_functions_of_tensorflow(backend):
    tf = pytest.importorskip("tensorflow")
    layer = layers.TextVectorization(
        standardize=tf.strings.upper, split=lambda x: tf.strings.split(x, ",")
    )
    layer.adapt(["a,b", "b,c"])
    assert layer.get_vocabulary() == ["", "[UNK]", "B", "C", "A"]


def test_documents_with_null_bytes():
    layer = layers.TextVectorization()
    layer.adapt(["a\0b c", "C"])
    assert layer.get_vocabulary() == ["", "[UNK]", "c", "a\0b"]


def test_ragged(backend):
    layer = layers.TextVectorization(vocabulary=["a", "b"], ragged=True)
    if backend.name == "tensorflow":
        assert layer(["a b", "b"]).to_list() == [[2, 3], [3]]
        words = layers.TextVectorization(vocabulary=["a"], split=None, ragged=True)
        assert words([["a", "b"]]).to_list() == [[2, 1]]
        assert words(["a", "b"]).numpy().tolist() == [2, 1]
    else:
        with pytest.raises(TypeError, match="has no ragged tensors"):
            layer(["a b", "b"])


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.lists(st.text(max_size=12), min_size=1, max_size=5), st.integers(1, 3))
def test_against_words_counted_one_by_one(documents, ngrams):
    """Any text: the vocabulary is what counting in plain Python gives, and numbers lead back."""
    removed = string.punctuation.encode()
    rows = []
    for document in documents:
        words = [w.decode() for w in document.encode().lower().translate(None, removed).split()]
        rows.append([
            " ".join(words[i : i + n])
            for n in range(1, ngrams + 1) for i in range(len(words) - n + 1)
        ])  # fmt: skip
    counts = Counter(w for row in rows for w in row if w != "[UNK]")
    layer = layers.TextVectorization(ngrams=None if ngrams == 1 else ngrams)
    layer.adapt(documents)
    found = layer.get_vocabulary()
    assert found[2:] == sorted(counts, key=lambda w: (counts[w], w), reverse=True)
    if counts:
        with use_backend("numpy"):
            numbers = layer(documents)
        assert [[found[i] for i in row if i] for row in numbers] == [
            [w if w in counts else "[UNK]" for w in row] for row in rows
        ]


def test_sparse_vectors(backend):
    layer = layers.TextVectorization(vocabulary=["a", "b"], output_mode="count", sparse=True)
    dense = layers.Dense(2)
    sparse, plain = layer(["a b", "c c"]), np.array([[0, 1, 1], [2, 0, 0]], "float32")
    assert not isinstance(sparse, np.ndarray)
    expected = backend.to_numpy(dense(plain))
    np.testing.assert_allclose(backend.to_numpy(dense(sparse)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ({"standardize": "x"}, "standardize must be one of"),
        ({"split": "x"}, "split must be one of"),
        ({"ngrams": 0}, "positive integer or a tuple of them; got 0"),
        ({"output_mode": "x"}, "output_mode must be one of"),
        ({"output_mode": "count", "output_sequence_length": 3}, "needs output_mode='int'"),
        ({"output_mode": "count", "ragged": True}, "needs output_mode='int'"),
        ({"sparse": True}, "sparse=True"),
    ],
)
def test_refuses(kind, message):
    with pytest.raises(ValueError, match=message):
        layers.TextVectorization(**kind)


def test_refuses_documents_of_two_columns():
    layer = layers.TextVectorization(vocabulary=["a"])
    with use_backend("numpy"), pytest.raises(ValueError, match=r"got \(1, 2\)"):
        layer([["a", "b"]])
    with pytest.raises(ValueError, match="was given a vocabulary, so it can't adapt"):
        layer.adapt(["a"])
    with use_backend("numpy"), pytest.raises(ValueError, match=r"TextVectorization.*no vocabulary"):
        layers.TextVectorization()(["a"])
