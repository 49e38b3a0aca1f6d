import numpy as np
import pytest

from kerata import layers, ops
from kerata.core.transforms import grad, jit

X = np.random.default_rng(0).normal(2.0, 3.0, size=(16, 4)).astype("float32")


def test_running_averages_come_to_the_moments(backend):
    layer = layers.BatchNormalization(momentum=0.5)
    step = jit(lambda x: layer(x, training=True))
    for _ in range(25):
        step(backend.convert(X))
    np.testing.assert_allclose(layer.moving_mean.numpy(), X.mean(0), 1e-4, 1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), X.var(0), 1e-4, 1e-5)
    trained, still = (backend.to_numpy(layer(backend.convert(X), training=t)) for t in (1, 0))
    np.testing.assert_allclose(trained, still, 1e-3, 1e-4)


def test_frozen(backend):
    layer = layers.BatchNormalization()
    layer(backend.convert(X))
    assert len(layer.trainable_weights) == len(layer.non_trainable_weights) == 2
    layer.trainable = False
    assert len(layer.non_trainable_weights) == 4
    before = layer.get_weights()
    y = layer(backend.convert(X), training=True)
    np.testing.assert_allclose(backend.to_numpy(y), X / np.sqrt(1.001), 1e-5, 1e-5)
    for a, b in zip(layer.get_weights(), before, strict=True):
        assert np.array_equal(a, b)
    layer.trainable = True
    assert [w.path.split("/")[1] for w in layer.trainable_weights] == ["gamma", "beta"]


def test_averages_stay_in_float32(backend):
    layer = layers.BatchNormalization(dtype="mixed_float16", scale=False, center=False)
    y = layer(backend.convert(X), training=True)
    assert backend.dtype_of(y) == "float16"
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.01 * X.mean(0), 2e-3, 1e-5)


def test_renormalization_stops_the_gradients_of_its_factors(training_backend):
    """They are those of the plain layer with r and d in the place of gamma and beta."""
    layer = layers.BatchNormalization(renorm=True, epsilon=1e-2, renorm_clipping={"rmax": 1.5})
    plain = layers.BatchNormalization(epsilon=1e-2)
    for each in (layer, plain):
        each.build((None, 4))
    mean, stddev = np.float32([1, 2, 3, 4]), np.float32([2, 3, 4, 1])
    layer.renorm_mean.assign(mean)
    layer.renorm_stddev.assign(stddev)
    r = np.minimum(np.sqrt(X.var(0) + 1e-2) / stddev, 1.5)
    plain.gamma.assign(r)
    plain.beta.assign((X.mean(0) - mean) / stddev)
    factors = np.cos(np.arange(X.size)).reshape(X.shape).astype("float32")
    found, expected = (
        ops.convert_to_numpy(
            grad(lambda x, each=each: ops.sum(ops.multiply(each(x, training=True), factors)))(X)
        )
        for each in (layer, plain)
    )
    np.testing.assert_allclose(found, expected, 1e-4, 1e-6)


@pytest.mark.parametrize("clipping", [{"max": 1}, {"rmin": 2, "rmax": 1}])
def test_wrong_bounds(clipping):
    with pytest.raises(ValueError, match="renorm_clipping"):
        layers.BatchNormalization(renorm=True, renorm_clipping=clipping)
