"""`OrbaxCheckpoint`: what it keeps, and reading it back."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.callbacks import OrbaxCheckpoint

pytest.importorskip("orbax.checkpoint")
X = np.linspace(-1, 1, 24, dtype="float32").reshape(12, 2)
Y = X.sum(1, keepdims=True)


def compiled(units=3):
    model = kerata.Sequential(
        [
            kerata.Input((2,)),
            layers.Dense(units),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def fit(model, *callbacks, **options):
    return model.fit(
        X, Y, **{"batch_size": 4, "epochs": 3, "verbose": 0, **options}, callbacks=callbacks
    )


def state(model):
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


def steps(folder):
    return sorted(int(p.name) for p in folder.iterdir())


def test_models_are_kept_and_made_anew(training_backend, tmp_path):
    model = compiled()
    fit(model, OrbaxCheckpoint(tmp_path, max_to_keep=2))
    assert steps(tmp_path) == [1, 2]
    again = kerata.saving.load_model(tmp_path)
    for a, b in zip(state(again), state(model), strict=True):
        np.testing.assert_array_equal(a, b)
    fit(again, epochs=1)
    first = kerata.saving.load_model(tmp_path / "1")
    assert int(first.optimizer.iterations.numpy()) == 6
    other = compiled()  # its layers have other names
    other.load_weights(tmp_path)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model_at(tmp_path))
    assert int(other.optimizer.iterations.numpy()) == 9


def model_at(folder):
    return kerata.saving.load_model(folder).predict(X, verbose=0)


def test_another_backend_reads_them(training_backend, tmp_path):
    model = compiled()
    fit(model, OrbaxCheckpoint(tmp_path))
    with kerata.use_backend("numpy"):
        np.testing.assert_allclose(model_at(tmp_path), model.predict(X, verbose=0), atol=1e-6)


def test_every_so_many_batches(training_backend, tmp_path):
    options = {"save_freq": 4, "max_to_keep": None, "save_on_background": False}
    fit(compiled(), OrbaxCheckpoint(tmp_path, **options))
    assert steps(tmp_path) == [4, 8]


def test_the_best_is_kept(training_backend, tmp_path, capsys):
    values = [2.0, 1.0, 3.0]
    script = kerata.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.__setitem__("val_loss", values[epoch])
    )
    best = OrbaxCheckpoint(tmp_path, save_best_only=True, verbose=1)
    fit(compiled(), script, best)
    assert steps(tmp_path) == [1] and best.best == 1.0
    assert f"Saving the model to {tmp_path}/1" in capsys.readouterr().out


def test_weights_alone(training_backend, tmp_path):
    model = compiled()
    fit(model, OrbaxCheckpoint(tmp_path, save_weights_only=True))
    other = compiled()
    other.load_weights(tmp_path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    assert int(other.optimizer.iterations.numpy()) == 0
    with pytest.raises(ValueError, match=r"2 holds weights alone: make the model, and read them"):
        kerata.saving.load_model(tmp_path)


def test_what_does_not_fit_changes_nothing(training_backend, tmp_path):
    fit(compiled(), OrbaxCheckpoint(tmp_path))
    other = compiled(units=5)
    before = state(other)
    with pytest.raises(ValueError, match=r"kernel is \(2, 5\), and \(2, 3\) in the checkpoint"):
        other.load_weights(tmp_path)
    for a, b in zip(before, state(other), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="skipped what does not fit"):
        other.load_weights(tmp_path, skip_mismatch=True)


def test_damaged_checkpoints_are_refused(training_backend, tmp_path):
    fit(compiled(), OrbaxCheckpoint(tmp_path))
    for file in (tmp_path / "2/pytree").rglob("*"):
        if file.is_file() and file.stat().st_size:
            file.write_bytes(b"\0" * 10)
    with pytest.raises(ValueError, match=r"2 is no readable checkpoint of Orbax"):
        compiled().load_weights(tmp_path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"save_freq": "day"}, "OrbaxCheckpoint: save_freq must be 'epoch' or .* got 'day'"),
        ({"max_to_keep": 0}, "max_to_keep must be a positive int or None; got 0"),
        ({"mode": "up"}, "mode must be one of"),
    ],
)
def test_wrong_arguments(tmp_path, options, text):
    with pytest.raises(ValueError, match=text):
        OrbaxCheckpoint(tmp_path, **options)


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    with pytest.raises(ImportError, match=r"pip install 'kerata\[orbax\]'"):
        OrbaxCheckpoint(tmp_path)
