"""What the tests of wrappers share."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.saving import load_model

X = np.random.default_rng(0).random((16, 4)).astype("float32")
Y = X[:, :3]


def check(layer, tmp_path, custom_objects=None, trusted=True):
    """Train a layer in a model; save, load; returns the model."""
    model = kerata.Sequential([layers.Input((4,)), layer, layers.Dense(3)])
    assert model.output_shape == (None, 3)
    before = [v.numpy() for v in layer.trainable_weights]
    model.compile(kerata.optimizers.Adam(0.02), "mse")
    losses = model.fit(X, Y, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for variable, value in zip(layer.trainable_weights, before, strict=True):
        assert not np.array_equal(variable.numpy(), value)
    path, weights = tmp_path / "model.keras", tmp_path / "model.weights.h5"
    model.save(path)
    if not trusted:
        with pytest.raises(ValueError, match="safe_mode=False"):
            load_model(path, custom_objects=custom_objects)
    again = load_model(path, custom_objects=custom_objects, safe_mode=trusted)
    expected = model.predict(X, verbose=0)
    np.testing.assert_allclose(again.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    model.save_weights(weights)
    for variable in model.variables:
        variable.assign(np.zeros(variable.shape))
    model.load_weights(weights)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    return model


def check_other_backend(layer, engine):
    """It can be made part of a model under another backend, and not run there."""
    with kerata.use_backend("numpy"):
        assert layer(layers.Input((4,))).shape[0] is None
        with pytest.raises(RuntimeError, match=f"under the {engine} backend alone, .* is numpy"):
            layer(X)
