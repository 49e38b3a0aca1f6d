"""The wrappers for scikit-learn: its own checks, targets, clones, searches, pickles, errors."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import kerata
from kerata.backends import registry
from kerata.core.seeds import set_random_seed

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from kerata.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3)).astype("float32")
LABELS = np.where(X[:, 0] > 0.3, "up", np.where(X[:, 1] > 0, "flat", "down"))
VALUES = X @ np.float32([1.0, -2.0, 0.5])


@pytest.fixture
def engine():
    """One backend that trains, for what no backend makes different."""
    installed = registry.backends(training=True)
    with registry.use_backend(next(n for n in ("torch", *installed) if n in installed)):
        yield


def build(X, y, units=8, loss="categorical_crossentropy", activation="softmax"):
    set_random_seed(0)
    width = X.shape[1] if y is None else y.shape[1]
    model = kerata.Sequential(
        [
            kerata.Input((X.shape[1],)),
            kerata.layers.Dense(units, activation="relu"),
            kerata.layers.Dense(width, activation=activation),
        ]
    )
    model.compile(kerata.optimizers.Adam(0.05), loss)
    return model


QUIET = {"verbose": 0, "epochs": 3, "batch_size": 20}
LINEAR = {"loss": "mse", "activation": None}


def classifier(**options):
    return SKLearnClassifier(build, fit_kwargs=QUIET, **options)


def regressor(**options):
    return SKLearnRegressor(build, model_kwargs=LINEAR, fit_kwargs=QUIET, **options)


def transformer():
    return SKLearnTransformer(build, model_kwargs=LINEAR, fit_kwargs=QUIET)


# What scikit-learn's checks ask for and the wrappers don't do, as Keras' don't (but for the first).
RAW = "decision_function gives the model's outputs, two columns for two classes, as Keras' does"
EXPECTED = {
    "check_regressor_multioutput": "predictions are in the model's dtype, float32",
    "check_classifiers_train": RAW,
    "check_classifiers_classes": RAW,
    "check_decision_proba_consistency": RAW,
    "check_classifiers_one_label_sample_weights": "three epochs don't forget unweighted samples",
}


@pytest.mark.slow
@pytest.mark.parametrize("make", [classifier, regressor, transformer])
def test_checks_of_scikit_learn(engine, make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(make(), on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in found if r["status"] == "failed"}
    unexpected = {n: e for n, e in failed.items() if n not in EXPECTED}
    assert not unexpected and len(found) > 40


def test_classifier(training_backend):
    model = classifier().fit(X, LABELS, epochs=15)
    assert model.classes_.tolist() == ["down", "flat", "up"]
    assert model.epoch_ == 15 and len(model.history_.history["loss"]) == 15
    assert model.score(X, LABELS) > 0.8
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (60, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (model.predict(X) == model.classes_[probabilities.argmax(1)]).all()
    np.testing.assert_array_equal(model.decision_function(X), probabilities)


def test_logits_become_probabilities(engine):
    loss = kerata.losses.CategoricalCrossentropy(from_logits=True)
    model = classifier(model_kwargs={"loss": loss, "activation": None}).fit(X, LABELS)
    logits = model.decision_function(X).astype("float64")
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)


def test_regressor(training_backend):
    model = regressor().fit(X, VALUES, epochs=40)
    assert model.predict(X).shape == (60,) and model.score(X, VALUES) > 0.9
    both = regressor().fit(X, np.stack([VALUES, -VALUES], 1))
    assert both.predict(X).shape == (60, 2)


def test_transformer(engine):
    model = transformer()
    assert model.fit_transform(X, np.stack([VALUES] * 4, 1)).shape == (60, 4)
    assert model.get_feature_names_out()[0] == "sklearntransformer0"
    before = transformer().fit(X).transform(X)
    assert before.shape == X.shape
    assert np.mean((transformer().fit(X, epochs=40).transform(X) - X) ** 2) < np.mean(
        (before - X) ** 2
    )


def test_a_model_is_copied_with_new_weights(engine):
    model = build(X, np.zeros((60, 3)))
    before = model.get_weights()
    fitted = SKLearnClassifier(model, fit_kwargs=QUIET).fit(X, LABELS)
    assert fitted.model_ is not model
    assert all(map(np.array_equal, model.get_weights(), before))
    again = SKLearnClassifier(model, warm_start=True, fit_kwargs=QUIET).fit(X, LABELS)
    assert again.model_ is model and not np.array_equal(model.get_weights()[0], before[0])
    assert clone(fitted).model is model and clone(again).model is not model


def test_warm_start_goes_on(engine):
    warm = classifier(warm_start=True).fit(X, LABELS)
    first = warm.model_, warm.history_.history["loss"][-1]
    warm.fit(X, LABELS)
    assert warm.model_ is first[0] and warm.history_.history["loss"][0] < first[1]
    cold = classifier().fit(X, LABELS)
    model = cold.model_
    assert cold.fit(X, LABELS).model_ is not model
    with pytest.raises(ValueError, match="sideways"):
        warm.fit(X, np.where(X[:, 0] > 0, "up", "sideways"))


def test_pipelines_and_searches(engine):
    pipeline = make_pipeline(StandardScaler(), classifier())
    search = GridSearchCV(
        pipeline, {"sklearnclassifier__model_kwargs": [{"units": 2}, {"units": 16}]}, cv=2
    )
    search.fit(X, LABELS)
    assert search.best_params_["sklearnclassifier__model_kwargs"] in ({"units": 2}, {"units": 16})
    assert search.predict(X).shape == (60,)


def test_clones_and_pickles(training_backend):
    model = classifier(model_kwargs={"units": 4}).fit(X, LABELS)
    new = clone(model)
    assert new.get_params() == model.get_params() and not hasattr(new, "model_")
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert again.history_.history == model.history_.history


def test_metadata_is_routed():
    from sklearn import config_context

    with config_context(enable_metadata_routing=True):
        model = clone(classifier().set_fit_request(sample_weight=True))
        assert model._get_metadata_request().fit.requests["sample_weight"] is True


def test_wrong_use():
    plain = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(1)])
    for model, error, message in [
        (plain, RuntimeError, "compiled"),
        (lambda X, y: plain, RuntimeError, "compiled"),
        (lambda X, y: None, TypeError, "return a model"),
        ("text", TypeError, "'text'"),
    ]:
        with pytest.raises(error, match=message):
            SKLearnRegressor(model).fit(X, VALUES)
    with pytest.raises(NotFittedError):
        classifier().predict(X)
    with pytest.raises(ValueError, match="one class"):
        classifier().fit(X, np.zeros(60, int))
    with pytest.raises(ValueError, match="continuous"):
        classifier().fit(X, VALUES)


def test_scikit_learn_is_imported_late():
    code = (
        "import sys, kerata, kerata.wrappers; assert 'sklearn' not in sys.modules\n"
        "sys.modules['sklearn'] = None\n"
        "try: kerata.wrappers.SKLearnRegressor\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "kerata[sklearn]" in done.stdout
