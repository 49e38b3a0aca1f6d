"""Layers of data in input pipelines, whatever backend is active."""

import numpy as np
import pytest

from kerata import layers
from kerata.backends.registry import use_backend

DOCUMENTS = ["a b", "c d", "a a", "b"]
NUMBERS = np.array([[2, 3, 0], [5, 4, 0], [2, 2, 0], [3, 0, 0]])


def _text():
    layer = layers.TextVectorization(output_sequence_length=3)
    layer.adapt(DOCUMENTS)
    return layer


def _normalization():
    layer = layers.Normalization()
    layer.adapt([[0.0], [2.0]])
    return layer


class Documents:
    """A data set of torch's, which makes its elements with a layer."""

    def __init__(self):
        self.layer, self.normalization = _text(), _normalization()

    def __len__(self):
        return len(DOCUMENTS)

    def __getitem__(self, index):
        return self.layer(DOCUMENTS[index]), self.normalization(np.array([float(index)], "float32"))


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_data_loader(workers, backend):
    data = pytest.importorskip("torch.utils.data")
    context = "spawn" if workers else None
    loader = data.DataLoader(
        Documents(), batch_size=2, num_workers=workers, multiprocessing_context=context
    )
    found = list(loader)
    assert np.array_equal(np.concatenate([x.numpy() for x, _ in found]), NUMBERS)
    assert np.concatenate([y.numpy() for _, y in found])[:, 0].tolist() == [-1, 0, 1, 2]


def test_grain(backend):
    grain = pytest.importorskip("grain")
    data = grain.MapDataset.source(DOCUMENTS).map(_text()).batch(2)
    found = list(data)
    assert all(type(x) is np.ndarray for x in found)
    assert np.array_equal(np.concatenate(found), NUMBERS)
    threads = grain.MapDataset.source(DOCUMENTS).map(_text()).to_iter_dataset().batch(2)
    assert np.array_equal(np.concatenate(list(threads)), NUMBERS)


def test_tf_data(backend):
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices(DOCUMENTS)
    layer = _text()
    for mapped in (data.batch(3).map(layer), data.map(layer).batch(3)):
        assert mapped.element_spec.shape.as_list() == [None, 3]
        found = np.concatenate(list(mapped.as_numpy_iterator()))
        assert np.array_equal(found, NUMBERS)
    # Outside of the pipeline the active backend serves again.
    assert isinstance(layer(DOCUMENTS), backend.tensor_types)


def test_every_layer_in_tf_data(backend):
    tf = pytest.importorskip("tensorflow")

    def mapped(layer, *columns):
        data = tf.data.Dataset.from_tensors(columns if len(columns) > 1 else columns[0])
        (found,) = data.map(lambda *x: layer(list(x) if len(x) > 1 else x[0])).as_numpy_iterator()
        return found.tolist()

    integers, texts, floats = [[1, 2]], [["a"], ["b"]], [[0.1], [2.0]]
    assert mapped(layers.CategoryEncoding(3, "count"), integers) == [[0, 1, 1]]
    assert mapped(layers.IntegerLookup(vocabulary=[2]), integers) == [[0, 1]]
    assert mapped(layers.StringLookup(vocabulary=["b"], output_mode="one_hot"), texts) == [
        [1, 0], [0, 1],
    ]  # fmt: skip
    assert mapped(layers.StringLookup(vocabulary=["b"], invert=True), [[1, 0]]) == [
        [b"b", b"[UNK]"]
    ]
    assert mapped(layers.Discretization([1.0], output_mode="one_hot"), floats) == [[1, 0], [0, 1]]
    assert mapped(_normalization(), [[0.0], [2.0]]) == [[-1.0], [1.0]]
    assert mapped(layers.Hashing(3), [["A"], ["B"]]) == [[1], [0]]
    assert mapped(layers.HashedCrossing(5), [["A"], ["B"]], [[101], [101]]) == [[1], [4]]


def test_variables_stay_where_they_are(training_backend):
    """A layer's statistics are read in a pipeline without being moved to its backend."""
    tf = pytest.importorskip("tensorflow")
    layer = _normalization()
    layer(np.zeros((1, 1), "float32"))
    home = layer.adapt_mean._home
    list(tf.data.Dataset.from_tensors([[1.0]]).map(layer))
    assert layer.adapt_mean._home is home
    layer.adapt([[4.0], [6.0]])
    (found,) = tf.data.Dataset.from_tensors([[6.0]]).map(layer).as_numpy_iterator()
    assert found.tolist() == [[1.0]]


def test_adapts_to_pipelines(backend):
    tf, grain = pytest.importorskip("tensorflow"), pytest.importorskip("grain")
    data = pytest.importorskip("torch.utils.data")
    expected = _text().get_vocabulary()
    sources = [
        np.array(DOCUMENTS), tf.data.Dataset.from_tensor_slices(DOCUMENTS).batch(2),
        tf.data.Dataset.from_tensor_slices((DOCUMENTS, [0] * 4)).batch(2), iter([DOCUMENTS]),
        grain.MapDataset.source(DOCUMENTS).batch(2), data.DataLoader(DOCUMENTS, batch_size=3),
    ]  # fmt: skip
    for source in sources:
        layer = layers.TextVectorization()
        layer.adapt(source)
        assert layer.get_vocabulary() == expected


def test_layers_travel_by_pickle():
    import pickle

    layer, normalization = pickle.loads(pickle.dumps((_text(), _normalization())))
    with use_backend("numpy"):
        assert np.array_equal(layer(DOCUMENTS), NUMBERS)
        assert normalization([[2.0]]).tolist() == [[1.0]]
