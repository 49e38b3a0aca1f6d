import numpy as np
import pytest

from kerata import layers
from kerata.core.transforms import jit


def test_drops_a_share_and_scales_the_rest(backend):
    x = backend.convert(np.ones((200, 300), "float32"))
    y = backend.to_numpy(layers.Dropout(0.3, seed=1)(x, training=True))
    assert set(np.unique(y).round(5)) == {0.0, np.float32(1 / 0.7).round(5)}
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)


def test_draws_anew_each_call_and_the_same_in_each_run(backend):
    x = backend.convert(np.ones((20, 30), "float32"))
    layer, again = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
    first, second = (backend.to_numpy(layer(x, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, backend.to_numpy(again(x, training=True)))


def test_compiled_draws_anew(backend):
    x = backend.convert(np.ones((20, 30), "float32"))
    layer = layers.Dropout(0.5, seed=3)
    step = jit(lambda x: layer(x, training=True))
    first, second = (backend.to_numpy(step(x)) for _ in range(2))
    assert not np.array_equal(first, second)


def test_noise_shape(backend):
    x = backend.convert(np.ones((10, 7, 20), "float32"))
    layer = layers.Dropout(0.5, noise_shape=(None, 1, None), seed=1)
    y = backend.to_numpy(layer(x, training=True))
    assert (y == y[:, :1]).all()
    assert 0 < np.mean(y == 0) < 1


@pytest.mark.parametrize(("rate", "value"), [(0, 1.0), (0.0, 1.0), (1, 0.0), (1.0, 0.0)])
def test_extremes(rate, value, backend):
    x = backend.convert(np.ones((3, 4), "float32"))
    y = backend.to_numpy(layers.Dropout(rate)(x, training=True))
    assert (y == value).all()


def test_does_nothing_outside_of_training(backend):
    x = backend.convert(np.ones((3, 4), "float32"))
    layer = layers.Dropout(0.5)
    assert layer(x) is x
    assert layer(x, training=False) is x
    assert len(layer.variables) == 1 and not layer.weights
