"""What the table of cases can't say of attention: dropout, masks on the way, refusals."""

import numpy as np
import pytest

from kerata import layers
from kerata.backends.registry import use_backend
from kerata.core.masks import get_mask
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.core.transforms import jit

IDS = np.array([[1, 2, 3, 0], [4, 1, 0, 0]], "int32")
DROPPING = {
    "Attention": lambda: layers.Attention(dropout=0.5, seed=1),
    "AdditiveAttention": lambda: layers.AdditiveAttention(dropout=0.5, seed=1),
    "GroupQueryAttention": lambda: layers.GroupQueryAttention(2, 2, 1, dropout=0.5, seed=1),
}
PAIRED = ("Attention", "AdditiveAttention")


@pytest.mark.parametrize("name", DROPPING)
def test_dropout(name, backend):
    layer = DROPPING[name]()
    x = backend.convert(np.random.default_rng(0).normal(size=(3, 8, 4)).astype("float32"))
    args = ([x, x],) if name in PAIRED else (x, x)
    step = jit(lambda *args: layer(*args, training=True))
    first, second = (backend.to_numpy(step(*args)) for _ in range(2))
    assert not np.array_equal(first, second)


def test_the_share_that_is_dropped(backend):
    x = backend.convert(np.random.default_rng(0).normal(size=(8, 40, 4)).astype("float32"))
    layer = layers.Attention(dropout=0.5, seed=1)
    _, weights = layer([x, x], training=True, return_attention_scores=True)
    _, whole = layer([x, x], return_attention_scores=True)
    weights, whole = backend.to_numpy(weights), backend.to_numpy(whole)
    assert np.mean(weights == 0) == pytest.approx(0.5, abs=0.03)
    kept = weights > 0
    np.testing.assert_allclose(weights[kept], 2 * whole[kept], 1e-5)


@pytest.mark.parametrize("name", PAIRED)
def test_masks_of_its_inputs(name, backend):
    x = layers.Embedding(6, 4, mask_zero=True)(backend.convert(IDS))
    layer = getattr(layers, name)()
    y, weights = layer([x, x], return_attention_scores=True)
    assert np.array_equal(backend.to_numpy(weights) > 0, np.repeat(IDS[:, None] > 0, 4, 1))
    assert np.array_equal(backend.to_numpy(get_mask(y)), IDS > 0)
    assert not backend.to_numpy(y)[IDS == 0].any()
    assert layer.compute_mask([x, x]) is None
    np.testing.assert_allclose(backend.to_numpy(layer([x, x])), backend.to_numpy(y), 1e-5, 1e-6)


def test_in_the_graph(backend):
    ids = layers.Input((None,), dtype="int32")
    x = layers.Embedding(6, 4, mask_zero=True)(ids)
    assert get_mask(layers.Attention()([x, x])) is get_mask(x)
    assert get_mask(layers.GroupQueryAttention(2, 2, 1)(x, x)) is get_mask(x)


def test_one_group_a_head_is_multi_head_attention(backend):
    x = backend.convert(np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32"))
    one, other = layers.MultiHeadAttention(4, 3), layers.GroupQueryAttention(3, 4, 4)
    expected, _ = backend.to_numpy(one(x, x, use_causal_mask=True)), other(x, x)
    other.set_weights(one.get_weights())
    found = backend.to_numpy(other(x, x, use_causal_mask=True))
    np.testing.assert_allclose(found, expected, 1e-5, 1e-6)


def test_both_names():
    assert layers.GroupedQueryAttention is layers.GroupQueryAttention
    layer = layers.GroupQueryAttention(2, 4, 2)
    kept = serialize_object(layer)
    assert kept["class_name"] == "GroupQueryAttention"
    assert layer.name.startswith("grouped_query_attention")
    named = deserialize_object(kept | {"class_name": "GroupedQueryAttention"})
    assert named.num_key_value_heads == 2


X = np.ones((2, 3, 4), "float32")


@pytest.mark.parametrize(("run", "text"), [
    (lambda L: L.Attention(score_mode="sum"), "score_mode must be one of 'dot', 'concat'; got"),
    (lambda L: L.Attention(dropout=2), "Attention: dropout must be a number from 0 to 1; got 2"),
    (lambda L: L.Attention()(X), r"inputs must be a list of two or three.*; got"),
    (lambda L: L.AdditiveAttention()([X]), "AdditiveAttention: inputs must be .* list of 1"),
    (lambda L: L.Attention()([X] * 4), "inputs must be a list of two or three.* list of 4"),
    (lambda L: L.Attention()([X, X], mask=[None]), "mask must be a list of two or three"),
    (lambda L: L.GroupQueryAttention(3, 4, 3), "must divide num_query_heads; got 3 and 4"),
    (lambda L: L.GroupQueryAttention(0, 4, 2), "head_dim must be a positive integer; got 0"),
    (lambda L: L.GroupQueryAttention(3, 4, 2)(X[None], X[None]), r"got the shape \(1, 2, 3, 4\)"),
    (lambda L: L.MultiHeadAttention(2, 3, sliding_window=2)(X[None], X[None]),
     "sliding_window needs one attention axis"),
])  # fmt: skip
def test_refused(run, text):
    with use_backend("numpy"), pytest.raises(ValueError, match=text):
        run(layers)
