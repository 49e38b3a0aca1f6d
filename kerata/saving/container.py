"""The container of a saved model: a zip file, or a folder, whose parts are read by their names."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
ASSETS = "assets"
CHUNK = 1 << 20
_LARGEST_JSON = 1 << 30


@contextlib.contextmanager
def opened(path: pathlib.Path) -> Iterator[Container]:
    """The container at `path`.

    Raises:
        ValueError: it is no zip file, or a damaged one.
    """
    if path.is_dir():
        yield Container(path, None)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield Container(path, archive)
    except zipfile.BadZipFile as error:
        with open(path, "rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
        fault = "is damaged, or was cut off" if is_zip else "is no zip file"
        raise ValueError(f"{path} {fault}: {error}") from error


class Container:
    """An open container."""

    def __init__(self, path: pathlib.Path, archive: zipfile.ZipFile | None) -> None:
        self._path = path
        self._archive = archive

    def json(self, name: str) -> Any:
        """What one of its JSON files holds.

        Raises:
            ValueError: there is none of that name, or it is no JSON.
        """
        with self._open(name) as file:
            text = file.read(_LARGEST_JSON)
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValueError(f"{name} in {self._path} is no readable JSON: {error}") from error

    @contextlib.contextmanager
    def weights(self) -> Iterator[BinaryIO]:
        """The HDF5 file in it, open for reading; in a zip file its checksum is verified first."""
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(self._open(WEIGHTS))
            if self._archive is None:
                yield file
                return
            info = self._archive.getinfo(WEIGHTS)
            if info.compress_type == zipfile.ZIP_STORED:
                while file.read(CHUNK):
                    pass
                whole = stack.enter_context(open(self._path, "rb"))
                yield io.BufferedReader(_Window(whole, _start(whole, info), info.file_size))
                return
            copy = stack.enter_context(tempfile.TemporaryFile())
            while part := file.read(CHUNK):
                copy.write(part)
            copy.seek(0)
            yield copy

    def copy_assets(self, owner: str, folder: pathlib.Path) -> bool:
        """Write the files that the object at a path keeps beside its weights to a folder.

        Returns:
            whether there are any.

        Raises:
            ValueError: a file's name leads out of the folder.
        """
        prefix = f"{ASSETS}/{owner}/" if owner else f"{ASSETS}/"
        names = [n for n in self._names() if n.startswith(prefix) and not n.endswith("/")]
        for name in names:
            path = (folder / name.removeprefix(prefix)).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise ValueError(f"{self._path}: the name {name!r} leads out of the archive")
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._open(name) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target, CHUNK)
        return bool(names)

    def _names(self) -> list[str]:
        if self._archive is not None:
            return self._archive.namelist()
        files = (p for p in (self._path / ASSETS).rglob("*") if p.is_file())
        return [p.relative_to(self._path).as_posix() for p in files]

    def _open(self, name: str) -> Any:
        try:
            if self._archive is not None:
                return self._archive.open(name)
            return open(self._path / name, "rb")
        except (KeyError, FileNotFoundError):
            raise ValueError(f"{self._path} has no {name}: it is no saved model") from None


def _start(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where the bytes of an entry begin: after its local header, its name and its extra field."""
    file.seek(info.header_offset + 26)
    name, extra = struct.unpack("<HH", file.read(4))
    return int(info.header_offset + 30 + name + extra)


class _Window(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: max(self._size - self._place, 0)]
        self._file.seek(self._start + self._place)
        count = self._file.readinto(view)  # type: ignore[attr-defined]
        self._place += count
        return int(count)
