"""`Progbar` against Keras'."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

import kerata

CASES = [
    {},
    {"stateful_metrics": ["a"]},
    {"stateless_metrics": ["a"]},
    {"verbose": 2},
    {"verbose": 2, "unit_name": "sample"},
    {"verbose": 0},
]


def values(library, monkeypatch, **options):
    """The values of every line that was drawn."""
    if library is kerata:
        monkeypatch.setattr("kerata.utils.progbar.moves", lambda: True)
        monkeypatch.setenv("COLUMNS", "200")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        bar = library.utils.Progbar(4, interval=0, **options)
        bar.update(1, [("a", 1.0), ("b", 10.0)])
        bar.update(3, [("a", 4.0), ("b", 0)])
        bar.add(1, [("a", 2.0), ("b", 1e-5)])
    lines = [x for x in re.split(r"[\r\n]+", out.getvalue()) if x.strip("\b ")]
    return [[(n, float(v)) for n, v in re.findall(r"(\w): ([\d.e+-]+)", line)] for line in lines]


@pytest.mark.oracle
@pytest.mark.parametrize("options", CASES)
def test_the_values_are_keras(keras, monkeypatch, options):
    ours = values(kerata, monkeypatch, **options)
    assert ours == values(keras, monkeypatch, **options)
    assert (not ours) == (options.get("verbose") == 0)


def test_the_line(capsys):
    bar = kerata.utils.Progbar(8, verbose=2, unit_name="file")
    bar.update(8, [("loss", 2.0)])
    assert re.fullmatch(r"8/8  0\.0s  [\d.]+ \w+/file  loss: 2\.0000\n", capsys.readouterr().out)


def test_an_unknown_target(capsys):
    bar = kerata.utils.Progbar(None)
    bar.add(2, [("a", 1.0)])
    bar.update(3, [("a", 4.0)], finalize=True)
    assert "3/Unknown" in capsys.readouterr().out
