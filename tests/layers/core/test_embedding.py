import numpy as np

from kerata import layers
from kerata.core.masks import get_mask


def test_floats_and_large_indices_in_half_precision(backend):
    layer = layers.Embedding(5000, 2, dtype="mixed_float16")
    ids = np.array([[4097.0, 4999.0]], "float32")
    y = backend.to_numpy(layer(backend.convert(ids)))
    table = layer.embeddings.numpy().astype("float16")
    assert np.array_equal(y[0], table[[4097, 4999]])


def test_first_values():
    table = np.arange(6.0).reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=table)
    assert np.array_equal(layer.embeddings.numpy(), table)
    assert "weights" not in layer.get_config()


def test_mask(backend):
    ids = backend.convert(np.array([[1, 0, 2]], "int32"))
    y = layers.Embedding(3, 2, mask_zero=True)(ids)
    assert backend.to_numpy(get_mask(y)).tolist() == [[True, False, True]]
    assert get_mask(layers.Embedding(3, 2)(ids)) is None
