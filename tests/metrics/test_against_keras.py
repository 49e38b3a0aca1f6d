"""Metrics have the state and the results that Keras gives."""

import numpy as np
import pytest

from kerata import metrics
from kerata.ops import convert_to_numpy

pytestmark = pytest.mark.oracle
rng = np.random.default_rng(0)


def same_state(ours, theirs):
    for mine, reference in zip(ours.variables, theirs.variables, strict=True):
        assert mine.name == reference.name and mine.dtype == reference.dtype
        np.testing.assert_allclose(mine.numpy(), np.asarray(reference), rtol=1e-5, atol=1e-6)
    mine, reference = convert_to_numpy(ours.result()), np.asarray(theirs.result())
    np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize(
    "values, weight",
    [
        ((4, 5), None),
        ((4,), None),
        ((), None),
        ((4, 5), (4,)),
        ((4, 5), (4, 1)),
        ((4, 5), (4, 5)),
        ((4, 5), (1,)),
        ((4, 5), ()),
        ((4, 5), (1, 5)),
        ((4, 5), (4, 5, 1)),
        ((4, 1), (4,)),
        ((4,), (4, 1)),
        ((4, 5, 2), (4, 1)),
        ((4, 5, 2), (4, 5)),
        ((4, 5, 2), (4, 5, 2)),
        ((4, 5, 2), (4,)),
    ],
)
def test_reductions(backend, keras, name, values, weight):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for _ in range(3):
        x = np.asarray(rng.random(values), "float32")
        w = None if weight is None else np.asarray(rng.random(weight), "float32")
        ours.update_state(x, w)
        theirs.update_state(x, w)
    same_state(ours, theirs)


def one_hot(shape):
    return np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])]


def probabilities(shape):
    x = rng.random(shape).astype("float32") + 0.01
    return x / x.sum(-1, keepdims=True)


def zeros_and_ones(shape):
    return rng.integers(0, 2, shape).astype("float32")


def classes(count):
    return lambda shape: rng.integers(0, count, shape).astype("int32")


CASES = [
    ("MeanSquaredError", {}, probabilities, (6, 3), probabilities, (6, 3)),
    ("Accuracy", {}, classes(3), (6, 3), classes(3), (6, 3)),
    ("Accuracy", {}, classes(3), (6,), classes(3), (6, 1)),
    ("BinaryAccuracy", {}, zeros_and_ones, (6, 3), probabilities, (6, 3)),
    ("BinaryAccuracy", {"threshold": 0.3}, zeros_and_ones, (6, 1), probabilities, (6, 1)),
    ("BinaryAccuracy", {}, zeros_and_ones, (6,), probabilities, (6, 1)),
    ("CategoricalAccuracy", {}, one_hot, (6, 3), probabilities, (6, 3)),
    ("CategoricalAccuracy", {}, one_hot, (6, 2, 3), probabilities, (6, 2, 3)),
    ("SparseCategoricalAccuracy", {}, classes(3), (6,), probabilities, (6, 3)),
    ("SparseCategoricalAccuracy", {}, classes(3), (6, 1), probabilities, (6, 3)),
    ("SparseCategoricalAccuracy", {}, classes(3), (6, 4), probabilities, (6, 4, 3)),
    ("TopKCategoricalAccuracy", {"k": 2}, one_hot, (6, 5), probabilities, (6, 5)),
    ("TopKCategoricalAccuracy", {}, one_hot, (6, 9), probabilities, (6, 9)),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, classes(5), (6,), probabilities, (6, 5)),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, classes(5), (6, 1), probabilities, (6, 5)),
    ("SparseTopKCategoricalAccuracy", {"k": 1}, classes(5), (6, 4), probabilities, (6, 4, 5)),
    ("SparseTopKCategoricalAccuracy", {"k": 7}, classes(5), (6,), probabilities, (6, 5)),
    (
        "SparseTopKCategoricalAccuracy",
        {"k": 2, "from_sorted_ids": True},
        classes(5),
        (6,),
        classes(5),
        (6, 5),
    ),
    ("BinaryCrossentropy", {}, zeros_and_ones, (6, 3), probabilities, (6, 3)),
    (
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        zeros_and_ones,
        (6, 3),
        probabilities,
        (6, 3),
    ),
    ("CategoricalCrossentropy", {}, one_hot, (6, 3), probabilities, (6, 3)),
    (
        "CategoricalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        one_hot,
        (6, 3),
        probabilities,
        (6, 3),
    ),
    ("SparseCategoricalCrossentropy", {}, classes(3), (6,), probabilities, (6, 3)),
    ("SparseCategoricalCrossentropy", {}, classes(3), (6, 1), probabilities, (6, 3)),
    (
        "SparseCategoricalCrossentropy",
        {"from_logits": True, "ignore_class": 1},
        classes(3),
        (6, 4),
        probabilities,
        (6, 4, 3),
    ),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name, kwargs, true, true_shape, pred, pred_shape", CASES)
def test_metrics(backend, keras, name, kwargs, true, true_shape, pred, pred_shape, weighted):
    ours, theirs = getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
    for _ in range(2):
        y_true, y_pred = true(true_shape), pred(pred_shape)
        weight = rng.random(6).astype("float32") if weighted else None
        try:
            theirs.update_state(y_true, y_pred, weight)
        except ValueError:
            pytest.skip("Keras can't combine these on NumPy")
        ours.update_state(y_true, y_pred, weight)
    same_state(ours, theirs)


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES} | {"Mean", "Sum"}))
def test_configs_are_exchanged(backend, keras, name):
    ours, theirs = getattr(metrics, name), getattr(keras.metrics, name)
    assert set(theirs().get_config()) <= set(ours().get_config())
    assert theirs.from_config(ours().get_config()).name == ours().name
    assert ours.from_config(theirs().get_config()).name == ours().name


@pytest.mark.parametrize(
    "name", ["mse", "MSE", "bce", "accuracy", "mean", "SparseTopKCategoricalAccuracy"]
)
def test_names(backend, keras, name):
    assert type(metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__
    assert metrics.get(name).name == keras.metrics.get(name).name
