import numpy as np
import pytest

from kerata import layers
from kerata.backends.registry import use_backend

X = np.random.default_rng(0).normal(size=(1, 4, 5, 2)).astype("float32")


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sizes_open_in_tensorflow(interpolation, data_format):
    tf = pytest.importorskip("tensorflow")
    layer = layers.UpSampling2D((2, 3), data_format, interpolation)
    with use_backend("tensorflow"):
        spec = tf.TensorSpec((None, None, None, None) if data_format == "channels_last" else
                             (None, 4, None, None))  # fmt: skip
        found = tf.function(lambda x: layer(x), [spec])(X).numpy()
    with use_backend("numpy"):
        np.testing.assert_allclose(found, layer(X), 1e-4, 1e-5)


@pytest.mark.parametrize("interpolation", ["bilinear", "lanczos5"])
def test_equals_keras(interpolation, backend, keras):
    layer = layers.UpSampling2D(2, interpolation=interpolation)
    expected = np.asarray(keras.layers.UpSampling2D(2, interpolation=interpolation)(X))
    np.testing.assert_allclose(backend.to_numpy(layer(backend.convert(X))), expected, 1e-4, 1e-5)
