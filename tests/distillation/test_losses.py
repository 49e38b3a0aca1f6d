"""Distillation losses: values as Keras and the formulas give them, nestings, errors, configs."""

import numpy as np
import pytest

from kerata import losses, ops
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.distillation import DistillationLoss, FeatureDistillation, LogitsDistillation

RNG = np.random.default_rng(0)
TEACHER = RNG.standard_normal((4, 3)).astype("float32")
STUDENT = RNG.standard_normal((4, 3)).astype("float32")


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.mark.oracle
@pytest.mark.parametrize("temperature", [1.0, 3.0])
@pytest.mark.parametrize("loss", ["mse", "mae", "cosine_similarity", "KLDivergence"])
def test_logits_as_in_keras(backend, keras, loss, temperature):
    theirs = keras.losses.KLDivergence() if loss == "KLDivergence" else loss
    expected = keras.distillation.LogitsDistillation(temperature, theirs)
    found = LogitsDistillation(temperature, loss).compute_loss(TEACHER, STUDENT)
    assert float(found) == pytest.approx(float(expected.compute_loss(TEACHER, STUDENT)), rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_distributions_are_compared(temperature):
    """What Keras does for KLDivergence() alone: a name gives the logits as probabilities there."""
    p, q = softmax(TEACHER / temperature), softmax(STUDENT / temperature)
    divergence = (p * np.log(p / q)).sum(-1).mean() * temperature**2
    crossentropy = (-p * np.log(q)).sum(-1).mean() * temperature**2
    for loss, expected in [
        ("kl_divergence", divergence),
        (losses.kl_divergence, divergence),
        ("categorical_crossentropy", crossentropy),
        (losses.CategoricalCrossentropy(), crossentropy),
        (losses.CategoricalCrossentropy(from_logits=True), crossentropy),
    ]:
        found = LogitsDistillation(temperature, loss).compute_loss(TEACHER, STUDENT)
        assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.oracle
@pytest.mark.parametrize("loss", ["mse", "cosine_similarity", "mae"])
def test_features_as_in_keras(backend, keras, loss):
    found = FeatureDistillation(loss).compute_loss(TEACHER, STUDENT)
    expected = keras.distillation.FeatureDistillation(loss).compute_loss(TEACHER, STUDENT)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_several_outputs():
    one = float(FeatureDistillation("mse").compute_loss(TEACHER, STUDENT))
    pairs = [TEACHER, STUDENT], [STUDENT, TEACHER]
    assert float(FeatureDistillation(["mse", "mse"]).compute_loss(*pairs)) == pytest.approx(2 * one)
    assert float(FeatureDistillation(["mse", None]).compute_loss(*pairs)) == pytest.approx(one)
    named = [dict(zip("ab", p, strict=True)) for p in pairs]
    loss = FeatureDistillation({"b": "mse", "a": None})
    assert float(loss.compute_loss(*named)) == pytest.approx(one)
    for wrong in ("mse", ["mse"], {"a": "mse", "c": "mse"}):
        with pytest.raises(ValueError, match="nested"):
            FeatureDistillation(wrong).compute_loss(*named)
    with pytest.raises(ValueError, match="different outputs"):
        FeatureDistillation(["mse", None]).compute_loss(pairs[0], TEACHER)


def test_half_precision_is_widened(backend):
    half = [ops.cast(x, "bfloat16") for x in (TEACHER, STUDENT)]
    found = LogitsDistillation(2.0).compute_loss(*half)
    assert backend.dtype_of(found) == "float32"


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"temperature": 0}, ValueError, "temperature"),
        ({"temperature": "a"}, TypeError, "temperature"),
        ({"loss": None}, ValueError, "every output"),
        ({"loss": [None, None]}, ValueError, "every output"),
        ({"loss": "foo"}, ValueError, "foo"),
        ({"loss": 5}, ValueError, "5"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        LogitsDistillation(**arguments)


@pytest.mark.oracle
@pytest.mark.parametrize("loss", ["mse", ["kl_divergence", None]])
def test_configs(keras, loss):
    ours, theirs = LogitsDistillation(2.0, loss), keras.distillation.LogitsDistillation(2.0, loss)
    assert ours.get_config() == theirs.get_config()
    for config in (serialize_object(ours), keras.saving.serialize_keras_object(theirs)):
        assert deserialize_object(config).get_config() == ours.get_config()
    keras.distillation.LogitsDistillation.from_config(ours.get_config())


def test_the_base_asks_for_a_definition():
    with pytest.raises(NotImplementedError, match="compute_loss"):
        DistillationLoss().compute_loss(TEACHER, STUDENT)
