"""Archives unpacked with care: nothing is written outside of the folder, and all or nothing."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path


def unpack(archive: Path, folder: Path, formats: Iterable[str]) -> None:
    """Unpack an archive into a folder, in the place of what is there.

    It is unpacked beside the folder and moved there as a whole.

    Args:
        archive: a tar file, compressed or not, or a zip file.
        folder: where its content comes.
        formats: those that it may have, "tar" and "zip".

    Raises:
        ValueError: it is of none of the formats, or holds something that would be written outside
            of the folder, or that is neither a file, nor a folder, nor a link inside of it.
    """
    wanted = list(formats)
    kinds = {"tar": tarfile.is_tarfile, "zip": zipfile.is_zipfile}
    unknown = [name for name in wanted if name not in kinds]
    if unknown:
        raise ValueError(f"archive_format must be of {[*kinds]}; got {unknown}")
    kind = next((name for name in wanted if kinds[name](archive)), None)
    if kind is None:
        raise ValueError(f"{archive} is no archive of the format {' or '.join(wanted) or None}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (_unpack_tar if kind == "tar" else _unpack_zip)(archive, beside)
        beside.chmod(0o755)
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _unpack_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as file:
        guarded = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        for member in file:
            _check(archive, member.name, folder / member.name, folder)
            if member.issym():
                target = folder / os.path.dirname(member.name) / member.linkname
                _check(archive, f"{member.name} -> {member.linkname}", target, folder)
            elif member.islnk():
                _check(archive, member.name, folder / member.linkname, folder)
            elif not (member.isfile() or member.isdir()):
                raise ValueError(f"{archive} holds {member.name!r}, which is no file and no folder")
            member.mode = 0o755 if member.isdir() or member.mode & stat.S_IXUSR else 0o644
            file.extract(member, folder, **guarded)  # type: ignore[arg-type]


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            _check(archive, member.filename, folder / member.filename, folder)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise ValueError(f"{archive} holds the link {member.filename!r}")
            file.extract(member, folder)


def _check(archive: Path, name: str, path: Path, folder: Path) -> None:
    """Raise ValueError where a path, its links followed, lies outside of a folder."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{archive} holds {name!r}, which leads outside of its folder")
