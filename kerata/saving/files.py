"""Files that appear whole or not at all, and the checks of their paths."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

MODEL = ".keras"
WEIGHTS = ".weights.h5"
SHARDS = ".weights.json"


def target(filepath: Any, suffixes: tuple[str, ...], overwrite: bool) -> pathlib.Path:
    """`filepath` as a path that may be written, links in it followed.

    Raises:
        ValueError: it has another ending.
        FileNotFoundError: its folder does not exist.
        FileExistsError: it exists, and `overwrite` is False.
        IsADirectoryError: it is a folder.
    """
    path = pathlib.Path(os.path.realpath(os.fspath(filepath)))
    if not path.name.endswith(suffixes):
        raise ValueError(
            f"{filepath} must end in {' or '.join(suffixes)}. A whole model goes into a {MODEL} "
            f"file (or with zipped=False into a folder), its weights alone into a {WEIGHTS} file"
        )
    if path.is_dir():
        raise IsADirectoryError(f"{filepath} is a folder; a file is to be written")
    return writable(path, overwrite)


def writable(path: pathlib.Path, overwrite: bool) -> pathlib.Path:
    """`path`, if its folder exists and it may be written."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} can't be written: the folder {path.parent} does not exist")
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists, and overwrite is False")
    return path


def existing(filepath: Any) -> pathlib.Path:
    """`filepath` as a path that can be read.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = pathlib.Path(os.fspath(filepath))
    if not path.exists():
        inside = path.parent if path.parent.is_dir() else None
        where = "" if inside else f": the folder {path.parent} does not exist"
        raise FileNotFoundError(f"There is no file {filepath}{where}")
    return path


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path beside `path` to write to, which takes its place when the block ends.

    Until then `path` stays as it was. Where the block fails, or is interrupted, what it wrote is
    deleted.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        yield temporary
        _sync(temporary)
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


@contextlib.contextmanager
def replacing_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """`replacing` for a folder; an older one is moved aside first and then deleted."""
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    aside = temporary.with_suffix(".old")
    try:
        temporary.mkdir()
        yield temporary
        for file in temporary.iterdir():
            _sync(file)
        if path.exists():
            os.replace(path, aside)
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        if aside.exists() and not path.exists():
            os.replace(aside, path)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    _sync(path.parent)


def _sync(path: pathlib.Path) -> None:
    """Have the system put a file, or the names in a folder, on the disk."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
