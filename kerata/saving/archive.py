"""`save_model` and `load_model`: the `.keras` archive.

It is a zip file of `metadata.json`, `config.json`, `model.weights.h5` and the files that layers
keep beside their weights (`assets/`: vocabularies), or with `zipped=False` a folder of these.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

from kerata._version import __version__
from kerata.core.serialization import CustomObjectScope, deserialize_object, serialize_object
from kerata.core.serialization import _unsafe as unsafe
from kerata.models.model import Model
from kerata.saving import files, orbax
from kerata.saving.container import ASSETS, CHUNK, CONFIG, METADATA, WEIGHTS, Container, opened
from kerata.saving.tree import saveables
from kerata.saving.weights import read_hdf5, read_state, write_state
from kerata.training.trainer import Trainer


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Write a model to a `.keras` file: its config, its weights, and its optimizer's state.

    The file appears whole or not at all: a save that fails or is interrupted leaves an older file
    as it was.

    Args:
        model: a model or layer.
        filepath: ends in ".keras".
        overwrite: whether an existing file is replaced.
        zipped: False for a folder instead, of any name.

    Raises:
        ValueError: `filepath` has another ending.
        TypeError: something in the model can't be put into a config.
        FileNotFoundError: its folder does not exist.
        FileExistsError: it exists, and `overwrite` is False.

    >>> import tempfile, kerata
    >>> model = kerata.Sequential([kerata.Input((4,)), kerata.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, f"{folder}/model.keras")
    ...     load_model(f"{folder}/model.keras").output_shape
    (None, 2)
    """
    if kwargs:
        raise TypeError(f"save_model: unknown argument(s) {', '.join(map(repr, kwargs))}")
    if zipped is False:
        path = files.writable(pathlib.Path(os.path.realpath(os.fspath(filepath))), overwrite)
        _check_folder(path)
    else:
        path = files.target(filepath, (files.MODEL,), overwrite)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    texts = {
        METADATA: json.dumps({"kerata_version": __version__, "date_saved": now}),
        CONFIG: json.dumps(serialize_object(model)),
    }
    if zipped is False:
        _write_folder(model, path, texts)
    else:
        _write_zip(model, path, texts)


def _write_zip(model: Any, path: pathlib.Path, texts: dict[str, str]) -> None:
    with files.replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        with tempfile.TemporaryFile(dir=path.parent) as weights:
            write_state(model, weights)
            weights.seek(0)
            with archive.open(WEIGHTS, "w", force_zip64=True) as entry:
                shutil.copyfileobj(weights, entry, CHUNK)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            for file in _write_assets(model, pathlib.Path(folder)):
                archive.write(file, file.relative_to(folder).as_posix())


def _write_folder(model: Any, path: pathlib.Path, texts: dict[str, str]) -> None:
    with files.replacing_folder(path) as folder:
        for name, text in texts.items():
            (folder / name).write_text(text)
        write_state(model, folder / WEIGHTS)
        _write_assets(model, folder)


def _write_assets(model: Any, folder: pathlib.Path) -> list[pathlib.Path]:
    """Let everything in `model` that has files of its own (vocabularies) write them below `folder`.

    Returns:
        the files.
    """
    for owner, value in saveables(model).items():
        if hasattr(value, "save_assets"):
            own = folder / ASSETS / owner
            own.mkdir(parents=True, exist_ok=True)
            value.save_assets(own)
    return sorted(p for p in folder.rglob(f"{ASSETS}/**/*") if p.is_file())


def _read_assets(model: Any, source: Container) -> None:
    for owner, value in saveables(model).items():
        if hasattr(value, "load_assets"):
            with tempfile.TemporaryDirectory() as folder:
                if source.copy_assets(owner, pathlib.Path(folder)):
                    value.load_assets(folder)


def _check_folder(path: pathlib.Path) -> None:
    if not path.exists():
        return
    own = {METADATA, CONFIG, WEIGHTS, ASSETS}
    if not path.is_dir() or {p.name for p in path.iterdir()} - own:
        raise FileExistsError(f"{path} exists, and is no folder of a saved model to replace")


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model that `save_model` wrote, as it was: training goes on where it stopped.

    No code out of the file is run, and nothing but it is read.

    Args:
        filepath: a `.keras` file, a folder that `save_model(zipped=False)` made, or one of
            checkpoints of `kerata.callbacks.OrbaxCheckpoint`, whose latest is taken.
        custom_objects: classes and functions that are not registered, by the names in the config.
        compile: whether the model is compiled as the saved one was.
        safe_mode: False lets the Python code of lambdas in the file run: only for files you trust.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no archive of a model, is damaged, or holds code and `safe_mode` is True.
        TypeError: its config names a class or function that is not known.
    """
    path = files.existing(filepath)
    if path.is_file() and not path.name.endswith(files.MODEL):
        hint = ". Weights alone are read by model.load_weights" if path.suffix == ".h5" else ""
        raise ValueError(
            f"{filepath} can't be loaded: models are {files.MODEL} files, or folders that hold one "
            f"unzipped{hint}"
        )
    step = orbax.step_in(path)
    if step is not None:
        config = orbax.config_of(step)
        model = _from_config(config, str(filepath), custom_objects, compile, safe_mode)
        orbax.load_state(model, step)
        return model
    with opened(path) as source:
        config = source.json(CONFIG)
        model = _from_config(config, str(filepath), custom_objects, compile, safe_mode)
        _read_assets(model, source)
        with source.weights() as file, read_hdf5(file, path) as found:
            read_state(model, found, str(filepath))
    return model


def _from_config(
    config: Any,
    source: str,
    custom_objects: Mapping[str, Any] | None,
    compile: bool,
    safe_mode: bool,
) -> Any:
    """The model of a config, compiled as it says; arguments as those of `load_model`."""
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"{CONFIG} in {source} is no config of a model")
    compiled_with = config.pop("compile_config", None)
    known = {"Functional": Model, **(custom_objects or {})}
    config = config if compile else _not_compiled(config)
    model = deserialize_object(config, known, safe_mode)
    if compile and compiled_with:
        with CustomObjectScope(known), unsafe(not safe_mode):
            _compile(model, compiled_with)
    return model


def _not_compiled(config: Any) -> Any:
    """`config` without what models in it were compiled with."""
    if isinstance(config, list):
        return [_not_compiled(c) for c in config]
    if not isinstance(config, dict):
        return config
    return {k: _not_compiled(v) for k, v in config.items() if k != "compile_config"}


def _compile(model: Any, config: dict[str, Any]) -> None:
    cls = type(model)
    if (
        cls.compile is not Trainer.compile
        and cls.compile_from_config is Trainer.compile_from_config
    ):
        warnings.warn(
            f"{cls.__name__} has its own compile(), so the loaded model is not compiled. Call "
            "compile, or give the class get_compile_config() and compile_from_config(config).",
            stacklevel=3,
        )
        return
    try:
        model.compile_from_config(config)
    except Exception as error:
        error.add_note("while compiling the loaded model; compile=False loads it without")
        raise
