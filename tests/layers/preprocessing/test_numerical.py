"""Normalization, bins and hashes: what Keras gives on the same data."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend

RNG = np.random.default_rng(0)
ARRAYS = [RNG.normal(size=n).astype("float32") for n in (3, 5, 99, 100, 101, 250, 1000)]
TABLE = RNG.normal(3, 2, size=(60, 3)).astype("float32")
TEXTS = [
    ["A"],
    ["B"],
    [""],
    ["C"],
    ["longer than sixty-four bytes, which this one is, I should say: yes"],
]
NUMBERS = np.array([[1, 2], [0, -5]], "int32")
A, B = np.array(["A", "B", "A", "zz", ""]), np.array([101, 101, 102, -3, 2**40])


@pytest.mark.oracle
def test_boundaries(keras):
    for x in ARRAYS:
        for count in (2, 4, 10):
            for epsilon in (0.01, 0.1, 0.5):
                layer = layers.Discretization(num_bins=count, epsilon=epsilon)
                peer = keras.layers.Discretization(num_bins=count, epsilon=epsilon)
                layer.adapt(x)
                peer.adapt(x)
                found, expected = layer.bin_boundaries, [float(b) for b in peer.bin_boundaries]
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.oracle
def test_boundaries_of_batches(keras):
    tf = pytest.importorskip("tensorflow")
    layer, peer = layers.Discretization(num_bins=4), keras.layers.Discretization(num_bins=4)
    layer.adapt(TABLE[i : i + 16] for i in range(0, 60, 16))
    peer.adapt(tf.data.Dataset.from_tensor_slices(TABLE).batch(16))
    expected = [float(b) for b in peer.bin_boundaries]
    np.testing.assert_allclose(layer.bin_boundaries, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("axis", [-1, None, 0, 1])
def test_normalization(axis, backend, keras):
    layer, peer = layers.Normalization(axis=axis), keras.layers.Normalization(axis=axis)
    layer.adapt(TABLE)
    peer.adapt(TABLE)
    found = backend.to_numpy(layer(TABLE))
    np.testing.assert_allclose(found, peer(TABLE), rtol=1e-4, atol=2e-5)
    ours, theirs = ([(w.name, tuple(w.shape)) for w in x.weights] for x in (layer, peer))
    assert ours == theirs
    assert set(layer.get_config()) == set(peer.get_config())


@pytest.mark.oracle
@pytest.mark.parametrize(
    "kind",
    [{}, {"salt": 1337}, {"salt": [1, 2]}, {"mask_value": ""}, {"mask_value": "", "salt": 3}],
)
def test_hashing(kind, backend, keras):
    expected = keras.layers.Hashing(10**6, **kind)(TEXTS)
    assert np.array_equal(backend.to_numpy(layers.Hashing(10**6, **kind)(TEXTS)), expected)
    kind = {k: 0 if v == "" else v for k, v in kind.items()}
    layer, expected = layers.Hashing(7, **kind), keras.layers.Hashing(7, **kind)(NUMBERS)
    one = layers.Hashing(1, **kind)(NUMBERS)
    assert np.array_equal(backend.to_numpy(one), keras.layers.Hashing(1, **kind)(NUMBERS))
    assert np.array_equal(backend.to_numpy(layer(NUMBERS)), expected)
    assert np.array_equal(backend.to_numpy(kerata.jit(layer.__call__)(NUMBERS)), expected)


@pytest.mark.oracle
def test_crossing(backend, keras):
    layer, peer = layers.HashedCrossing(10**6), keras.layers.HashedCrossing(10**6)
    for columns in ((A, B), (B, B), (A, B, A)):
        assert np.array_equal(backend.to_numpy(layer(columns)), peer(columns))
    hot = layers.HashedCrossing(5, output_mode="one_hot")((A[:, None], B[:, None]))
    assert backend.to_numpy(hot).sum(1).tolist() == [1.0] * 5


@pytest.mark.oracle
@pytest.mark.parametrize(
    "make",
    [lambda L: L.Hashing(3), lambda L: L.HashedCrossing(3), lambda L: L.Discretization([1.0])],
)
def test_config_keys(make, keras):
    assert set(make(layers).get_config()) == set(make(keras.layers).get_config())
    peer = make(keras.layers)
    assert type(make(layers)).from_config(peer.get_config()).get_config()["name"] == peer.name


# In themselves


def test_bins(backend):
    layer = layers.Discretization([0.0, 1.0, 2.0])
    found = layer([[-1.5, 1.0, 3.4], [np.nan, np.inf, -np.inf]])
    assert backend.to_numpy(found).tolist() == [[0, 2, 3], [3, 3, 0]]
    assert backend.dtype_of(found) == "int32"


def test_found_boundaries_are_in_the_config():
    layer = layers.Discretization(num_bins=3)
    layer.adapt(np.arange(30.0))
    again = layers.Discretization.from_config(layer.get_config())
    assert again.bin_boundaries == layer.bin_boundaries
    assert len(again.bin_boundaries) == 2
    layer.adapt(np.arange(30.0) + 100)
    assert min(layer.bin_boundaries) > 100


def test_normalizes_batches_as_the_whole(backend):
    x = np.random.default_rng(1).normal(1e4, 3.0, size=(50, 4))
    whole, pieces = layers.Normalization(), layers.Normalization()
    whole.adapt(x)
    pieces.adapt(x[i : i + 7] for i in range(0, 50, 7))
    for layer in (whole, pieces):
        assert np.allclose(layer.adapt_mean.numpy(), x.mean(0), rtol=1e-6)
        assert np.allclose(layer.adapt_variance.numpy(), x.var(0), rtol=1e-5)
    inverse = layers.Normalization(mean=x.mean(0), variance=x.var(0), invert=True)
    found = backend.to_numpy(inverse(whole(x.astype("float32"))))
    np.testing.assert_allclose(found, x, rtol=1e-5)


def test_normalizes_before_it_rounds(backend):
    """In mixed precision the input is rounded only once it is normalized."""
    x = np.array([[1e4], [1e4 + 1.0]], "float32")
    half = "float16" if np.ndarray in backend.tensor_types else "bfloat16"
    layer = layers.Normalization(dtype=f"mixed_{half}")
    layer.adapt(x)
    assert backend.to_numpy(layer(x)).astype("float32").tolist() == [[-1.0], [1.0]]


def test_adapts_to_whatever_holds_numbers():
    expected = [2.0, 20.0]
    rows = [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]
    pandas = pytest.importorskip("pandas")
    torch = pytest.importorskip("torch")
    grain = pytest.importorskip("grain")

    class Batches(kerata.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.array(rows[index : index + 1]), np.zeros(1)

    sources = [
        rows, np.array(rows), pandas.DataFrame(rows), torch.tensor(rows), Batches(),
        torch.utils.data.DataLoader(torch.tensor(rows), batch_size=2),
        grain.MapDataset.source(np.array(rows)).batch(2), iter([np.array(rows)]),
        [np.array(rows[:2]), np.array(rows[2:])],
    ]  # fmt: skip
    for source in sources:
        layer = layers.Normalization()
        layer.adapt(source)
        assert np.allclose(layer.adapt_mean.numpy(), expected), type(source)


def test_steps_and_endless_data():
    def endless():
        while True:
            yield np.array([1.0, 2.0, 3.0, 4.0])

    layer = layers.Discretization(num_bins=2)
    layer.adapt(endless(), steps=3)
    assert len(layer.bin_boundaries) == 1
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensors([1.0, 2.0]).repeat()
    with pytest.raises(ValueError, match="say with steps"):
        layer.adapt(data)
    layer.adapt(data, steps=2)
    assert layer.bin_boundaries == [1.0]


@pytest.mark.parametrize("data", [[], np.zeros((0, 2)), iter([])])
def test_keeps_what_it_learnt_where_data_is_empty(data):
    layer = layers.Normalization()
    layer.adapt([[1.0], [3.0]])
    with pytest.raises(ValueError, match="adapt: data is empty"):
        layer.adapt(data)
    assert layer.adapt_mean.numpy().tolist() == [2.0]


def test_shows_how_far_adapting_is(monkeypatch, capsys):
    from kerata.layers.preprocessing import adapting

    monkeypatch.setattr(adapting, "_SHOWN_AFTER", -1.0)
    layers.Discretization(num_bins=2).adapt(iter([np.arange(3.0)] * 4))
    assert "4/Unknown" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Discretization(), "give num_bins or bin_boundaries"),
        (lambda: layers.Discretization([1.0], 2), "not be given beside"),
        (lambda: layers.Discretization([2.0, 1.0]), "must rise"),
        (lambda: layers.Discretization([1.0]).adapt([1.0]), "can't adapt"),
        (lambda: layers.Discretization(num_bins=2)([1.0]), "has no boundaries"),
        (lambda: layers.Discretization([1.0], sparse=True), "sparse=True"),
        (lambda: layers.Normalization(mean=1.0), "both mean and variance"),
        (lambda: layers.Normalization(mean=[1.0], variance=1.0), "one shape"),
        (lambda: layers.Normalization(axis=5).build((3, 2)), "has 2; got"),
        (lambda: layers.Normalization().build((3, None)), "must be known"),
        (
            lambda: layers.Normalization().adapt(iter([[[1.0]], [[1.0, 2.0]]])),
            r"\(1,\); got \(2,\)",
        ),
        (lambda: layers.Normalization(mean=0.0, variance=1.0).adapt([1.0]), "can't adapt"),
        (lambda: layers.Hashing(0), "num_bins must be a positive integer"),
        (lambda: layers.Hashing(3, dtype="float32"), "integer"),
        (lambda: layers.Hashing(3, salt="x"), "salt"),
        (lambda: layers.HashedCrossing(3)((["a"],)), "two features or more; got 1"),
        (lambda: layers.HashedCrossing(3)(np.array(["a"])), "takes a list of features"),
        (lambda: layers.HashedCrossing(3)((["a"], ["b", "c"])), "one shape"),
        (lambda: layers.HashedCrossing(3)((["a"], [1.5])), "strings and integers"),
        (lambda: layers.HashedCrossing(3)(([["a", "b"]], [["a", "b"]])), "batch, 1"),
        (lambda: layers.CategoryEncoding(), "num_tokens must be given"),
        (lambda: layers.CategoryEncoding(3)([1], count_weights=[1.0]), "output_mode='count'"),
    ],
)
def test_refuses(make, message):
    with use_backend("numpy"), pytest.raises(ValueError, match=message):
        make()


def test_adapts_to_no_text():
    with use_backend("numpy"), pytest.raises(TypeError, match="must be numbers; got text: 'a'"):
        layers.Normalization().adapt(["a"])
