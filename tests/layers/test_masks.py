"""Masks travel from an embedding to the layers that skip what they leave out."""

import numpy as np
import pytest

from kerata import layers, ops
from kerata.core.masks import get_mask
from kerata.core.transforms import jit

IDS = np.array([[1, 2, 3, 0, 0], [4, 1, 0, 0, 0], [2, 2, 2, 2, 2]], "int32")


class Tagger(layers.Layer):
    """Embedding, LSTM, Dense."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embedding = layers.Embedding(6, 4, mask_zero=True)
        self.dropout = layers.Dropout(0.5)
        self.lstm = layers.LSTM(3)
        self.dense = layers.Dense(2)

    def call(self, ids):
        return self.dense(self.lstm(self.dropout(self.embedding(ids))))


def short(backend, model, row, length):
    """The result for one row, cut to its length."""
    return backend.to_numpy(model(backend.convert(IDS[row : row + 1, :length])))[0]


def test_eagerly_and_compiled(backend):
    model = Tagger()
    y = backend.to_numpy(model(backend.convert(IDS)))
    for row, length in ((0, 3), (1, 2), (2, 5)):
        np.testing.assert_allclose(y[row], short(backend, model, row, length), 1e-5, 1e-6)
    compiled = jit(model)
    np.testing.assert_allclose(backend.to_numpy(compiled(backend.convert(IDS))), y, 1e-5, 1e-6)


@pytest.mark.parametrize("merge", [
    lambda: layers.Add(), lambda: layers.Concatenate(), lambda: layers.Maximum(),
])  # fmt: skip
def test_through_merges(merge, backend):
    embedding, lstm, merged = layers.Embedding(6, 4, mask_zero=True), layers.LSTM(3), merge()

    def model(ids):
        x = embedding(ids)
        return lstm(merged([x, layers.Activation("tanh")(x)]))

    y = backend.to_numpy(model(backend.convert(IDS)))
    for row, length in ((0, 3), (1, 2)):
        np.testing.assert_allclose(y[row], short(backend, model, row, length), 1e-5, 1e-6)


def test_in_the_graph(backend):
    ids = layers.Input((None,), dtype="int32")
    x = layers.Embedding(6, 4, mask_zero=True)(ids)
    assert get_mask(x).shape == (None, None)
    y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    assert get_mask(y) is get_mask(x)
    assert get_mask(h) is None and get_mask(c) is None
    assert get_mask(layers.LSTM(3)(x)) is None
    assert get_mask(layers.Dense(3)(y)) is get_mask(x)
    assert get_mask(layers.Flatten()(y)) is None
    assert get_mask(layers.Reshape((-1,))(y)) is None
    assert get_mask(layers.MultiHeadAttention(1, 2)(y, y)) is get_mask(x)


def test_attention_takes_masks_of_its_inputs(backend):
    embedding, attention = layers.Embedding(6, 4, mask_zero=True), layers.MultiHeadAttention(1, 2)
    x = embedding(backend.convert(IDS))
    _, scores = attention(x, x, return_attention_scores=True)
    scores = backend.to_numpy(scores)[:, 0]
    assert (scores[0, :, 3:] == 0).all() and (scores[0, :, :3] > 0).all()
    assert (scores[1, :, 2:] == 0).all() and (scores[2] > 0).all()


def test_a_mask_given_by_hand_is_passed_on(backend):
    x = backend.convert(np.ones((2, 3, 4), "float32"))
    mask = backend.convert(np.array([[True, True, False], [True, False, False]]))
    y = layers.LSTM(2, return_sequences=True)(x, mask=mask)
    assert get_mask(y) is mask


def test_lambda_masks(backend):
    x = layers.Embedding(6, 4, mask_zero=True)(backend.convert(IDS))
    assert get_mask(layers.Lambda(ops.tanh)(x)) is None
    doubled = layers.Lambda(ops.tanh, mask=lambda inputs, mask: ops.logical_not(mask))(x)
    assert np.array_equal(backend.to_numpy(get_mask(doubled)), IDS == 0)
    seen = layers.Lambda(lambda x, mask: ops.sum(ops.cast(mask, "int32"), 1))(x)
    assert backend.to_numpy(seen).tolist() == [3, 2, 5]
