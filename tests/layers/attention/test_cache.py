"""Decoding with a cache of keys and values: token by token what the whole sequence gives."""

import numpy as np
import pytest

from kerata import Input, Model, layers, ops
from kerata.backends.registry import use_backend
from kerata.core.masks import get_mask
from kerata.core.transforms import jit
from tests.layers.common import fill, policy

BATCH, LENGTH, ROOM, WIDTH, PROMPT = 2, 7, 9, 6, 3
X = np.random.default_rng(0).normal(size=(BATCH, LENGTH, WIDTH)).astype("float32")
CAUSAL = {"use_causal_mask": True}
MAKERS = {
    "heads": lambda: layers.MultiHeadAttention(2, 3, value_dim=4, bias_initializer="ones"),
    "groups": lambda: layers.GroupQueryAttention(3, 4, 2, use_gate=True),
    "window": lambda: layers.GroupQueryAttention(3, 2, 1, sliding_window=2, use_bias=False),
}


@pytest.fixture(params=MAKERS)
def layer(request):
    """A layer with weights of its own, built."""
    made = MAKERS[request.param]()
    with use_backend("numpy"):
        made(X, X)
        fill(made)
    return made


def decoded(layer, backend, step, x=X, **more):
    """The outputs after a prompt and single steps, joined, and the last cache."""
    x = backend.convert(x)
    cache = layer.make_cache(BATCH, ROOM)
    first = x[:, :PROMPT]
    y, cache = layer(first, first, cache=cache, cache_index=0, **CAUSAL, **more)
    found = [backend.to_numpy(y)]
    for i in range(PROMPT, LENGTH):
        y, cache = step(x[:, i : i + 1], cache, np.array(i, "int32"))
        found.append(backend.to_numpy(y))
    return np.concatenate(found, 1), cache


def test_equals_the_whole(layer, backend):
    def step(token, cache, index):
        return layer(token, token, cache=cache, cache_index=index, **CAUSAL)

    whole = layer(backend.convert(X), backend.convert(X), **CAUSAL)
    compiled = jit(step)
    for way in (step, compiled):
        found, cache = decoded(layer, backend, way)
        np.testing.assert_allclose(found, backend.to_numpy(whole), 1e-5, 1e-6)
    assert backend.to_numpy(cache["mask"]).tolist() == [[True] * LENGTH + [False] * 2] * BATCH
    assert all(len(c) <= 1 for c in compiled.compilations.values())


def test_in_a_loop_that_is_compiled(backend):
    layer = MAKERS["window"]()

    @jit
    def run(x):
        def body(i, carry):
            cache, found = carry
            token = ops.slice(x, (0, i, 0), (BATCH, 1, WIDTH))
            y, cache = layer(token, token, cache=cache, cache_index=i, **CAUSAL)
            return cache, ops.slice_update(found, (0, i, 0), y)

        start = layer.make_cache(BATCH, ROOM), ops.zeros((BATCH, LENGTH, WIDTH))
        return ops.fori_loop(0, LENGTH, body, start)[1]

    whole = layer(backend.convert(X), backend.convert(X), **CAUSAL)
    found = backend.to_numpy(run(backend.convert(X)))
    np.testing.assert_allclose(found, backend.to_numpy(whole), 1e-5, 1e-6)


PADS = [1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1], [1, 0, 0, 1, 1, 0, 1]


def test_padding(layer, backend):
    embedding = layers.Embedding(6, WIDTH, mask_zero=True)

    @jit
    def step(ids, cache, index):
        token = embedding(ids)
        return layer(token, token, cache=cache, cache_index=index, **CAUSAL)

    for pads in PADS:
        ids = np.array([pads, [1, 2, 3, 4, 5, 1, 2]], "int32")
        x = embedding(backend.convert(ids))
        assert get_mask(x) is not None
        whole = backend.to_numpy(layer(x, x, **CAUSAL))
        cache, found = layer.make_cache(BATCH, ROOM), []
        for part in (slice(0, 3), *(slice(i, i + 1) for i in range(3, LENGTH))):
            y, cache = step(backend.convert(ids[:, part]), cache, np.array(part.start, "int32"))
            found.append(backend.to_numpy(y))
        np.testing.assert_allclose(np.concatenate(found, 1), whole, 1e-5, 1e-6)
        seen = backend.to_numpy(cache["mask"])[:, :LENGTH]
        assert np.array_equal(seen, ids > 0)


def test_going_back(backend):
    """What was written behind the current place is not seen."""
    layer = MAKERS["groups"]()
    x, other = backend.convert(X), backend.convert(X[:, ::-1].copy())
    whole = backend.to_numpy(layer(x, x, **CAUSAL))
    _, cache = layer(other, other, cache=layer.make_cache(BATCH, ROOM), cache_index=0, **CAUSAL)
    for i in range(4):
        token = x[:, i : i + 1]
        y, cache = layer(token, token, cache=cache, cache_index=i, **CAUSAL)
        np.testing.assert_allclose(backend.to_numpy(y)[:, 0], whole[:, i], 1e-5, 1e-6)


def test_keys_that_stay(backend):
    layer = MAKERS["groups"]()
    x, source = backend.convert(X), backend.convert(X[:, ::-1][:, :4].copy())
    mask = backend.convert(np.array([[True, True, True, False], [True] * 4]))
    whole = backend.to_numpy(layer(x, source, value_mask=mask))
    cache = layer.make_cache(BATCH, 4)
    y, cache = layer(x[:, :1], source, value_mask=mask, cache=cache, cache_index=0)
    np.testing.assert_allclose(backend.to_numpy(y), whole[:, :1], 1e-5, 1e-6)
    y, after = layer(x[:, 1:], source, cache=cache)
    np.testing.assert_allclose(backend.to_numpy(y), whole[:, 1:], 1e-5, 1e-6)
    assert after["key"] is cache["key"]


def test_scores_and_more_masks(backend):
    layer = MAKERS["window"]()
    x = backend.convert(X)
    allowed = np.random.default_rng(1).random((BATCH, LENGTH, LENGTH)) < 0.7
    room = np.zeros((BATCH, LENGTH, ROOM), bool)
    room[:, :, :LENGTH] = allowed
    options = CAUSAL | {"return_attention_scores": True}
    y, scores = layer(x, x, attention_mask=backend.convert(allowed), **options)
    cache = layer.make_cache(BATCH, ROOM)
    again, wider, cache = layer(
        x, x, attention_mask=backend.convert(room), cache=cache, cache_index=0, **options
    )
    np.testing.assert_allclose(backend.to_numpy(again), backend.to_numpy(y), 1e-5, 1e-6)
    wider = backend.to_numpy(wider)
    np.testing.assert_allclose(wider[..., :LENGTH], backend.to_numpy(scores), 1e-5, 1e-6)
    assert not wider[..., LENGTH:].any()


def test_in_a_functional_model(backend):
    layer = MAKERS["groups"]()
    cache = {k: Input(tuple(v.shape[1:]), dtype=str(ops.dtype(v)))
             for k, v in layer.make_cache(1, ROOM).items()}  # fmt: skip
    token, index = Input((1, WIDTH)), Input(batch_shape=(), dtype="int32")
    y, new = layer(token, token, cache=cache, cache_index=index, **CAUSAL)
    assert y.shape == (None, 1, WIDTH)
    assert {k: v.shape for k, v in new.items()} == {k: v.shape for k, v in cache.items()}
    model = Model([token, cache, index], [y, new])
    whole = layer(backend.convert(X), backend.convert(X), **CAUSAL)
    found, _ = decoded(layer, backend, lambda *x: model([*x[:2], backend.convert(x[2])]))
    np.testing.assert_allclose(found, backend.to_numpy(whole), 1e-5, 1e-6)


def test_half_precision(backend):
    half = "float16" if np.ndarray in backend.tensor_types else "bfloat16"
    with policy(f"mixed_{half}"):
        layer = MAKERS["groups"]()
    x = backend.convert(X)
    cache = layer.make_cache(BATCH, ROOM)
    assert backend.dtype_of(cache["key"]) == half
    y, cache = layer(x, x, cache=cache, cache_index=0)
    assert backend.dtype_of(y) == backend.dtype_of(cache["value"]) == half


def test_keeps_nothing_of_earlier_steps(training_backend):
    """Only torch, where it could be seen, records what a gradient would need."""
    layer = MAKERS["heads"]()
    x = ops.convert_to_tensor(X)
    _, cache = layer(x, x, cache=layer.make_cache(BATCH, ROOM), cache_index=0)
    assert not getattr(cache["key"], "requires_grad", False)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_refused(make):
    with use_backend("numpy"):
        layer = make()
        name = type(layer).__name__
        with pytest.raises(ValueError, match=f"{name}: a cache of 4 places has no room for 7"):
            layer(X, X, cache=layer.make_cache(BATCH, 4), cache_index=0)
        with pytest.raises(ValueError, match=f"{name}: a cache of 9 places has no room for 7 from"):
            layer(X, X, cache=layer.make_cache(BATCH, ROOM), cache_index=3)
        with pytest.raises(ValueError, match=f"{name}: a causal mask or .* needs cache_index"):
            layer(X, X, cache=layer.make_cache(BATCH, ROOM), **CAUSAL)
        images = X[:, None]
        layer = layers.MultiHeadAttention(1, 2)
        with pytest.raises(ValueError, match="a cache needs a query of"):
            layer(images, images, cache=layer.make_cache(BATCH, 4), cache_index=0)
