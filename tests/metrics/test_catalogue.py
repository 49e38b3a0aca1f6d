"""Every metric of the catalogue: state and results as Keras and scikit-learn give them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from kerata import metrics, ops
from kerata.core.transforms import jit

rng = np.random.default_rng(8)

PREDICTED = [rng.random((6, 4)).astype("float32") for _ in range(2)]
BITS = [rng.integers(0, 2, (6, 4)).astype("float32") for _ in range(2)]
ONE_HOT = [np.eye(4, dtype="float32")[rng.integers(0, 4, 6)] for _ in range(2)]
REAL = [rng.standard_normal((6, 4)).astype("float32") for _ in range(2)]
CLASSES = [rng.integers(0, 4, (6, 5)).astype("int32") for _ in range(2)]
GUESSES = [rng.integers(0, 4, (6, 5)).astype("int32") for _ in range(2)]
POSITIVE = [p + np.float32(0.1) for p in PREDICTED]
WEIGHTS = [rng.random(6).astype("float32") for _ in range(2)]

COUNTS = ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
# The metric, its options, targets and predictions of two batches.
TABLE: list[tuple[str, dict[str, Any], Any, Any]] = [
    *((name, {}, BITS, PREDICTED) for name in COUNTS),
    *((name, {"thresholds": [0.7, 0.2]}, BITS, PREDICTED) for name in COUNTS),
    *((name, o, ONE_HOT, PREDICTED) for name in ("Precision", "Recall") for o in (
        {}, {"thresholds": [0.2, 0.7]}, {"top_k": 2}, {"class_id": 1}, {"top_k": 2, "class_id": 1},
        {"top_k": 3, "thresholds": 0.6})),
    *(("AUC", o, BITS, PREDICTED) for o in (
        {}, {"num_thresholds": 3}, {"curve": "PR"}, {"curve": "PRGAIN"}, {"thresholds": [0.5, 0.3]},
        {"summation_method": "minoring"}, {"curve": "PR", "summation_method": "majoring"},
        {"multi_label": True}, {"multi_label": True, "label_weights": [0.1, 0.2, 0.3, 0.4]},
        {"multi_label": True, "num_labels": 4, "curve": "PR"})),
    ("AUC", {"from_logits": True}, BITS, REAL),
    *((name, {key: value, **o}, BITS, PREDICTED)
      for name, key, value in (
          ("SensitivityAtSpecificity", "specificity", 0.5), ("SpecificityAtSensitivity", "sensitivity", 0.5),
          ("PrecisionAtRecall", "recall", 0.6), ("RecallAtPrecision", "precision", 0.5))
      for o in ({}, {"num_thresholds": 1}, {"class_id": 2, "num_thresholds": 20})),
    *((name, o, ONE_HOT, PREDICTED) for name in ("F1Score", "FBetaScore") for o in (
        {}, {"average": "micro"}, {"average": "macro"}, {"average": "weighted"}, {"threshold": 0.5})),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.3}, ONE_HOT, PREDICTED),
    *(("R2Score", o, REAL, PREDICTED) for o in (
        {}, {"class_aggregation": None}, {"class_aggregation": "variance_weighted_average"},
        {"num_regressors": 1})),
    *((name, {}, REAL, PREDICTED) for name in (
        "RootMeanSquaredError", "MeanAbsoluteError", "MeanSquaredLogarithmicError", "LogCoshError",
        "CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation")),
    ("MeanAbsolutePercentageError", {}, POSITIVE, PREDICTED),
    ("KLDivergence", {}, POSITIVE, PREDICTED),
    ("Poisson", {}, POSITIVE, PREDICTED),
    *((name, {}, BITS, REAL) for name in ("Hinge", "SquaredHinge", "CategoricalHinge")),
]  # fmt: skip
OVERLAPS: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, CLASSES, GUESSES),
    ("IoU", {"num_classes": 4, "target_class_ids": [1], "sparse_y_true": False, "sparse_y_pred": False},
     ONE_HOT, PREDICTED),
    ("MeanIoU", {"num_classes": 4}, CLASSES, GUESSES),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1}, CLASSES, GUESSES),
    ("MeanIoU", {"num_classes": 6, "dtype": "float32"}, CLASSES, GUESSES),
    ("BinaryIoU", {}, BITS, PREDICTED),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, BITS, PREDICTED),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 1]}, ONE_HOT, PREDICTED),
    ("OneHotMeanIoU", {"num_classes": 4}, ONE_HOT, PREDICTED),
    ("OneHotMeanIoU", {"num_classes": 4, "sparse_y_pred": True}, ONE_HOT, [p.argmax(-1) for p in PREDICTED]),
]  # fmt: skip


def ids(table: Any) -> list[str]:
    return [f"{n}-{'-'.join(map(str, o.values()))}-{i}" for i, (n, o, _, _) in enumerate(table)]


def same(ours: Any, theirs: Any) -> None:
    """Fail unless state and result agree."""
    kept = {v.name: np.asarray(v) for v in theirs.variables}
    assert {v.name for v in ours.variables} == set(kept)
    for variable in ours.variables:
        np.testing.assert_allclose(variable.numpy(), kept[variable.name], rtol=1e-5, atol=1e-5)
    result = ops.convert_to_numpy(ours.result())
    np.testing.assert_allclose(result, np.asarray(theirs.result()), rtol=2e-5, atol=1e-5)


@pytest.mark.oracle
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "options", "y_true", "y_pred"), TABLE, ids=ids(TABLE))
def test_against_keras(backend, keras, name, options, y_true, y_pred, weighted):
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    compiled = jit(ours.update_state)
    for i in range(2):
        weight = WEIGHTS[i] if weighted else None
        (compiled if i else ours.update_state)(y_true[i], y_pred[i], weight)
        theirs.update_state(y_true[i], y_pred[i], sample_weight=weight)
    same(ours, theirs)
    ours.reset_state()
    assert all(not v.numpy().any() for v in ours.variables)


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options", "y_true", "y_pred"), OVERLAPS, ids=ids(OVERLAPS))
def test_overlaps_against_keras(backend, keras, name, options, y_true, y_pred):
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for true, pred in zip(y_true, y_pred, strict=True):
        weight = rng.integers(
            0, 3, true.shape if true.ndim == 2 and true.dtype == "int32" else (6,)
        )
        if name.startswith("Binary"):
            weight = None
        ours.update_state(true, pred, weight)
        theirs.update_state(true, pred, sample_weight=weight)
    same(ours, theirs)


def test_fractional_weights_of_overlaps(backend):
    metric = metrics.MeanIoU(2, dtype="float32")
    metric.update_state([0, 1, 1], [0, 0, 1], [0.3, 0.3, 0.1])
    assert float(metric.result()) == pytest.approx((0.3 / 0.6 + 0.1 / 0.4) / 2, rel=1e-5)


@pytest.mark.oracle
def test_against_scikit_learn(backend):
    true, scores = rng.integers(0, 2, 400), rng.random(400).astype("float32")
    weight = rng.random(400).astype("float32")
    decided = scores > 0.5
    expected = {
        metrics.Precision(): sk.precision_score(true, decided, sample_weight=weight),
        metrics.Recall(): sk.recall_score(true, decided, sample_weight=weight),
        metrics.AUC(num_thresholds=5000): sk.roc_auc_score(true, scores, sample_weight=weight),
        metrics.RootMeanSquaredError(): sk.root_mean_squared_error(
            true, scores, sample_weight=weight
        ),
        metrics.R2Score(): sk.r2_score(true, scores, sample_weight=weight),
        metrics.BinaryIoU([1], dtype="float32"): sk.jaccard_score(
            true, decided, sample_weight=weight
        ),
        metrics.F1Score(threshold=0.5, average="macro"): sk.f1_score(
            true, decided, sample_weight=weight
        ),
    }
    for metric, value in expected.items():
        shape = (-1, 1) if isinstance(metric, (metrics.F1Score, metrics.R2Score)) else (-1,)
        metric.update_state(true.reshape(shape), scores.reshape(shape), weight)
        assert float(metric.result()) == pytest.approx(value, rel=1e-3), metric.name


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: metrics.Precision(thresholds=[1.5]),
            r"thresholds must be in \[0, 1\]; got \[1.5\]",
        ),
        (lambda: metrics.AUC(curve="x"), "curve must be one of .* got 'x'"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds must be an int above 1; got 1"),
        (lambda: metrics.RecallAtPrecision(2), r"precision must be in \[0, 1\]; got 2"),
        (lambda: metrics.FBetaScore(beta=-1), "beta must be a number above 0; got -1"),
        (lambda: metrics.F1Score(average="x"), "average must be one of .* got 'x'"),
        (
            lambda: metrics.F1Score().update_state([1.0], [1.0]),
            r"F1Score: .* got \(1,\) and \(1,\)",
        ),
        (lambda: metrics.IoU(3, [5]), r"target_class_ids must be in \[0, 3\); got 5"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors must not be negative; got -1"),
    ],
)
def test_errors(backend, make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize(
    "name",
    [
        "mae",
        "MAE",
        "mape",
        "msle",
        "mse",
        "auc",
        "precision",
        "f1_score",
        "r2_score",
        "hinge",
        "bce",
    ],
)
def test_names(keras, name):
    assert type(metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__


@pytest.mark.parametrize(
    ("name", "options", "y_true", "y_pred"), TABLE + OVERLAPS, ids=ids(TABLE + OVERLAPS)
)
def test_config_round_trip(keras, name, options, y_true, y_pred):
    ours = getattr(metrics, name)(**options)
    again = metrics.deserialize(metrics.serialize(ours))
    assert again.get_config() == ours.get_config()
