"""The examples run, on every backend that trains."""

import importlib.util
import pathlib
import sys

import pytest

import kerata

FOLDER = pathlib.Path(__file__).parents[2] / "examples"
plotted = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="the pictures need matplotlib"
)


def run(monkeypatch, name, *arguments):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    module.main()


@plotted
def test_gan(training_backend, monkeypatch, tmp_path, capsys):
    picture = tmp_path / "gan.png"
    run(monkeypatch, "gan", "--backend", training_backend, "--epochs", 25, "--picture", picture)
    assert picture.stat().st_size > 5000
    assert "epoch 25: generator" in capsys.readouterr().out


@plotted
@pytest.mark.slow
def test_digits(monkeypatch, tmp_path, capsys):
    picture = tmp_path / "digits.png"
    with kerata.use_backend(kerata.backends.backends(training=True)[0]):
        run(monkeypatch, "digits", "--picture", picture)
    out = capsys.readouterr().out
    assert "identical predictions: True" in out
    assert picture.stat().st_size > 20000
