"""`GradientNorm`: norms of gradients among the logs."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.callbacks import CSVLogger, GradientNorm

RNG = np.random.default_rng(0)
X = RNG.random((32, 3)).astype("float32")
Y = np.ones((32, 1), "float32")


def compiled(optimizer=None):
    model = kerata.Sequential(
        [kerata.Input((3,)), layers.Dense(4, name="first"), layers.Dense(1, name="last")]
    )
    model.compile(optimizer or kerata.optimizers.SGD(0.0, global_clipnorm=0.1), "mse")
    return model


def gradients(model, rows=slice(None)):
    """The gradients of both layers, each flat."""
    x, y = ops.convert_to_tensor(X[rows]), ops.convert_to_tensor(Y[rows])
    found = kerata.grad(lambda: ops.mean(ops.square(model(x) - y)), model.trainable_variables)()
    flat = [ops.convert_to_numpy(g).ravel() for g in found]
    return np.concatenate(flat[:2]), np.concatenate(flat[2:])


@pytest.mark.parametrize("steps", [1, 2])
def test_norms_are_those_of_the_gradients_before_clipping(training_backend, tmp_path, steps):
    model = compiled()
    model.steps_per_execution = steps
    first, last = gradients(model)
    log = tmp_path / "log.csv"
    history = model.fit(
        X, Y, batch_size=32, epochs=2, verbose=0, validation_data=(X, Y),
        callbacks=[GradientNorm(per_layer=True), CSVLogger(log)],
    ).history  # fmt: skip
    wanted = {
        "gradient_norm": np.linalg.norm(np.concatenate([first, last])),
        "gradient_norm/first": np.linalg.norm(first),
        "gradient_norm/last": np.linalg.norm(last),
    }
    assert set(history) == {"loss", "val_loss", *wanted}
    for name, value in wanted.items():
        np.testing.assert_allclose(history[name], [value, value], rtol=1e-5)
    rows = list(csv.DictReader(log.open()))
    assert float(rows[1]["gradient_norm"]) == history["gradient_norm"][1]


def test_it_is_a_mean_over_the_steps(training_backend):
    model = compiled()
    history = model.fit(X, Y, batch_size=16, verbose=0, shuffle=False, callbacks=[GradientNorm()])
    norms = [
        np.linalg.norm(np.concatenate(gradients(model, part)))
        for part in (slice(0, 16), slice(16, 32))
    ]
    assert history.history["gradient_norm"][0] == pytest.approx(np.mean(norms), rel=1e-5)


def test_the_loss_scale_is_taken_out(training_backend):
    scaled = compiled(kerata.optimizers.LossScaleOptimizer(kerata.optimizers.SGD(0.0)))
    wanted = np.linalg.norm(np.concatenate(gradients(scaled)))
    history = scaled.fit(X, Y, batch_size=32, verbose=0, callbacks=[GradientNorm()]).history
    assert history["gradient_norm"][0] == pytest.approx(wanted, rel=1e-5)


def test_it_ends_with_fit_also_where_that_fails(training_backend):
    class Fail(kerata.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise OSError("disk")

    model = compiled()
    with pytest.raises(OSError, match="disk"):
        model.fit(X, Y, verbose=0, callbacks=[GradientNorm(), Fail()])
    assert set(model.fit(X, Y, verbose=0).history) == {"loss"}


def test_a_train_step_of_ones_own_is_refused(training_backend):
    class Own(kerata.Model):
        def train_step(self, data):
            return {"loss": ops.zeros(())}

    inputs = kerata.Input((3,))
    model = Own(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="GradientNorm sees the gradients of the default train_st"):
        model.fit(X, Y, verbose=0, callbacks=[GradientNorm()])
