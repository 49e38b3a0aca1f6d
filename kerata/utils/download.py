"""Files from the network: downloads that go on where they stopped, checked on the way."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kerata import config
from kerata.utils.progbar import Line, bar, duration, filling, moves

_ATTEMPTS = 4
_WAIT = 0.5  # seconds before the second attempt; each later one waits twice as long
_TIMEOUT = 30.0
_BLOCK = 2**16
_FOR_A_WHILE = (408, 425, 429, 500, 502, 503, 504)  # errors of a server that may pass
_LENGTHS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}  # of hashes, in hexadecimal


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: Any = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """A file from the network, downloaded unless it is in the cache.

    The file appears there whole or not at all. A download that breaks off is tried again and goes
    on where it stopped, also in the next run. Several processes may ask for one file at a time.

    Args:
        fname: its name in the cache; None for its name at `origin`.
        origin: its address.
        untar: as `extract`, for tar files.
        md5_hash: its MD5 hash; `file_hash` takes this too.
        file_hash: the hash that it must have, in hexadecimal.
        cache_subdir: the folder in the cache; or an absolute path.
        hash_algorithm: of the hash; "auto" tells MD5, SHA-1, SHA-256 and SHA-512 by their lengths.
        extract: unpack it: a tar file, compressed or not, or a zip file. Nothing in it may lead
            outside of its folder.
        archive_format: "tar", "zip" or a list of these; "auto" for both.
        cache_dir: the cache, instead of `$KERATA_HOME` or `~/.kerata`.
        force_download: download it in any case.

    Returns:
        The path of the file; with `extract`, of the folder with what was in it: `fname`, with its
        ending replaced by `_extracted`.

    Raises:
        ValueError: the file does not have its hash, or is no archive that can be unpacked.
        OSError: it can't be downloaded.
    """
    if origin is None:
        raise ValueError("get_file: origin, the address of the file, must be given")
    name = os.fspath(fname or os.path.basename(urllib.parse.urlparse(origin).path))
    if not name:
        raise ValueError(f"get_file: {origin} ends in no name of a file; give one as fname")
    if os.path.basename(name) != name or name in (".", ".."):
        raise ValueError(f"get_file: fname must be a name without a folder; got {name!r}")
    folder = Path(config.home() if cache_dir is None else cache_dir).expanduser() / cache_subdir
    checked = _Hash("md5", md5_hash) if md5_hash and not file_hash else None
    checked = checked or _Hash.of(file_hash, hash_algorithm)
    extract = extract or untar
    stem = name[: -len("".join(_endings(name)))] if _endings(name) else name
    path = folder / (f"{name}_archive" if extract and stem == name else name)
    unpacked = folder / (name if stem == name else f"{stem}_extracted")
    wanted = _Wanted(origin, path, checked, unpacked if extract else None)
    if force_download or not wanted.ready():
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f".{path.name}.lock"):
            if force_download or not wanted.ready():  # another process may have been faster
                kinds = ["tar"] if untar and archive_format == "auto" else _formats(archive_format)
                wanted.get(force_download, kinds)
    return str(unpacked if extract else path)


class _Hash:
    """The hash that a file must have, if any."""

    def __init__(self, algorithm: str = "", wanted: str | None = None) -> None:
        self.algorithm = algorithm
        self.wanted = wanted.lower() if wanted else None

    @classmethod
    def of(cls, wanted: str | None, algorithm: str) -> _Hash:
        if wanted is None:
            return cls()
        found = _LENGTHS.get(len(wanted)) if algorithm == "auto" else algorithm
        if found not in hashlib.algorithms_available:
            raise ValueError(
                f"get_file: the hash {wanted!r} is of no algorithm that is known; "
                f"hash_algorithm={algorithm!r}"
            )
        return cls(str(found), wanted)

    def new(self) -> Any:
        return hashlib.new(self.algorithm) if self.wanted else None

    def fits(self, path: Path) -> bool:
        """Whether a file has this hash."""
        digest = self.new()
        _read_into(digest, path)
        return digest is None or digest.hexdigest() == self.wanted


def _read_into(digest: Any, path: Path) -> None:
    if digest is None:
        return
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)


class _Wanted(NamedTuple):
    """A file in the cache, and where its content goes, if it is to be unpacked."""

    origin: str
    path: Path
    checked: _Hash
    unpacked: Path | None

    def ready(self) -> bool:
        """Whether all is there, and as it must be."""
        if self.unpacked is not None and not self.unpacked.is_dir():
            return False
        if not self.path.exists():
            return self.unpacked is not None
        return self.checked.fits(self.path)

    def get(self, anew: bool, formats: list[str]) -> None:
        """Download what is not there, or `anew`, and unpack it."""
        if anew or not self.path.exists() or not self.checked.fits(self.path):
            if self.path.exists() and not anew:
                print(f"{self.path} does not have the hash {self.checked.wanted}")
            _download(self.origin, self.path, self.checked)
        if self.unpacked is not None:
            from kerata.utils.archives import unpack

            unpack(self.path, self.unpacked, formats)


def _endings(name: str) -> list[str]:
    """The endings of an archive's name: `.tar.gz`, `.zip`."""
    endings = Path(name).suffixes
    return endings[-2:] if endings[-2:-1] == [".tar"] else endings[-1:]


def _formats(archive_format: Any) -> list[str]:
    if archive_format == "auto":
        return ["tar", "zip"]
    return [archive_format] if isinstance(archive_format, str) else list(archive_format or ())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file that one process can hold at a time; the system lets go of it if it dies."""
    with path.open("a+b") as file:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Downloading


def _download(origin: str, path: Path, checked: _Hash) -> None:
    """Download a file, in as many attempts as it takes, and put it in its place."""
    import http.client
    import urllib.error

    part, note = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.json")
    print(f"Downloading data from {origin}")
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_WAIT * 2 ** (attempt - 1))
        last = attempt == _ATTEMPTS - 1
        try:
            resumed, digest = _fetch(origin, part, note, checked)
        except urllib.error.HTTPError as error:
            error.close()
            if last or error.code not in _FOR_A_WHILE:
                raise OSError(f"{origin} can't be downloaded: {error}") from error
            continue
        except (OSError, http.client.HTTPException) as error:
            if last:
                raise OSError(
                    f"{origin} can't be downloaded, in {_ATTEMPTS} attempts: {error}"
                ) from error
            continue
        if digest is None or digest.hexdigest() == checked.wanted:
            os.replace(part, path)
            note.unlink(missing_ok=True)
            return
        part.unlink()
        note.unlink()
        if not resumed:
            raise ValueError(
                f"{origin} does not have the {checked.algorithm} hash {checked.wanted} but "
                f"{digest.hexdigest()}: it was changed there, or on the way"
            )
    raise OSError(f"{origin} can't be downloaded: it differs each time")


def _fetch(origin: str, part: Path, note: Path, checked: _Hash) -> tuple[bool, Any]:
    """One attempt: whether it went on with an earlier one, and the hash of the whole."""
    import urllib.error
    import urllib.request

    headers = {"User-Agent": "kerata", "Accept-Encoding": "identity"}
    start = part.stat().st_size if part.exists() else 0
    state = _noted(note, origin)
    if start and state:
        headers |= {"Range": f"bytes={start}-", "If-Range": state}
    request = urllib.request.Request(origin, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        error.close()  # what is here is as long as the file, or longer
        part.unlink()
        raise OSError("the part that was downloaded does not fit") from error
    with answer:
        resumed = getattr(answer, "status", None) == 206
        start = start if resumed else 0
        strong = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        weak = not strong or strong.startswith("W/")
        note.write_text(json.dumps({"origin": origin, "state": None if weak else strong}))
        digest = checked.new()
        if resumed:
            _read_into(digest, part)
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        _copy(answer.read, part, start, total, digest)
    return resumed, digest


def _noted(note: Path, origin: str) -> str | None:
    """What tells the state of the file that was downloaded in part, where it is the same file."""
    try:
        found = json.loads(note.read_text())
    except (OSError, ValueError):
        return None
    return found["state"] if found.get("origin") == origin else None


def _copy(
    read: Callable[[int], bytes], part: Path, start: int, total: int | None, digest: Any
) -> None:
    """Write what is read to a file, from a place on, under a bar.

    Raises:
        OSError: it ends before there are `total` bytes.
    """
    progress = _Bytes(start, total)
    try:
        with part.open("ab" if start else "wb") as file:
            while block := read(_BLOCK):
                file.write(block)
                if digest is not None:
                    digest.update(block)
                progress.add(len(block))
    finally:
        progress.end()
    if total is not None and progress.done < total:
        raise OSError(f"it broke off after {progress.done} of {total} bytes")


class _Bytes:
    """How far a download is."""

    def __init__(self, start: int, total: int | None) -> None:
        self.done, self._first, self._total = start, start, total
        self._begun, self._drawn = time.monotonic(), 0.0
        self._line = Line()

    def add(self, count: int) -> None:
        """So many bytes more are there."""
        self.done += count
        now = time.monotonic()
        if now - self._drawn >= 0.1 and moves():
            self._drawn = now
            self._line.draw(self._texts(now - self._begun, False))

    def end(self) -> None:
        """There are no more."""
        if moves():
            self._line.end(self._texts(time.monotonic() - self._begun, True))

    def _texts(self, spent: float, last: bool) -> list[str]:
        rate = (self.done - self._first) / max(spent, 1e-6)
        texts = [f"{self.done / 1e6:.1f} MB"]
        if self._total:
            texts = [f"{self.done / 1e6:.1f}/{self._total / 1e6:.1f} MB"]
            texts[0] += " " + bar(self.done, self._total, 20, filling())
            if not last and rate:
                texts.append(f"{duration((self._total - self.done) / rate)} left")
        return [*texts, f"{rate / 1e6:.1f} MB/s"]
