"""Sparse matrices of every library, where dense ones are taken."""

import importlib

import numpy as np
import pytest

import kerata
from kerata import layers, ops

MAKERS = {
    "scipy-csr": ("scipy.sparse", lambda m, x: m.csr_matrix(x)),
    "scipy-coo": ("scipy.sparse", lambda m, x: m.coo_array(x)),
    "tensorflow": ("tensorflow", lambda m, x: m.sparse.from_dense(x)),
    "jax": ("jax.experimental.sparse", lambda m, x: m.BCOO.fromdense(x)),
    "torch": ("torch", lambda m, x: m.tensor(x).to_sparse()),
}


def _dense():
    rng = np.random.default_rng(0)
    return ((rng.random((5, 7)) < 0.3) * rng.normal(size=(5, 7))).astype("float32")


def _made(name, x):
    module, make = MAKERS[name]
    pytest.importorskip(module)
    return make(importlib.import_module(module), x)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("kind", [{}, {"use_bias": False}, {"activation": "relu", "lora_rank": 2}])
def test_dense(name, kind, backend):
    x = _dense()
    layer = layers.Dense(3, **kind)
    expected = backend.to_numpy(layer(x))
    found = layer(_made(name, x))
    np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=1e-5, atol=1e-6)
    model = kerata.Sequential([kerata.Input((7,)), layer])
    np.testing.assert_allclose(
        backend.to_numpy(model(_made(name, x))), expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", ["scipy-csr", "tensorflow", "jax"])
def test_layers_that_know_no_sparse_matrices(name, backend):
    x = _dense()
    model = kerata.Sequential([kerata.Input((7,)), layers.Flatten(), layers.Dense(3)])
    expected = backend.to_numpy(model(x))
    found = backend.to_numpy(model(_made(name, x)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["scipy-csr", "scipy-coo"])
def test_gradients(name, training_backend):
    x = _dense()
    layer = layers.Dense(3)
    layer(x)

    def gradients(data):
        return kerata.grad(lambda: ops.sum(ops.square(layer(data))), layer.trainable_variables)()

    for a, b in zip(gradients(_made(name, x)), gradients(x), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-4)


@pytest.mark.parametrize("name", MAKERS)
def test_fit(name, training_backend):
    model = kerata.Sequential([kerata.Input((7,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = [(_made(name, _dense()), np.ones((5, 1), "float32"))]
    assert np.isfinite(model.fit(iter(batches), verbose=0).history["loss"][0])


def test_embedding(backend):
    ids = np.array([[0, 3], [5, 0]])
    layer = layers.Embedding(6, 2)
    expected = backend.to_numpy(layer(ids))
    for name in ("scipy-csr", "tensorflow"):
        assert np.array_equal(backend.to_numpy(layer(_made(name, ids))), expected)
    tf = pytest.importorskip("tensorflow")
    found = layer(tf.ragged.constant([[0, 3], [5]]))
    assert np.array_equal(backend.to_numpy(found), expected)


@pytest.mark.parametrize("mode", ["multi_hot", "count", "one_hot"])
def test_category_encoding_makes_sparse_vectors(mode, backend):
    if mode == "one_hot" and backend.to_sparse.__func__.__module__.endswith("numpy.backend"):
        pytest.skip("SciPy's arrays have two axes")
    ids = [[0, 1], [2, 2]]
    dense = layers.CategoryEncoding(4, output_mode=mode)(ids)
    sparse = layers.CategoryEncoding(4, output_mode=mode, sparse=True)(ids)
    from kerata.backends.sparse import densified, is_sparse

    assert is_sparse(sparse)
    found = densified(sparse)
    assert np.array_equal(np.asarray(found), backend.to_numpy(dense))


def test_category_encoding_of_ragged_and_sparse(backend):
    tf = pytest.importorskip("tensorflow")
    layer = layers.CategoryEncoding(3, output_mode="count")
    ragged = layer(tf.ragged.constant([[0], [1, 1]]))
    assert backend.to_numpy(ragged).tolist() == [[1, 0, 0], [0, 2, 0]]
    sparse = layer(tf.sparse.from_dense([[0, 1], [2, 2]]))
    assert backend.to_numpy(sparse).tolist() == [[0, 1, 0], [0, 0, 2]]
