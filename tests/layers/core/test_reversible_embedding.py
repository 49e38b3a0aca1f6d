import numpy as np
import pytest

from kerata import layers
from kerata.core.masks import get_mask

IDS = np.array([[0, 1, 3]], "int32")


@pytest.mark.parametrize("tied", [True, False])
def test_there_and_back(tied, backend):
    layer = layers.ReversibleEmbedding(5, 3, tie_weights=tied, mask_zero=True)
    vectors = layer(backend.convert(IDS))
    scores = layer(vectors, reverse=True)
    table = layer.embeddings.numpy()
    back = table.T if tied else layer.reverse_embeddings.numpy()
    np.testing.assert_allclose(backend.to_numpy(scores), table[IDS] @ back, 1e-4, 1e-6)
    assert backend.to_numpy(get_mask(vectors)).tolist() == [[False, True, True]]
    assert get_mask(scores) is None


def test_dtype_of_the_scores(backend):
    half = "float16" if np.ndarray in backend.tensor_types else "bfloat16"
    layer = layers.ReversibleEmbedding(5, 3, dtype=f"mixed_{half}", reverse_dtype="float32")
    vectors = layer(backend.convert(IDS))
    assert backend.dtype_of(vectors) == half
    assert backend.dtype_of(layer(vectors, reverse=True)) == "float32"


def test_in_a_graph(backend):
    ids = layers.Input((None,), dtype="int32")
    layer = layers.ReversibleEmbedding(5, 3)
    x = layer(ids)
    assert x.shape == (None, None, 3)
    assert layer(x, reverse=True).shape == (None, None, 5)
    assert layer.compute_output_shape((2, 4)) == (2, 4, 3)
