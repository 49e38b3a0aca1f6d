"""Callbacks that change rates, keep models, and hand the logs on."""

from __future__ import annotations

import csv
import http.server
import json
import threading
import urllib.parse
from typing import ClassVar

import numpy as np
import pytest

import kerata
from kerata import callbacks

X = np.linspace(-1, 1, 24, dtype="float32").reshape(12, 2)
Y = X.sum(1, keepdims=True)


def compiled(**options):
    kerata.utils.set_random_seed(3)
    model = kerata.Sequential([kerata.Input((2,)), kerata.layers.Dense(1)])
    model.compile(optimizer=kerata.optimizers.SGD(**{"learning_rate": 0.1, **options}), loss="mse")
    return model


def fit(model, *listed, **options):
    return model.fit(
        X, Y, **{"batch_size": 4, "epochs": 3, "verbose": 0, **options}, callbacks=listed
    )


def scripted(monitor, values):
    """A callback that puts these values into the logs, one an epoch."""
    return callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.__setitem__(monitor, values[epoch])
    )


def test_rates_follow_a_schedule(training_backend, capsys):
    history = fit(
        compiled(), callbacks.LearningRateScheduler(lambda epoch, rate: rate / (epoch + 1), 1)
    ).history
    np.testing.assert_allclose(history["learning_rate"], [0.1, 0.05, 0.05 / 3], rtol=1e-6)
    assert "Epoch 2: the learning rate is 0.05" in capsys.readouterr().out
    history = fit(
        compiled(), callbacks.LearningRateScheduler(lambda epoch: 0.5 - epoch / 4)
    ).history
    np.testing.assert_allclose(history["learning_rate"], [0.5, 0.25, 0.0])
    assert history["loss"][1] != history["loss"][2]


def test_a_schedule_must_return_a_number(training_backend):
    with pytest.raises(ValueError, match="the schedule must return a number; got 'x' for epoch 0"):
        fit(compiled(), callbacks.LearningRateScheduler(lambda epoch: "x"))


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({}, [1.0, 1.0, 1.0, 1.0, 1.0], [0.1, 0.1, 0.1, 0.05, 0.05]),
        ({"min_lr": 0.04, "factor": 0.1}, [1.0, 2.0, 2.0, 2.0, 2.0], [0.1, 0.1, 0.1, 0.04, 0.04]),
        ({"mode": "max"}, [1.0, 2.0, 3.0, 4.0, 5.0], [0.1] * 5),
        ({"min_delta": 0.5}, [1.0, 0.9, 0.8, 0.3, 0.2], [0.1, 0.1, 0.1, 0.05, 0.05]),
        ({"cooldown": 2}, [1.0] * 8, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]),
    ],
)
def test_rates_fall_on_a_plateau(options, values, rates):
    callback = callbacks.ReduceLROnPlateau("val_loss", **{"factor": 0.5, "patience": 2, **options})
    with kerata.use_backend("torch"):
        model = compiled()
        history = fit(model, scripted("val_loss", values), callback, epochs=len(values)).history
    np.testing.assert_allclose(history["learning_rate"], rates, rtol=1e-6)


def test_plateau_against_keras(keras):
    values = [1.0, 0.8, 0.8, 0.79999, 0.9, 0.7, 0.7, 0.7, 0.7, 0.7]
    rates = {}
    for library in (keras, kerata):
        optimizer = library.optimizers.SGD(1.0)
        model = library.Sequential([library.Input((1,)), library.layers.Dense(1)])
        model.compile(optimizer=optimizer, loss="mse")
        callback = library.callbacks.ReduceLROnPlateau(patience=2, cooldown=1, factor=0.5)
        callback.set_model(model)
        callback.on_train_begin()
        seen = []
        for epoch, value in enumerate(values):
            callback.on_epoch_end(epoch, {"val_loss": value})
            seen.append(float(np.asarray(optimizer.learning_rate.numpy())))
        rates[library.__name__] = seen
    assert rates["kerata"] == rates["keras"]


def test_models_are_kept(training_backend, tmp_path):
    path = tmp_path / "kept/{epoch:02d}-{loss:.1f}.keras"
    model = compiled()
    history = fit(model, callbacks.ModelCheckpoint(path))
    names = sorted(p.name for p in (tmp_path / "kept").iterdir())
    losses = history.history["loss"]
    assert names == [f"{i + 1:02d}-{loss:.1f}.keras" for i, loss in enumerate(losses)]
    again = kerata.saving.load_model(tmp_path / "kept" / names[-1])
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_the_best_weights_are_kept(training_backend, tmp_path):
    path, kept = tmp_path / "best.weights.h5", []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda *_: kept.append(model.get_weights()))
    model = compiled()
    checkpoint = callbacks.ModelCheckpoint(
        path, "score", save_best_only=True, save_weights_only=True, mode="max"
    )
    fit(model, scripted("score", [1.0, 3.0, 2.0]), keep, checkpoint)
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], kept[1][0])
    assert not np.array_equal(kept[2][0], kept[1][0])


def test_models_are_kept_after_batches(training_backend, tmp_path):
    path = tmp_path / "{epoch}-{batch}.weights.h5"
    fit(compiled(), callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=2))
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "1-2.weights.h5", "2-1.weights.h5", "2-3.weights.h5", "3-2.weights.h5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: callbacks.ModelCheckpoint("x.h5"), "filepath must end in '.keras'"),
        (lambda: callbacks.ModelCheckpoint("x.keras", save_weights_only=True), "'.weights.h5'"),
        (lambda: callbacks.ModelCheckpoint("x.keras", save_freq=0), "save_freq must be .* got 0"),
        (lambda: callbacks.ModelCheckpoint("x.keras", mode="up"), "mode must be one of"),
        (lambda: callbacks.ReduceLROnPlateau(factor=1.0), "factor must be below 1; got 1.0"),
    ],
)
def test_wrong_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_what_is_missing_from_the_logs_is_said(training_backend, tmp_path):
    with pytest.warns(UserWarning, match="watches 'val_loss', which is not among the logs"):
        fit(compiled(), callbacks.ModelCheckpoint(tmp_path / "x.keras", save_best_only=True))
    with pytest.warns(UserWarning, match="watches 'val_loss', which is not among the logs"):
        fit(compiled(), callbacks.ReduceLROnPlateau())
    with pytest.raises(KeyError, match="names 'val_loss', which is not among epoch, loss"):
        fit(compiled(), callbacks.ModelCheckpoint(tmp_path / "{val_loss}.keras"))
    assert not list(tmp_path.iterdir())


def test_averages_are_evaluated(training_backend, tmp_path):
    model = compiled(use_ema=True, ema_momentum=0.9)
    seen = {}

    class Look(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen["trained"] = self.model.get_weights()[0]

        def on_test_batch_end(self, batch, logs=None):
            seen["tested"] = self.model.get_weights()[0]

    path = tmp_path / "averages.weights.h5"
    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    checkpoint = callbacks.ModelCheckpoint(path, save_weights_only=True)
    fit(model, swap, Look(), checkpoint, epochs=2, validation_data=(X, Y))
    assert not np.allclose(seen["trained"], seen["tested"])
    np.testing.assert_array_equal(model.get_weights()[0], seen["tested"])
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], seen["tested"])
    with pytest.raises(ValueError, match="must be made with use_ema=True"):
        fit(compiled(), callbacks.SwapEMAWeights())


def test_logs_are_written_as_csv(training_backend, tmp_path):
    path = tmp_path / "log.csv"
    history = fit(compiled(), callbacks.CSVLogger(path))
    fit(compiled(), callbacks.CSVLogger(path, append=True), epochs=1)
    rows = list(csv.DictReader(path.open()))
    assert [r["epoch"] for r in rows] == ["0", "1", "2", "0"]
    np.testing.assert_allclose([float(r["loss"]) for r in rows[:3]], history.history["loss"])


@pytest.mark.parametrize("logger_first", [False, True])
def test_a_csv_goes_on_with_the_run_that_does(training_backend, tmp_path, logger_first):
    path = tmp_path / "log.csv"

    class Stop(callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1 and self.model.current_run.epoch == 2:
                raise KeyboardInterrupt

    def run(*more):
        backup = callbacks.BackupAndRestore(tmp_path / "run", save_freq=2)
        listed = [callbacks.CSVLogger(path), backup]
        fit(compiled(), *(listed if logger_first else listed[::-1]), *more, epochs=4)

    with pytest.raises(KeyboardInterrupt):
        run(Stop())
    run()
    assert [r["epoch"] for r in csv.DictReader(path.open())] == ["0", "1", "2", "3"]


def test_training_ends_at_nan(training_backend, capsys):
    model = compiled(learning_rate=1e30)
    with np.errstate(all="ignore"):
        history = fit(model, callbacks.TerminateOnNaN(), epochs=20)
    assert len(history.epoch) < 20
    assert "training ends" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match=r"the loss is (nan|inf); training ends"):
        fit(compiled(learning_rate=1e30), callbacks.TerminateOnNaN(raise_error=True), epochs=20)


def test_functions_as_hooks(training_backend):
    calls = []
    note = lambda name: lambda *args: calls.append(name)  # noqa: E731
    hooks = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end", "on_test_begin")
    fit(
        compiled(),
        callbacks.LambdaCallback(**{h: note(h) for h in hooks}),
        epochs=1,
        validation_data=(X, Y),
    )
    assert calls == [
        "on_train_begin", "on_epoch_begin", "on_test_begin", "on_epoch_end", "on_train_end",
    ]  # fmt: skip
    with pytest.raises(TypeError, match="'on_fire' is no hook of a callback"):
        callbacks.LambdaCallback(on_fire=print)


class _Server(http.server.BaseHTTPRequestHandler):
    received: ClassVar[list] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.received.append((self.path, self.headers["Content-Type"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_logs_are_sent(training_backend):
    _Server.received = []
    with http.server.HTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        fit(compiled(), callbacks.RemoteMonitor(root, send_as_json=True), epochs=1)
        fit(compiled(), callbacks.RemoteMonitor(root, "/x", "f"), epochs=1)
        server.shutdown()
    (path, kind, body), (other, form, text) = _Server.received
    assert (path, kind, other) == ("/publish/epoch/end/", "application/json", "/x")
    logs = json.loads(urllib.parse.parse_qs(text)["f"][0])
    assert json.loads(body).keys() == logs.keys() == {"epoch", "loss"}
    assert form == "application/x-www-form-urlencoded"
    with pytest.warns(UserWarning, match="can't be reached"):
        fit(compiled(), callbacks.RemoteMonitor(root), epochs=1)
