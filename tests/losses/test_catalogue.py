"""Every loss of the catalogue: values as Keras gives them, gradients, reductions, configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kerata
from kerata import losses, ops
from kerata.core.config_object import Configurable

rng = np.random.default_rng(5)


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x)
    return (powers / powers.sum(-1, keepdims=True)).astype("float32")


def normal(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype("float32")


REAL, NEAR = normal(4, 3), normal(4, 3)
SEQUENCE, OTHER = normal(4, 5, 3), normal(4, 5, 3)
POSITIVE, CHANCES = np.abs(normal(4, 3)) + 0.1, softmax(normal(4, 3))
ONE_HOT, LOGITS = np.eye(3, dtype="float32")[[0, 2, 1, 1]], normal(4, 3)
BITS = rng.integers(0, 2, (4, 3)).astype("float32")
SIGNS, LABELS = BITS * 2 - 1, np.array([0, 2, 1, 1], "int32")
IMAGES, MASKS = (
    rng.random((4, 5, 5, 2), "float32"),
    rng.integers(0, 2, (4, 5, 5, 2)).astype("float32"),
)
VECTORS = (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True))(normal(6, 4))
CLASSES = np.array([0, 1, 0, 1, 2, 0], "int32")
TARGETS, STEPS = np.array([[1, 2, 0], [2, 2, 1]], "int32"), normal(2, 7, 3)

# The class, the function, their options, y_true, y_pred.
TABLE: list[tuple[str, str, dict[str, Any], np.ndarray, np.ndarray]] = [
    ("MeanSquaredError", "mean_squared_error", {}, REAL, NEAR),
    ("MeanAbsoluteError", "mean_absolute_error", {}, REAL, NEAR),
    ("MeanAbsoluteError", "mean_absolute_error", {}, SEQUENCE, OTHER),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", {}, REAL, NEAR),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", {}, POSITIVE, NEAR),
    ("Huber", "huber", {}, REAL * 3, NEAR),
    ("Huber", "huber", {"delta": 0.4}, SEQUENCE, OTHER),
    ("LogCosh", "log_cosh", {}, REAL * 50, NEAR),
    ("CosineSimilarity", "cosine_similarity", {}, REAL, NEAR),
    ("CosineSimilarity", "cosine_similarity", {"axis": 1}, SEQUENCE, OTHER),
    ("Poisson", "poisson", {}, POSITIVE, POSITIVE[::-1].copy()),
    ("KLDivergence", "kl_divergence", {}, CHANCES[::-1].copy(), CHANCES),
    ("Hinge", "hinge", {}, SIGNS, NEAR),
    ("Hinge", "hinge", {}, BITS, NEAR),
    ("SquaredHinge", "squared_hinge", {}, BITS, NEAR),
    ("CategoricalHinge", "categorical_hinge", {}, ONE_HOT, NEAR),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy", {}, BITS, CHANCES),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy",
     {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1}, BITS, CHANCES),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy", {"from_logits": True}, BITS, LOGITS),
    ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", {}, ONE_HOT, CHANCES),
    ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy",
     {"from_logits": True, "alpha": 0.5, "gamma": 1.0, "label_smoothing": 0.2}, ONE_HOT, LOGITS),
    ("CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", {"q": 0.7}, LABELS, CHANCES),
    ("Dice", "dice", {}, MASKS, IMAGES),
    ("Dice", "dice", {"axis": (1, 2, 3)}, MASKS, IMAGES),
    ("Tversky", "tversky", {"alpha": 0.3, "beta": 0.7}, MASKS, IMAGES),
    ("Tversky", "tversky", {"axis": (1, 2)}, MASKS, IMAGES),
    ("Circle", "circle", {}, CLASSES, VECTORS),
    ("Circle", "circle", {"gamma": 4.0, "margin": 0.2, "remove_diagonal": False}, CLASSES, VECTORS),
    ("CTC", "ctc", {}, TARGETS, STEPS),
]  # fmt: skip
rows = pytest.mark.parametrize(
    ("name", "function", "options", "y_true", "y_pred"),
    TABLE,
    ids=[f"{n}-{'-'.join(o) or 'plain'}-{i}" for i, (n, _, o, _, _) in enumerate(TABLE)],
)


def close(ours: Any, theirs: Any) -> None:
    ours, theirs = ops.convert_to_numpy(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape and ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=5e-6, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.oracle
@rows
def test_values(backend, keras, name, function, options, y_true, y_pred):
    theirs = getattr(keras.losses, function)(y_true, y_pred, **options)
    close(getattr(losses, function)(y_true, y_pred, **options), theirs)
    for reduction in ("sum_over_batch_size", "sum", None):
        ours = getattr(losses, name)(reduction=reduction, **options)
        close(
            ours(y_true, y_pred),
            getattr(keras.losses, name)(reduction=reduction, **options)(y_true, y_pred),
        )


@pytest.mark.oracle
@rows
def test_weights(backend, keras, name, function, options, y_true, y_pred):
    per_sample = np.ndim(getattr(keras.losses, function)(y_true, y_pred, **options)) > 0
    weight = rng.random(len(y_pred), "float32") if per_sample else np.float32(0.3)
    ours, theirs = (getattr(m, name)(**options) for m in (losses, keras.losses))
    if np.ndim(theirs.call(y_true, y_pred)) > 1:
        weight = weight[:, None]
    close(ours(y_true, y_pred, weight), theirs(y_true, y_pred, sample_weight=weight))


@rows
def test_gradients_agree(name, function, options, y_true, y_pred):
    loss = getattr(losses, name)(**options)
    found = []
    for engine in kerata.backends.backends(training=True):
        with kerata.use_backend(engine):
            x = ops.convert_to_tensor(y_pred)
            compute = kerata.jit(kerata.grad(lambda p: loss(y_true, p)))
            found.append(ops.convert_to_numpy(compute(x)))
    assert np.isfinite(found[0]).all() and np.abs(found[0]).max() > 0
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=2e-4, atol=1e-5 * np.abs(found[0]).max())


@rows
def test_config_round_trip(keras, name, function, options, y_true, y_pred):
    ours = getattr(losses, name)(**options)
    assert isinstance(ours, Configurable)
    again = losses.deserialize(losses.serialize(ours))
    assert again.get_config() == ours.get_config()
    theirs = getattr(keras.losses, name).from_config(ours.get_config())
    assert set(theirs.get_config()) <= set(ours.get_config())


@pytest.mark.parametrize(
    "name",
    [
        "mae",
        "MAE",
        "mape",
        "MAPE",
        "msle",
        "MSLE",
        "mse",
        "MSE",
        "kld",
        "KLD",
        "bce",
        "BCE",
        "huber",
        "log_cosh",
        "hinge",
        "poisson",
        "dice",
        "circle",
    ],
)
def test_names(keras, name):
    assert losses.get(name).__name__ == keras.losses.get(name).__name__


def test_samples_without_a_pair_do_not_count(backend):
    alone = np.array([0, 0, 1], "int32")  # the last one has no other of its class
    whole = ops.convert_to_numpy(losses.circle(alone, VECTORS[:3]))
    assert whole[2] == 0
    mean = ops.convert_to_numpy(losses.Circle()(alone, VECTORS[:3]))
    np.testing.assert_allclose(mean, whole[:2].mean(), rtol=1e-5)


def test_ctc_refuses_predictions_without_time(backend):
    with pytest.raises(
        ValueError, match=r"ctc: y_pred must be logits of shape .* got the shape \(4, 3\)"
    ):
        losses.ctc(TARGETS, LOGITS)
