import numpy as np

from kerata import layers
from kerata.core.masks import get_mask
from kerata.core.transforms import jit

IDS = np.array([[1, 2, 3, 0], [4, 1, 0, 0]], "int32")


def test_average_of_the_steps_that_a_mask_leaves(backend):
    embedding, pool = layers.Embedding(6, 4, mask_zero=True), layers.GlobalAveragePooling1D()
    y = backend.to_numpy(jit(lambda ids: pool(embedding(ids)))(backend.convert(IDS)))
    table = embedding.embeddings.numpy()
    for row, length in ((0, 3), (1, 2)):
        np.testing.assert_allclose(y[row], table[IDS[row, :length]].mean(0), 1e-5, 1e-6)
    assert get_mask(pool(embedding(backend.convert(IDS)))) is None


def test_long_sequences_in_half_precision(backend):
    x = backend.convert(np.full((1, 3000, 2), 40.0, "float16"))
    mask = backend.convert(np.arange(3000)[None] < 2500)
    y = layers.GlobalAveragePooling1D(dtype="float16")(x, mask=mask)
    np.testing.assert_allclose(backend.to_numpy(y), 40.0, 5e-3)
