"""Saving is all or nothing, and bad paths are named."""

import os

import h5py
import numpy as np
import pytest

from kerata import models, saving
from tests.saving.models import stacked


class Interrupted(BaseException):
    """Stands for Ctrl-C, or for a full disk."""


def at_the_third_variable(monkeypatch):
    made = []
    create = h5py.Group.create_dataset

    def create_dataset(self, *args, **kwargs):
        made.append(args)
        if len(made) == 3:
            raise Interrupted
        return create(self, *args, **kwargs)

    monkeypatch.setattr(h5py.Group, "create_dataset", create_dataset)


def at_the_flush(monkeypatch):
    def fsync(handle):
        raise Interrupted

    monkeypatch.setattr(os, "fsync", fsync)


def at_the_rename(monkeypatch):
    def replace(source, target):
        raise Interrupted

    monkeypatch.setattr(os, "replace", replace)


MOMENTS = [at_the_third_variable, at_the_flush, at_the_rename]
FORMS = {
    "model.keras": lambda model, path: model.save(path),
    "model": lambda model, path: model.save(path, zipped=False),
    "model.weights.h5": lambda model, path: model.save_weights(path),
    "model.weights.json": lambda model, path: model.save_weights(path, max_shard_size=1e-7),
}


def contents(folder):
    """Every file below `folder` with its bytes."""
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("form", FORMS)
def test_interrupted_save_leaves_the_old_file_and_nothing_else(form, moment, tmp_path, monkeypatch):
    FORMS[form](stacked(), tmp_path / form)
    before = contents(tmp_path)
    with monkeypatch.context() as patched:
        moment(patched)
        with pytest.raises(Interrupted):
            FORMS[form](stacked(), tmp_path / form)
    assert contents(tmp_path) == before
    FORMS[form](stacked(), tmp_path / form)
    assert contents(tmp_path).keys() == before.keys() and contents(tmp_path) != before


@pytest.mark.parametrize("form", FORMS)
def test_interrupted_first_save_leaves_nothing(form, tmp_path, monkeypatch):
    at_the_third_variable(monkeypatch)
    with pytest.raises(Interrupted):
        FORMS[form](stacked(), tmp_path / form)
    assert not list(tmp_path.iterdir())


def test_model_that_has_no_config_leaves_nothing(tmp_path):
    model = stacked()
    model.layers[0].activation = object()
    model.get_config = lambda: {"thing": object()}
    with pytest.raises(TypeError, match="can't be put into a config"):
        model.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", FORMS)
def test_overwrite_false(form, tmp_path):
    path = tmp_path / form
    FORMS[form](stacked(), path)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match=form):
        if "weights" in form:
            shard = 1e-7 if form.endswith("json") else None
            stacked().save_weights(path, overwrite=False, max_shard_size=shard)
        else:
            stacked().save(path, overwrite=False, zipped=None if form != "model" else False)
    assert contents(tmp_path) == before


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no folder of a saved model"):
        stacked().save(tmp_path / "data", zipped=False)
    assert (tmp_path / "data" / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["model.txt", "model", "model.h5", "model.weights.h5"])
def test_wrong_extension_of_a_model(name, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        stacked().save(tmp_path / name)
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(ValueError, match=r"models are \.keras files"):
        models.load_model(tmp_path / name)


def test_wrong_extension_of_weights(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5"):
        stacked().save_weights(tmp_path / "model.h5")
    (tmp_path / "model.npz").write_bytes(b"something")
    with pytest.raises(ValueError, match=r"their names end in \.weights\.h5"):
        stacked().load_weights(tmp_path / "model.npz")


def test_missing_folders_and_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone does not exist"):
        stacked().save(tmp_path / "gone" / "model.keras")
    with pytest.raises(FileNotFoundError, match="gone does not exist"):
        models.load_model(tmp_path / "gone" / "model.keras")
    with pytest.raises(FileNotFoundError, match=r"no file .*model\.weights\.h5"):
        stacked().load_weights(tmp_path / "model.weights.h5")
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder\.keras"):
        stacked().save(tmp_path / "folder.keras")


def test_unknown_arguments(tmp_path):
    with pytest.raises(TypeError, match="save_format"):
        saving.save_model(stacked(), tmp_path / "model.keras", save_format="tf")
    with pytest.raises(TypeError, match="by_name"):
        stacked().load_weights(tmp_path / "model.weights.h5", by_name=True)


def test_links_and_permissions_are_kept(tmp_path):
    target, link = tmp_path / "target.keras", tmp_path / "link.keras"
    stacked().save(target)
    target.chmod(0o640)
    link.symlink_to(target)
    before = target.read_bytes()
    stacked().save(link)
    assert link.is_symlink() and target.read_bytes() != before
    assert target.stat().st_mode & 0o777 == 0o640


def test_paths_may_be_strings(tmp_path):
    model = stacked()
    model.save(str(tmp_path / "model.keras"))
    loaded = models.load_model(str(tmp_path / "model.keras"))
    for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
