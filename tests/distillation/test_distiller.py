"""`Distiller`: its loss as in Keras, what is trained and what is not, files, errors."""

import numpy as np
import pytest

import kerata
from kerata import layers, losses, ops
from kerata.distillation import DistillationLoss, Distiller, FeatureDistillation, LogitsDistillation

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 5)).astype("float32")
Y = RNG.integers(0, 3, 12)


def mlp(lib, seed=0, units=6, outputs=3, **kwargs):
    inputs = lib.Input((5,))
    hidden = lib.layers.Dense(units, activation="relu", name="hidden", **kwargs)(inputs)
    model = lib.Model(inputs, lib.layers.Dense(outputs, name="out")(hidden))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.standard_normal(w.shape).astype("float32") for w in model.get_weights()])
    return model


def distiller(lib, share, weights):
    module = lib.distillation
    parts = [
        module.LogitsDistillation(2.0, lib.losses.KLDivergence()),
        module.FeatureDistillation("mse", "hidden", "hidden"),
    ]
    model = module.Distiller(mlp(lib, 1), mlp(lib, 2), parts, weights, share)
    loss = lib.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(lib.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return model


@pytest.mark.oracle
@pytest.mark.parametrize(
    "share, weights", [(0.5, None), (0.3, [1.0, 0.5]), (0.0, None), (1.0, None)]
)
def test_losses_as_in_keras(backend, keras, share, weights):
    ours, theirs = distiller(kerata, share, weights), distiller(keras, share, weights)
    expected = theirs.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    found = ours.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    assert found == pytest.approx({k: float(v) for k, v in expected.items()}, rel=1e-5)


def test_training(training_backend):
    model = distiller(kerata, 0.3, [1.0, 0.5])
    teacher, student = model.teacher, model.student
    before = teacher.get_weights(), student.get_weights()
    history = model.fit(X, Y, batch_size=4, epochs=5, verbose=0).history
    for name in ("loss", "student_loss", "distillation_loss", "total_loss"):
        assert len(history[name]) == 5
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(history["loss"], history["total_loss"], rtol=1e-5)
    assert not teacher.trainable and not teacher.trainable_variables
    assert all(map(np.array_equal, teacher.get_weights(), before[0]))
    assert not any(map(np.array_equal, student.get_weights(), before[1]))
    predicted = model.predict(X, verbose=0)
    np.testing.assert_allclose(predicted, student.predict(X, verbose=0), rtol=1e-6)


def test_gradients_are_those_of_the_formula(training_backend):
    model = distiller(kerata, 0.3, [1.0, 0.5])
    teacher, student = model.teacher, model.student
    features = [kerata.Model(m.input, [m.output, m.layers[1].output]) for m in (teacher, student)]

    def loss_of():
        (t, f), (s, g) = features[0](X), features[1](X)
        own = ops.mean(ops.sparse_categorical_crossentropy(Y, s, from_logits=True))
        p, q = ops.softmax(t / 2.0), ops.softmax(s / 2.0)
        theirs = 4.0 * ops.mean(ops.sum(p * (ops.log(p) - ops.log(q)), -1))
        return 0.3 * own + 0.7 * (theirs + 0.5 * ops.mean((f - g) ** 2))

    gradients = kerata.grad(loss_of, student.trainable_variables)()
    expected = [
        w - 0.1 * ops.convert_to_numpy(g)
        for w, g in zip(student.get_weights(), gradients, strict=True)
    ]
    model.train_on_batch(X, Y)
    for found, wanted in zip(student.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_layers_and_samples_have_their_say():
    student = mlp(kerata, 2, kernel_regularizer="l2")
    model = Distiller(mlp(kerata, 1), student, LogitsDistillation(), student_loss_weight=1.0)
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(found["total_loss"] + float(student.losses[0]), rel=1e-5)
    weights = np.arange(12.0)
    weighted = model.evaluate(X, Y, sample_weight=weights, verbose=0, return_dict=True)
    assert weighted["student_loss"] != pytest.approx(found["student_loss"], rel=1e-3)


def test_losses_of_ones_own(training_backend):
    class Largest(DistillationLoss):
        def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
            return ops.max(ops.absolute(teacher_outputs - student_outputs))

    model = Distiller(mlp(kerata, 1), mlp(kerata, 2), Largest(), student_loss_weight=0)
    model.compile("sgd")
    expected = abs(model.teacher(X) - model.student(X))
    found = model.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(float(ops.max(expected)), rel=1e-5)


def test_subclassed_models(training_backend):
    class Net(kerata.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    model = Distiller(mlp(kerata), Net(), [LogitsDistillation(), FeatureDistillation()])
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    assert len(model.fit(X, Y, epochs=2, verbose=0).history["loss"]) == 2
    with pytest.raises(ValueError, match="student_layer_name"):
        Distiller(mlp(kerata), Net(), FeatureDistillation("mse", "hidden", "dense"))


def test_files(training_backend, tmp_path):
    model = distiller(kerata, 0.3, [1.0, 0.5])
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = kerata.saving.load_model(tmp_path / "model.keras")
    assert again.distillation_loss_weights == [1.0, 0.5] and not again.teacher.trainable
    assert again.evaluate(X, Y, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0))
    again.fit(X, Y, epochs=1, verbose=0)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"student_loss_weight": 2.0}, "student_loss_weight"),
        ({"student_loss_weight": "a"}, "student_loss_weight"),
        ({"distillation_loss_weights": [1.0, 2.0]}, "distillation_loss_weights"),
        ({"distillation_losses": []}, "distillation_losses"),
        ({"distillation_losses": None}, "distillation_losses"),
        ({"distillation_losses": "mse"}, "distillation_losses"),
        ({"student": 5}, "student must be"),
        ({"teacher": None}, "teacher must be"),
        ({"student": mlp(kerata, outputs=4)}, "outputs"),
        (
            {"distillation_losses": FeatureDistillation("mse", "foo", "hidden")},
            "teacher_layer_name.*foo",
        ),
        (
            {"distillation_losses": FeatureDistillation("mse", "hidden", "foo")},
            "student_layer_name.*foo",
        ),
    ],
)
def test_wrong_arguments(changes, message):
    arguments = {
        "teacher": mlp(kerata),
        "student": mlp(kerata),
        "distillation_losses": LogitsDistillation(),
    }
    with pytest.raises(ValueError, match=message):
        Distiller(**{**arguments, **changes})


def test_a_loss_is_asked_for():
    model = Distiller(mlp(kerata), mlp(kerata), LogitsDistillation())
    with pytest.raises(ValueError, match="loss must be given"):
        model.compile("sgd")
