"""`save_model` and `load_model`: the `.keras` archive.

It is a zip file of `metadata.json`, `config.json` and `model.weights.h5`, or with `zipped=False` a
folder of these.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import pathlib
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from kerata._version import __version__
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.models.model import Model
from kerata.saving import files
from kerata.saving.weights import read_hdf5, read_state, write_state
from kerata.training.trainer import Trainer

_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_NAMES = (_METADATA, _CONFIG, _WEIGHTS)
_LARGEST_JSON = 1 << 30
_CHUNK = 1 << 20


# Writing


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Write a model to a `.keras` file: its config, its weights, and its optimizer's state.

    The file appears whole or not at all: a save that fails or is interrupted leaves an older file as
    it was.

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

    Example:
        >>> save_model(model, "digits.keras")
        >>> model = load_model("digits.keras")
    """
    if kwargs:
        raise TypeError(f"save_model: unknown argument(s) {', '.join(map(repr, kwargs))}")
    if zipped is False:
        path = files.writable(pathlib.Path(os.path.realpath(os.fspath(filepath))), overwrite)
        _check_folder(path)
        texts = _texts(model)
        with files.replacing_folder(path) as folder:
            for name, text in texts.items():
                (folder / name).write_text(text)
            write_state(model, folder / _WEIGHTS)
        return
    path = files.target(filepath, (files.MODEL,), overwrite)
    texts = _texts(model)
    with files.replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        with tempfile.TemporaryFile(dir=path.parent) as weights:
            write_state(model, weights)
            weights.seek(0)
            with archive.open(_WEIGHTS, "w", force_zip64=True) as entry:
                shutil.copyfileobj(weights, entry, _CHUNK)


def _check_folder(path: pathlib.Path) -> None:
    if path.exists() and not (path.is_dir() and {p.name for p in path.iterdir()} <= {*_NAMES}):
        raise FileExistsError(f"{path} exists and is no folder of a saved model: it is not replaced")


def _texts(model: Any) -> dict[str, str]:
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"kerata_version": __version__, "date_saved": now}
    return {_METADATA: json.dumps(metadata), _CONFIG: json.dumps(serialize_object(model))}


# Reading


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model that `save_model` wrote, as it was: training goes on where it stopped.

    No code out of the file is run, and nothing but it is read.

    Args:
        filepath: a `.keras` file, or a folder that `save_model(zipped=False)` made.
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
    with opened(path) as source:
        config = source.json(_CONFIG)
        if not isinstance(config, dict) or "class_name" not in config:
            raise ValueError(f"{_CONFIG} in {filepath} is no config of a model")
        compiled_with = config.pop("compile_config", None)
        known = {"Functional": Model, **(custom_objects or {})}
        model = deserialize_object(config, known, safe_mode)
        if compile and compiled_with:
            _compile(model, compiled_with, known, safe_mode)
        with source.weights() as file, read_hdf5(file, path) as found:
            read_state(model, found, str(filepath))
    return model


def _compile(
    model: Any, config: dict[str, Any], known: Mapping[str, Any], safe_mode: bool
) -> None:
    cls = type(model)
    own = cls.compile is not Trainer.compile
    if own and cls.compile_from_config is Trainer.compile_from_config:
        warnings.warn(
            f"{cls.__name__} has its own compile(), so the loaded model is not compiled. Call "
            "compile, or give the class get_compile_config() and compile_from_config(config).",
            stacklevel=3,
        )
        return
    try:
        with _scoped(known, safe_mode):
            model.compile_from_config(config)
    except Exception as error:
        error.add_note("while compiling the loaded model; compile=False loads it without")
        raise


@contextlib.contextmanager
def opened(path: pathlib.Path) -> Iterator[Archive]:
    """The archive, or the folder, at `path`.

    Raises:
        ValueError: it is no zip file, or a damaged one.
    """
    if path.is_dir():
        yield Archive(path, None)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield Archive(path, archive)
    except zipfile.BadZipFile as error:
        with open(path, "rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
        fault = "is damaged, or was cut off" if is_zip else "is no zip archive"
        raise ValueError(f"{path} {fault}: {error}") from error


class Archive:
    """The parts of a saved model, read by their names."""

    def __init__(self, path: pathlib.Path, archive: zipfile.ZipFile | None) -> None:
        self._path = path
        self._archive = archive

    def _missing(self, name: str) -> ValueError:
        return ValueError(f"{self._path} has no {name}: it is no saved model")

    def _info(self, name: str) -> zipfile.ZipInfo:
        assert self._archive is not None
        try:
            return self._archive.getinfo(name)
        except KeyError:
            raise self._missing(name) from None

    def json(self, name: str) -> Any:
        """What a JSON file in it holds."""
        if self._archive is None:
            if not (self._path / name).is_file():
                raise self._missing(name)
            text = (self._path / name).read_bytes()
        else:
            info = self._info(name)
            if info.file_size > _LARGEST_JSON:
                raise ValueError(f"{name} in {self._path} claims {info.file_size} bytes")
            text = self._archive.read(info)
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValueError(f"{name} in {self._path} is no readable JSON: {error}") from error

    @contextlib.contextmanager
    def weights(self) -> Iterator[BinaryIO]:
        """The file of weights, open, its checksum verified."""
        if self._archive is None:
            if not (self._path / _WEIGHTS).is_file():
                raise self._missing(_WEIGHTS)
            with open(self._path / _WEIGHTS, "rb") as file:
                yield file
            return
        info = self._info(_WEIGHTS)
        stored = info.compress_type == zipfile.ZIP_STORED
        with contextlib.ExitStack() as stack:
            out = None if stored else stack.enter_context(tempfile.TemporaryFile())
            entry = stack.enter_context(self._archive.open(info))
            size = 0
            while part := entry.read(_CHUNK):
                size += len(part)
                if size > info.file_size:
                    raise ValueError(f"{_WEIGHTS} in {self._path} is larger than it claims")
                if out is not None:
                    out.write(part)
            ...
