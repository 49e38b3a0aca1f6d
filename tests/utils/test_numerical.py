"""One-hot targets, unit vectors and padded sequences, against Keras."""

import numpy as np
import pytest

import kerata
from kerata import utils

CATEGORIES = [
    ([0, 1, 2], {}),
    ([[0], [2]], {}),
    ([0, 1], {"num_classes": 4}),
    (2, {}),
    ([[0, 1], [1, 0]], {}),
    ([1.0, 2.0], {}),
]
VECTORS = [
    (np.array([[3, 4], [0, 0]]), {}),
    (np.arange(8.0).reshape(2, 2, 2), {"order": 1}),
    (np.array([[3.0, -4.0]]), {"order": np.inf}),
]
SEQUENCES = [
    ([[1], [2, 3], [4, 5, 6]], {}),
    ([[1], [2, 3]], {"maxlen": 1}),
    ([[1], [2, 3]], {"maxlen": 1, "truncating": "post"}),
    ([[1], [2, 3]], {"padding": "post", "value": 9}),
    ([[1], [2, 3]], {"maxlen": 4, "dtype": "float32", "value": 0.5}),
    ([[[1, 2]], [[3, 4], [5, 6]]], {}),
    ([["a"]], {"dtype": object, "value": "z", "maxlen": 2}),
    ([[], [1]], {}),
    ([[1.5]], {}),
    ([(1, 2), np.array([3])], {}),
]


@pytest.mark.oracle
def test_as_in_keras(keras):
    for name, cases in (
        ("to_categorical", CATEGORIES),
        ("normalize", VECTORS),
        ("pad_sequences", SEQUENCES),
    ):
        for x, arguments in cases:
            expected = getattr(keras.utils, name)(x, **arguments)
            found = getattr(utils, name)(x, **arguments)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


def test_vectors_lie_along_the_axis():
    """Where Keras divides by the norms of other vectors."""
    found = utils.normalize(np.arange(1.0, 9.0).reshape(2, 2, 2), axis=0)
    np.testing.assert_allclose((found**2).sum(0), np.ones((2, 2)))
    np.testing.assert_allclose(utils.normalize(np.array([3.0, 4.0])), [0.6, 0.8])


def test_tensors_stay_tensors(backend):
    found = utils.to_categorical(kerata.ops.convert_to_tensor([[0], [2]]))
    assert isinstance(found, backend.tensor_types)
    np.testing.assert_array_equal(kerata.ops.convert_to_numpy(found), np.eye(3)[[0, 2]])
    found = utils.normalize([[3.0, 4.0]])
    np.testing.assert_allclose(kerata.ops.convert_to_numpy(found), [[0.6, 0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: utils.to_categorical([5], 3), "x holds the class 5; classes must be 0 to 2"),
        (lambda: utils.to_categorical([-1, 1]), "x holds the class -1"),
        (lambda: utils.pad_sequences(3), "must hold sequences; got 3"),
        (lambda: utils.pad_sequences([["a"]]), r"sequence 0 holds text \('a'\).* dtype=object"),
        (lambda: utils.pad_sequences([1, 2]), "found 1 at place 0"),
        (lambda: utils.pad_sequences([[1]], padding="left"), "padding must be 'pre' or 'post'"),
        (lambda: utils.pad_sequences([[1]], truncating="left"), "truncating must be"),
        (lambda: utils.pad_sequences([[1]], value="z"), "give dtype=object"),
        (lambda: utils.pad_sequences([[[1, 2]], [[3]]]), r"sequence 1 have the shape \(1,\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_batches_are_packed_and_unpacked():
    assert utils.pack_x_y_sample_weight(1) == 1
    assert utils.pack_x_y_sample_weight([1]) == ([1],)
    assert utils.pack_x_y_sample_weight(1, 2) == (1, 2)
    assert utils.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    assert utils.unpack_x_y_sample_weight(1) == (1, None, None)
    assert utils.unpack_x_y_sample_weight([1, 2]) == (1, 2, None)
    with pytest.raises(ValueError, match="a tuple of 4"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))
