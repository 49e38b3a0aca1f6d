import numpy as np

from kerata import layers
from kerata.core.masks import get_mask

X = np.array([[[1.0, 2.0], [0.0, 0.0], [0.0, 3.0]]], "float32")


def test_mask(backend, keras):
    for value in (0.0, 2.0, 3):
        layer, peer = layers.Masking(value), keras.layers.Masking(value)
        y = layer(backend.convert(X))
        np.testing.assert_array_equal(backend.to_numpy(y), np.asarray(peer(X)))
        expected = np.asarray(peer.compute_mask(X))
        assert (backend.to_numpy(get_mask(y)) == expected).all()


def test_layers_after_it_skip_steps(backend):
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    x[0, 3:] = 0
    lstm = layers.LSTM(4)
    y = backend.to_numpy(lstm(layers.Masking()(backend.convert(x))))
    short = backend.to_numpy(lstm(backend.convert(x[:1, :3])))
    np.testing.assert_allclose(y[0], short[0], 1e-5, 1e-6)


def test_masks_pass(backend):
    x = layers.Masking()(layers.Input((None, 3)))
    passing = (
        layers.Identity(), layers.ELU(), layers.LeakyReLU(), layers.GaussianNoise(0.1),
        layers.UnitNormalization(), layers.GroupNormalization(1), layers.SpatialDropout1D(0.1),
        layers.ActivityRegularization(0.1), layers.AlphaDropout(0.1),
    )  # fmt: skip
    for layer in passing:
        assert get_mask(layer(x)) is get_mask(x), layer
    stopping = (
        layers.RMSNormalization(), layers.ZeroPadding1D(), layers.Cropping1D(),
        layers.UpSampling1D(), layers.MaxPooling1D(), layers.Conv1DTranspose(2, 2),
        layers.DepthwiseConv1D(2), layers.SeparableConv1D(2, 2), layers.Permute((2, 1)),
        layers.GlobalAveragePooling1D(), layers.GlobalMaxPooling1D(),
    )  # fmt: skip
    for layer in stopping:
        assert get_mask(layer(x)) is None, layer
