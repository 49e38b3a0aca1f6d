"""The examples run, on every backend that trains."""

import importlib.util
import pathlib
import re
import subprocess
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
def test_self_supervised(training_backend, monkeypatch, tmp_path, capsys):
    picture = tmp_path / "masked.png"
    arguments = ("--backend", training_backend, "--epochs", 30, "--picture", picture)
    run(monkeypatch, "self_supervised", *arguments)
    error, mean = numbers(r"new images: ([\d.]+); of the mean image: ([\d.]+)", capsys)
    assert error < mean
    assert picture.stat().st_size > 5000


@pytest.mark.slow
def test_contrastive(training_backend, monkeypatch, capsys):
    run(monkeypatch, "contrastive", "--backend", training_backend, "--epochs", 2)
    first, last = numbers(r"Loss: ([\d.]+) at first, ([\d.]+) at last", capsys)
    assert last < first < 5.6  # chance: the logarithm of 255


@pytest.mark.slow
def test_distillation(training_backend, monkeypatch, capsys):
    run(monkeypatch, "distillation", "--backend", training_backend, "--epochs", 6)
    (accuracy,) = numbers(r"Student: 512 weights, accuracy ([\d.]+)", capsys)
    assert accuracy > 0.5


def numbers(pattern, capsys):
    """What the pattern finds in the output."""
    return map(float, re.search(pattern, capsys.readouterr().out).groups())


@plotted
@pytest.mark.slow
def test_digits(monkeypatch, tmp_path, capsys):
    picture = tmp_path / "digits.png"
    with kerata.use_backend(kerata.backends.backends(training=True)[0]):
        run(monkeypatch, "digits", "--picture", picture)
    out = capsys.readouterr().out
    assert "identical predictions: True" in out
    assert picture.stat().st_size > 20000


def test_text_from_strings(training_backend, monkeypatch, capsys):
    run(monkeypatch, "text_from_strings", "--backend", training_backend, "--epochs", 5)
    accuracy, chance = numbers(r"accuracy ([\d.]+); always the largest topic: ([\d.]+)", capsys)
    assert accuracy > 0.8 > chance


def test_text_from_strings_with_jax_alone():
    """TensorFlow and torch are out of reach; hashes and sparse features work without them too."""
    pytest.importorskip("jax")
    code = f"""
import runpy, sys
sys.modules["tensorflow"] = sys.modules["torch"] = None
sys.argv = ["text", "--backend", "jax", "--epochs", "5"]
runpy.run_path({str(FOLDER / "text_from_strings.py")!r}, run_name="__main__")
from kerata import layers
words = ["a", "b"]
layers.HashedCrossing(9)([layers.Hashing(9)(words), words])
counts = layers.TextVectorization(vocabulary=words, output_mode="count", sparse=True)(["a b", "b b"])
print(layers.Dense(2)(counts).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(re.search(r"accuracy ([\d.]+)", done.stdout).group(1)) > 0.8
    assert "(2, 2)" in done.stdout


def test_feature_space(training_backend, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    run(monkeypatch, "feature_space", "--backend", training_backend, "--epochs", 20)
    out = capsys.readouterr().out
    assert float(re.search(r"patients: ([\d.]+) of", out).group(1)) > 0.3
    assert "predicts the same: True" in out


@pytest.mark.slow
def test_image_augmentation(training_backend, monkeypatch, capsys):
    run(monkeypatch, "image_augmentation", "--backend", training_backend, "--epochs", 40)
    out = capsys.readouterr().out
    accuracies = re.findall(r"accuracy with(?:out)? augmentation: ([\d.]+)", out)
    assert min(map(float, accuracies)) > 0.6  # chance: 0.1
    assert "predicts the same: True" in out
    assert out.count("#") > 30  # the mask
