"""Archives that are damaged, cut off, packed anew or made to deceive."""

import json
import zipfile

import numpy as np
import pytest

from kerata import models
from tests.saving.models import data, filled, stacked

PARTS = ["metadata.json", "config.json", "model.weights.h5"]


@pytest.fixture
def saved(tmp_path):
    """A model and the path of its archive."""
    model = filled(stacked())
    model.save(tmp_path / "model.keras")
    return model, tmp_path / "model.keras"


def repacked(path, parts, **options):
    """The archive at `path` written again with these parts."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def parts_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in PARTS}


def test_no_archive(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"hello" * 100)
    with pytest.raises(ValueError, match="is no zip file"):
        models.load_model(tmp_path / "model.keras")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_off(saved, share):
    _, path = saved
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match="was cut off"):
        models.load_model(path)


def test_changed_bytes(saved):
    model, path = saved
    content = bytearray(path.read_bytes())
    place = content.find(model.get_weights()[0].tobytes())
    assert place > 0
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        models.load_model(path)


@pytest.mark.parametrize("missing", PARTS[1:])
def test_missing_part(saved, missing):
    _, path = saved
    repacked(path, {n: c for n, c in parts_of(path).items() if n != missing})
    with pytest.raises(ValueError, match=f"has no {missing}"):
        models.load_model(path)


@pytest.mark.parametrize("config", [b"{not json", b"[]", b"{}", b'"text"', b"\xff\xfe"])
def test_no_config(saved, config):
    _, path = saved
    repacked(path, {**parts_of(path), "config.json": config})
    with pytest.raises(ValueError, match=r"config\.json"):
        models.load_model(path)


def with_units(path, units):
    """The config in the archive at `path`, its last layer with other units."""
    config = json.loads(parts_of(path)["config.json"])
    config["config"]["layers"][-1]["config"]["units"] = units
    return json.dumps(config).encode()


def test_weights_of_another_model(saved):
    _, path = saved
    repacked(path, {**parts_of(path), "config.json": with_units(path, 7)})
    with pytest.raises(ValueError, match=r"'kernel' of the shape \(5, 7\) and the file \(5, 2\)"):
        models.load_model(path)


def test_sizes_that_the_config_claims_are_not_allocated(saved):
    _, path = saved
    repacked(path, {**parts_of(path), "config.json": with_units(path, 10**13)})
    with pytest.raises(ValueError, match="10000000000000"):
        models.load_model(path)


def test_packed_anew_and_compressed(saved):
    model, path = saved
    repacked(path, parts_of(path), compression=zipfile.ZIP_DEFLATED)
    loaded = models.load_model(path)
    np.testing.assert_array_equal(
        loaded.predict(data(), verbose=0), model.predict(data(), verbose=0)
    )


def test_archive_behind_other_bytes(saved):
    model, path = saved
    path.write_bytes(b"#!/bin/sh\n" * 50 + path.read_bytes())
    loaded = models.load_model(path)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_nothing_is_extracted(saved, tmp_path, monkeypatch):
    _, path = saved
    repacked(path, {**parts_of(path), "../evil.py": b"1/0", "/tmp/evil.py": b"1/0"})
    monkeypatch.setattr(zipfile.ZipFile, "extractall", None)
    monkeypatch.setattr(zipfile.ZipFile, "extract", None)
    models.load_model(path)
    assert not (tmp_path.parent / "evil.py").exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "builtins", "class_name": "eval", "config": {}},
        {"module": "kerata.saving.files", "class_name": "os", "config": {}},
        {"module": "kerata.layers", "class_name": "Missing", "config": {}},
    ],
)
def test_other_classes_are_not_made(saved, entry):
    _, path = saved
    config = json.loads(parts_of(path)["config.json"])
    config["config"]["layers"].append({**entry, "registered_name": None})
    repacked(path, {**parts_of(path), "config.json": json.dumps(config).encode()})
    with pytest.raises(TypeError, match="not known"):
        models.load_model(path)
