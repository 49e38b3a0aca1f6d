import numpy as np

from kerata import layers
from kerata.core.masks import get_mask
from kerata.core.transforms import jit

X = np.array([[[1.0, 2.0], [0.0, 0.0], [0.0, 3.0]]], "float32")


def test_the_mask_that_an_input_brings_has_its_first_axes(backend):
    model = jit(lambda x: layers.Softmax()(layers.Masking()(x)))
    y = backend.to_numpy(model(backend.convert(X)))
    kept = np.exp(X) / np.exp(X).sum(-1, keepdims=True)
    np.testing.assert_allclose(y, kept * [[[1], [0], [1]]], 1e-5, 1e-6)


def test_along_the_steps_of_the_mask(backend):
    x = layers.Masking()(backend.convert(X))
    y = layers.Softmax(axis=1)(x)
    assert get_mask(y) is get_mask(x)
    assert (backend.to_numpy(y)[0, 1] == 0).all()
    np.testing.assert_allclose(backend.to_numpy(y).sum(1), 1.0, 1e-5)


def test_a_mask_of_fewer_axes_given_by_hand_broadcasts(backend):
    x = backend.convert(np.ones((2, 3), "float32"))
    y = layers.Softmax()(x, mask=backend.convert(np.array([True, True, False])))
    np.testing.assert_allclose(backend.to_numpy(y), [[0.5, 0.5, 0.0]] * 2, 1e-6)


def test_nothing_left(backend):
    x, mask = np.ones((2, 3), "float32"), np.zeros((2, 3), bool)
    assert (backend.to_numpy(layers.Softmax()(x, mask=mask)) == 0).all()
