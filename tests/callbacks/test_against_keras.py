"""Callbacks against Keras': the order of the hooks and what they are given, and what `mode="auto"`
means for each metric."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import kerata
from kerata.callbacks.early_stopping import direction

# Runs with either library, and prints what it saw.
SCRIPT = """
import inspect, json, sys, importlib
import numpy as np
lib = importlib.import_module(sys.argv[1])
calls = []

class Spy(lib.callbacks.Callback):
    pass

def hook(name):
    base = getattr(lib.callbacks.Callback, name)
    def call(self, *args, **kwargs):
        logs = args[-1] if args and not isinstance(args[-1], int) else kwargs.get("logs")
        number = [a for a in args if isinstance(a, int)]
        calls.append([name, number, sorted(logs or {})])
        return base(self, *args, **kwargs)
    return call

for name in dir(lib.callbacks.Callback):
    if name.startswith("on_"):
        setattr(Spy, name, hook(name))
x = np.linspace(-1, 1, 24, dtype="float32").reshape(12, 2)
y = x.sum(1, keepdims=True)
model = lib.Sequential([lib.Input((2,)), lib.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
found = {}
def run(name, method, *args, **kwargs):
    calls.clear()
    method(*args, verbose=0, batch_size=4, callbacks=[Spy()], **kwargs)
    found[name] = list(calls)

run("fit", model.fit, x, y, epochs=2, validation_data=(x, y), initial_epoch=1)
run("seldom", model.fit, x, y, epochs=3, validation_data=(x, y), validation_freq=2)
run("evaluate", model.evaluate, x, y)
run("predict", model.predict, x)

class Stop(Spy):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        self.model.stop_training = batch == 1

calls.clear()
model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=[Stop()])
found["stop"] = list(calls)
print(json.dumps(found))
"""


def seen(library, backend):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, library],
        env={**os.environ, "KERAS_BACKEND": backend, "KERATA_BACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.oracle
@pytest.mark.slow
def test_hooks_come_in_keras_order_with_keras_logs(keras):
    pytest.importorskip("torch")
    ours, theirs = seen("kerata", "torch"), seen("keras", "torch")
    for name, calls in theirs.items():
        assert ours[name] == calls, name


def metrics_of(library):
    return {n: c for n, c in vars(library.metrics).items() if inspect.isclass(c)}


@pytest.mark.oracle
def test_metrics_know_keras_directions(keras):
    theirs, checked = metrics_of(keras), 0
    for name, ours in metrics_of(kerata).items():
        if name not in theirs:
            continue
        signature = inspect.signature(theirs[name])
        needed = {
            n: 0.5 if "precision" in n or "recall" in n or n.endswith("ity") else 2
            for n, p in signature.parameters.items()
            if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
        }
        if "target_class_ids" in needed:
            needed["target_class_ids"] = [0]
        if "fn" in needed:
            needed["fn"] = lambda a, b: a
        wanted = getattr(theirs[name](**needed), "_direction", None)
        assert ours._direction == wanted, name
        checked += 1
    assert checked > 40


@pytest.mark.parametrize(
    ("monitor", "metrics", "grows"),
    [
        ("loss", [], False),
        ("val_loss", [], False),
        ("val_mae", ["mae"], False),
        ("accuracy", ["accuracy"], True),
        ("area", [kerata.metrics.AUC(name="area")], True),
        ("mean_squared_error", [kerata.losses.mean_squared_error], False),
        ("second_r2_score", [kerata.metrics.R2Score()], True),
        ("missed", [kerata.metrics.FalseNegatives(name="missed")], None),
        ("own", [kerata.metrics.MeanMetricWrapper(lambda a, b: a, name="own")], None),
        ("unknown", [], None),
    ],
)
def test_auto_goes_by_the_metric(monitor, metrics, grows):
    with kerata.use_backend("numpy"):
        model = kerata.Sequential([kerata.Input((2,)), kerata.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=metrics)
        model.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        better = direction(monitor, "auto", model)
    if grows is None:
        with pytest.raises(ValueError, match=f"Whether '{monitor}' is better .* is not known: giv"):
            better(1, 0)
    else:
        assert better(1, 0) == grows
