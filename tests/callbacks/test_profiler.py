"""`Profiler`: where the time goes."""

from __future__ import annotations

import time

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.callbacks import Callback, Profiler

X = np.ones((40, 3), "float32")
Y = np.ones((40, 1), "float32")


class Batches:
    """Ten batches, each of which takes a while."""

    def __len__(self):
        return 10

    def __iter__(self):
        for i in range(0, 40, 4):
            time.sleep(0.01)
            yield X[i : i + 4], Y[i : i + 4]


class Slow(Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.05)


def compiled():
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_each_phase_is_measured(training_backend, capsys):
    profiler, model = Profiler(), compiled()
    history = model.fit(
        Batches(), epochs=2, verbose=0, validation_data=(X, Y), callbacks=[profiler, Slow()]
    )
    first, second = profiler.epochs
    assert second["data"] > 0.03  # the rest is prepared in the background
    assert 0.05 < second["callbacks"] < second["total"]
    assert profiler.callbacks["Slow"] > 0.1
    assert first["validation"] > 0 and second["steps"] > 0
    for epoch in profiler.epochs:
        parts = sum(v for k, v in epoch.items() if k != "total")
        assert parts <= epoch["total"] * 1.001
    if history.compilations:
        assert first["compiling"] > 0 and second["compiling"] == 0
    text = capsys.readouterr().out
    assert "Seconds of training" in text and "Slow" in text


def test_it_changes_nothing(training_backend):
    kerata.utils.set_random_seed(1)
    plain = compiled().fit(X, Y, epochs=2, verbose=0).history
    kerata.utils.set_random_seed(1)
    listed = compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[Profiler(verbose=0)])
    assert listed.history == plain
    assert not kerata.callbacks.CallbackList(Profiler()).wants_batches("train")


@pytest.mark.slow
def test_the_engine_traces_some_steps(training_backend, tmp_path):
    profiler = Profiler(verbose=0, trace=tmp_path, wait=2, active=2)
    compiled().fit(X, Y, batch_size=4, verbose=0, callbacks=[profiler])
    names = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert any(n.endswith((".xplane.pb", ".trace.json")) for n in names), names


def test_wrong_arguments():
    with pytest.raises(ValueError, match="wait must be at least 0 and active at least 1; got 1 an"):
        Profiler(active=0)
