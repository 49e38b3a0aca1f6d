"""Progress in a terminal, a notebook and a log file."""

from __future__ import annotations

import io
import re
import sys
import types

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.callbacks import progress

X = np.ones((40, 3), "float32")
Y = np.ones((40, 1), "float32")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def compiled():
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def shown(monkeypatch, stream, **options):
    """What stands on a screen in the end, and all that was drawn."""
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    monkeypatch.setattr(sys, "stdout", stream)
    compiled().fit(X, Y, **{"batch_size": 4, "epochs": 2, **options})
    monkeypatch.undo()
    text = stream.getvalue()
    return [line.split("\r")[-1].rstrip() for line in text.rstrip().split("\n")], text


def test_a_terminal(training_backend, monkeypatch):
    lines, text = shown(monkeypatch, Terminal(), validation_data=(X, Y))
    full = "10/10 " + "━" * 14
    assert [line[:20] for line in lines] == ["Epoch 1/2", full, "Epoch 2/2", full]
    assert re.search(r"  [\d.]+ (ms|µs)/step  [\d,]+ samples/s  ", lines[3])
    assert "loss: " in lines[3] and "mae: " in lines[3] and "val_mae: " in lines[3]
    drawn = text.split("\r")
    assert any(" 3/10 ━━━━━━━ " in d and "s left" in d for d in drawn)
    assert any("validating, step 2" in d for d in drawn)
    assert all(len(d) < 80 for d in drawn if "\n" not in d)  # what wraps can't be drawn over


def test_compiling_is_shown_as_such(training_backend, monkeypatch):
    lines, _ = shown(monkeypatch, Terminal())
    model = compiled()
    model.fit(X, Y, verbose=0)
    compiles = model.compile_seconds > 0.05
    assert ("compiled in " in lines[1]) == compiles
    assert "compiled in " not in lines[3]


def test_the_time_of_a_step_is_without_compiling(monkeypatch):
    class Model:
        compile_seconds = 0.0

    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    model = Model()
    pace = progress._Pace(model)
    now[0], model.compile_seconds = 103.5, 3.0  # the first call: compiled, and read
    pace.took(1)
    now[0] = 104.5
    pace.took(11)
    assert pace.a_step() == pytest.approx(0.1)
    assert pace.compiling() == 3.0
    now[0], model.compile_seconds = 107.5, 5.0  # a short batch compiles again
    pace.took(21)
    assert pace.a_step() == pytest.approx(0.1)
    pace.end()
    now[0] = 200.0
    assert pace.a_step() == pytest.approx(0.1)  # validation does not count


def test_a_notebook(training_backend, monkeypatch):
    """A cell: no terminal, no escape codes, and no width that lines are cut to."""
    Cell = types.new_class("OutStream", (io.StringIO,))
    Cell.__module__ = "ipykernel.iostream"
    monkeypatch.setenv("COLUMNS", "30")
    lines, text = shown(monkeypatch, Cell())
    assert "10/10 ━" in lines[1] and "samples/s" in lines[1]
    assert "\r" in text and "\x1b" not in text
    assert max(map(len, text.split("\r"))) > 30


@pytest.mark.parametrize(("verbose", "stream"), [(1, io.StringIO), (2, Terminal)])
def test_a_line_an_epoch(training_backend, monkeypatch, verbose, stream):
    lines, text = shown(monkeypatch, stream(), verbose=verbose)
    assert "\r" not in text and len(lines) == 2
    assert re.match(r"Epoch 1/2  [\d.]+s \([\d.]+s left\)  [\d.]+ \w+/step  [\d,]+ samp", lines[0])
    assert re.match(r"Epoch 2/2  [\d.]+s  ", lines[1])


def test_an_encoding_without_bars(training_backend, monkeypatch):
    class Plain(Terminal):
        encoding = "ascii"

    _, text = shown(monkeypatch, Plain())
    assert "10/10 ====" in text
    text.encode("ascii")


def test_no_bars_where_logging_is_not_interactive(training_backend, monkeypatch):
    kerata.config.disable_interactive_logging()
    try:
        lines, text = shown(monkeypatch, Terminal())
    finally:
        kerata.config.enable_interactive_logging()
    assert len(lines) == 2 and "\r" not in text


def test_evaluate_and_predict(training_backend, capsys):
    model = compiled()
    model.evaluate(X, Y)
    model.predict(X)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Evaluated  ") and "loss: " in first
    assert second.startswith("Predicted  ") and "samples/s" in second


def test_data_of_unknown_length(training_backend, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    monkeypatch.setattr(sys, "stdout", stream)
    model = compiled()
    model.fit((X[:4], Y[:4]) for _ in range(3))
    monkeypatch.undo()
    last = stream.getvalue().rstrip().split("\n")[-1].split("\r")[-1]
    assert last.startswith("3") and "/step" in last and "samples/s" not in last


def test_history_says_how_long_compiling_took(training_backend):
    history = compiled().fit(X, Y, verbose=0)
    assert (history.compile_seconds > 0) == bool(history.compilations)


@pytest.mark.parametrize("verbose", [3, "loud", None])
def test_an_unknown_verbosity_is_refused(training_backend, verbose):
    with pytest.raises(ValueError, match=r"verbose must be 'auto', 0, 1 or 2; got "):
        compiled().fit(X, Y, verbose=verbose)
