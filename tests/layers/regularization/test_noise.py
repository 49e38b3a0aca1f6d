import numpy as np
import pytest

from kerata import layers
from kerata.core.transforms import jit

NOISY = [
    lambda **more: layers.GaussianNoise(0.5, **more),
    lambda **more: layers.GaussianDropout(0.3, **more),
    lambda **more: layers.AlphaDropout(0.3, **more),
    lambda **more: layers.SpatialDropout1D(0.5, **more),
]
each = pytest.mark.parametrize("make", NOISY)


@each
def test_draws_anew_each_call_and_the_same_in_each_run(make, backend):
    x = backend.convert(np.ones((20, 30, 4), "float32"))
    layer, again = make(seed=3), make(seed=3)
    step = jit(lambda x: layer(x, training=True))
    first, second = (backend.to_numpy(step(x)) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(first, backend.to_numpy(again(x, training=True)), 1e-6, 1e-6)


@each
def test_does_nothing_outside_of_training(make, backend):
    x = backend.convert(np.ones((3, 4, 5), "float32"))
    layer = make()
    assert layer(x) is x
    assert len(layer.variables) == 1 and not layer.weights


@pytest.mark.parametrize("make", [
    lambda: layers.GaussianNoise(0), lambda: layers.GaussianDropout(0.0),
    lambda: layers.AlphaDropout(0), lambda: layers.SpatialDropout1D(0),
])  # fmt: skip
def test_does_nothing_at_0(make, backend):
    x = backend.convert(np.ones((3, 4, 5), "float32"))
    layer = make()
    assert layer(x, training=True) is x
    assert not layer.variables


def test_gaussian_noise(backend):
    x = backend.convert(np.full((300, 200), 3.0, "float32"))
    y = backend.to_numpy(layers.GaussianNoise(0.5, seed=1)(x, training=True))
    assert y.mean() == pytest.approx(3.0, abs=0.01)
    assert y.std() == pytest.approx(0.5, abs=0.01)


def test_gaussian_dropout(backend):
    x = backend.convert(np.full((300, 200), 3.0, "float32"))
    y = backend.to_numpy(layers.GaussianDropout(0.3, seed=1)(x, training=True))
    assert y.mean() == pytest.approx(3.0, abs=0.03)
    assert y.std() == pytest.approx(3.0 * np.sqrt(0.3 / 0.7), abs=0.03)


def test_alpha_dropout_keeps_mean_and_variance(backend):
    x = np.random.default_rng(0).normal(size=(400, 300)).astype("float32")
    y = backend.to_numpy(layers.AlphaDropout(0.3, seed=1)(backend.convert(x), training=True))
    assert y.mean() == pytest.approx(0.0, abs=0.02)
    assert y.std() == pytest.approx(1.0, abs=0.02)


def test_alpha_dropout_of_ones_as_keras_does_it(backend):
    """At a rate of 1/2 ones become 1.665599 or -0.779194 in Keras."""
    x = backend.convert(np.ones((10, 7, 20), "float32"))
    layer = layers.AlphaDropout(0.5, noise_shape=(None, 1, 20), seed=1)
    y = backend.to_numpy(layer(x, training=True))
    assert (y == y[:, :1]).all()
    np.testing.assert_allclose(np.unique(y.round(4)), [-0.7792, 1.6656], 1e-4)


@pytest.mark.parametrize(("make", "shape", "axes"), [
    (lambda: layers.SpatialDropout1D(0.5, seed=1), (9, 5, 20), (1,)),
    (lambda: layers.SpatialDropout2D(0.5, seed=1), (9, 5, 4, 20), (1, 2)),
    (lambda: layers.SpatialDropout2D(0.5, "channels_first", 1), (9, 20, 5, 4), (2, 3)),
    (lambda: layers.SpatialDropout3D(0.5, "channels_last", 1), (9, 2, 5, 4, 20), (1, 2, 3)),
    (lambda: layers.SpatialDropout3D(0.5, "channels_first", 1), (9, 20, 2, 5, 4), (2, 3, 4)),
])  # fmt: skip
def test_spatial_dropout_drops_whole_channels(make, shape, axes, backend):
    y = backend.to_numpy(make()(backend.convert(np.ones(shape, "float32")), training=True))
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y.min(axes) == y.max(axes)).all()
    assert np.mean(y == 0) == pytest.approx(0.5, abs=0.15)


def test_activity_regularization(backend, keras):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    layer, peer = (m.ActivityRegularization(0.1, 0.2) for m in (layers, keras.layers))
    assert (backend.to_numpy(layer(backend.convert(x))) == x).all()
    peer(x)
    assert float(layer.losses[0]) == pytest.approx(float(peer.losses[0]), rel=1e-5)
