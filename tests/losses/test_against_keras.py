"""Losses and their reductions have the values that Keras gives."""

import numpy as np
import pytest

from kerata import losses, ops
from kerata.core.masks import set_mask
from kerata.losses.reduction import reduce_weighted
from kerata.ops import convert_to_numpy

pytestmark = pytest.mark.oracle

REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
rng = np.random.default_rng(0)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


class Masked(np.ndarray):
    """An array that Keras finds a mask on."""


def masked(x, mask):
    x = x.view(Masked)
    x._keras_mask = mask
    return x


def check(ours, theirs, *args, **kwargs):
    mine = convert_to_numpy(ours(*args, **kwargs))
    reference = np.asarray(theirs(*args, **kwargs))
    assert mine.shape == reference.shape
    assert mine.dtype == reference.dtype
    np.testing.assert_allclose(mine, reference, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, (4,), (4, 1), (1,), ()])
@pytest.mark.parametrize(
    "true, pred", [((4, 3), (4, 3)), ((4,), (4, 1)), ((4, 1), (4,)), ((4,), (4,))]
)
def test_mean_squared_error(backend, keras, reduction, weight, true, pred):
    y_true, y_pred = rng.random(true, "float32"), rng.random(pred, "float32")
    sample_weight = None if weight is None else rng.random(weight, "float32")
    check(
        losses.MeanSquaredError(reduction),
        keras.losses.MeanSquaredError(reduction),
        y_true,
        y_pred,
        sample_weight=sample_weight,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, (4, 5), (4, 1), (4, 5, 1)])
@pytest.mark.parametrize("mask", [None, (4, 5), (4, 5, 1), (4, 1)])
def test_sequences(backend, keras, reduction, weight, mask):
    y_true, y_pred = rng.random((4, 5, 3), "float32"), rng.random((4, 5, 3), "float32")
    sample_weight = None if weight is None else rng.random(weight, "float32")
    given = y_pred if mask is None else masked(y_pred, rng.random(mask) > 0.4)
    try:
        theirs = np.asarray(keras.losses.MeanSquaredError(reduction)(y_true, given, sample_weight))
    except ValueError:
        pytest.skip("Keras can't combine these on NumPy")
    x = ops.convert_to_tensor(np.asarray(y_pred))
    if mask is not None:
        set_mask(x, ops.convert_to_tensor(given._keras_mask))
    mine = convert_to_numpy(losses.MeanSquaredError(reduction)(y_true, x, sample_weight))
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(mine, theirs, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("axis", [-1, 1])
def test_binary_crossentropy(backend, keras, from_logits, smoothing, axis):
    y_true = rng.integers(0, 2, (4, 3, 2)).astype("float32")
    y_pred = (rng.normal(size=(4, 3, 2)) if from_logits else rng.random((4, 3, 2))).astype(
        "float32"
    )
    y_pred[0, 0] = 0.0, 1.0
    args = (from_logits, smoothing, axis)
    check(losses.BinaryCrossentropy(*args), keras.losses.BinaryCrossentropy(*args), y_true, y_pred)
    check(losses.binary_crossentropy, keras.losses.binary_crossentropy, y_true, y_pred, *args)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_categorical_crossentropy(backend, keras, from_logits, smoothing):
    y_true = np.eye(5, dtype="float32")[rng.integers(0, 5, 6)]
    y_pred = rng.normal(size=(6, 5)).astype("float32")
    y_pred = y_pred if from_logits else softmax(y_pred)
    args = (from_logits, smoothing)
    check(
        losses.CategoricalCrossentropy(*args),
        keras.losses.CategoricalCrossentropy(*args),
        y_true,
        y_pred,
    )
    check(
        losses.categorical_crossentropy,
        keras.losses.categorical_crossentropy,
        y_true,
        y_pred,
        *args,
    )


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("ignore_class", [None, 0, -1])
@pytest.mark.parametrize("true", [(6, 3), (6, 3, 1)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_sparse_categorical_crossentropy(
    backend, keras, from_logits, ignore_class, true, reduction
):
    y_true = rng.integers(0, 5, true).astype("int32")
    if ignore_class == -1:
        y_true[1] = -1
    y_pred = rng.normal(size=(6, 3, 5)).astype("float32")
    y_pred = y_pred if from_logits else softmax(y_pred)
    args = (from_logits, ignore_class, reduction)
    check(
        losses.SparseCategoricalCrossentropy(*args),
        keras.losses.SparseCategoricalCrossentropy(*args),
        y_true,
        y_pred,
    )


def test_reduction_function(backend):
    values = np.arange(4, dtype="float32")
    assert float(reduce_weighted(values, mask=np.array([1, 1, 0, 0]))) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "name",
    [
        "MeanSquaredError",
        "BinaryCrossentropy",
        "CategoricalCrossentropy",
        "SparseCategoricalCrossentropy",
    ],
)
def test_configs_are_exchanged(backend, keras, name):
    theirs, ours = getattr(keras.losses, name), getattr(losses, name)
    assert set(theirs().get_config()) <= set(ours().get_config())
    assert theirs.from_config(ours().get_config()).name == ours().name
    assert ours.from_config(theirs().get_config()).name == ours().name
