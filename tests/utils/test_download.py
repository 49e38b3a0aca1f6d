"""Downloads from a local server: whole or not at all, resumed, checked, unpacked with care."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from kerata.utils import download, get_file
from tests.utils.server import serving

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with serving() as found:
        found.files["a.bin"] = CONTENT
        yield found


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERATA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(download, "_WAIT", 0.001)
    return tmp_path / "home"


def present(folder):
    """The files that a user sees."""
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name[0] != "."
    )


def test_downloaded_once(server, home):
    path = get_file(origin=f"{server.url}/a.bin")
    assert path == str(home / "datasets" / "a.bin") and Path(path).read_bytes() == CONTENT
    assert get_file("a.bin", f"{server.url}/a.bin", file_hash=SHA256) == path
    assert len(server.seen) == 1
    get_file("a.bin", f"{server.url}/a.bin", force_download=True)
    assert len(server.seen) == 2


def test_places_and_names(server, home, tmp_path):
    origin = f"{server.url}/a.bin?version=2"
    server.files["a.bin?version=2"] = b"2"
    assert get_file(origin=origin) == str(home / "datasets" / "a.bin")
    assert get_file("b", origin, cache_subdir="models/x") == str(home / "models" / "x" / "b")
    assert get_file("b", origin, cache_dir=tmp_path / "c") == str(tmp_path / "c" / "datasets" / "b")
    assert get_file(Path("b"), origin, cache_subdir=tmp_path / "d") == str(tmp_path / "d" / "b")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_hashes(server, algorithm):
    file_hash = hashlib.new(algorithm, CONTENT).hexdigest().upper()
    get_file(origin=f"{server.url}/a.bin", file_hash=file_hash)
    get_file("b", f"{server.url}/a.bin", file_hash=file_hash, hash_algorithm=algorithm)


def test_a_wrong_hash_leaves_nothing(server, home):
    with pytest.raises(ValueError, match=f"does not have the sha256 hash 0+ but {SHA256}"):
        get_file(origin=f"{server.url}/a.bin", file_hash="0" * 64)
    with pytest.raises(ValueError, match="does not have the md5 hash"):
        get_file(origin=f"{server.url}/a.bin", md5_hash="0" * 32)
    assert present(home) == []
    with pytest.raises(ValueError, match="the hash '123' is of no algorithm that is known"):
        get_file(origin=f"{server.url}/a.bin", file_hash="123")


def test_a_file_in_the_cache_that_was_changed_is_downloaded_again(server, home, capsys):
    (home / "datasets").mkdir(parents=True)
    path = home / "datasets" / "a.bin"
    path.write_bytes(b"changed")
    get_file(origin=f"{server.url}/a.bin", file_hash=SHA256)
    assert path.read_bytes() == CONTENT
    assert f"a.bin does not have the hash {SHA256}" in capsys.readouterr().out


# Interruptions


def test_a_connection_that_breaks_is_resumed(server):
    server.tags["a.bin"] = '"1"'
    server.faults = [CONTENT[:1000], CONTENT[1000:5000]]
    path = get_file(origin=f"{server.url}/a.bin", file_hash=SHA256)
    assert Path(path).read_bytes() == CONTENT
    assert server.seen == [("a.bin", 0), ("a.bin", 1000), ("a.bin", 5000)]


def test_without_a_tag_it_starts_over(server):
    server.faults = [CONTENT[:1000]]
    assert Path(get_file(origin=f"{server.url}/a.bin")).read_bytes() == CONTENT
    assert server.seen == [("a.bin", 0), ("a.bin", 0)]


def test_a_file_that_changed_on_the_way_starts_over(server):
    server.tags["a.bin"] = '"1"'
    server.faults = [503, 503, 503, CONTENT[:1000]]
    with pytest.raises(OSError, match="in 4 attempts: it broke off after 1000 of 256000 bytes"):
        get_file(origin=f"{server.url}/a.bin")
    server.files["a.bin"], server.tags["a.bin"], server.faults = b"new", '"2"', []
    assert Path(get_file(origin=f"{server.url}/a.bin")).read_bytes() == b"new"


def test_a_later_run_goes_on_where_one_stopped(server, home):
    server.tags["a.bin"] = '"1"'
    server.faults = [CONTENT[:2000], 503, 503, 503]
    with pytest.raises(OSError, match="can't be downloaded"):
        get_file(origin=f"{server.url}/a.bin")
    assert present(home) == []
    assert Path(get_file(origin=f"{server.url}/a.bin")).read_bytes() == CONTENT
    assert server.seen[-1] == ("a.bin", 2000)


def test_a_part_of_another_file_is_not_gone_on_with(server):
    server.tags["a.bin"] = server.tags["b.bin"] = '"1"'
    server.files["b.bin"] = CONTENT[::-1]
    server.faults = [CONTENT[:2000], 404]
    with pytest.raises(OSError, match="404"):
        get_file("x", f"{server.url}/a.bin")
    assert Path(get_file("x", f"{server.url}/b.bin")).read_bytes() == CONTENT[::-1]


def test_a_part_that_was_spoilt_is_thrown_away(server, home):
    server.tags["a.bin"] = '"1"'
    server.faults = [b"x" * 2000, 404]
    with pytest.raises(OSError):
        get_file(origin=f"{server.url}/a.bin")
    path = get_file(origin=f"{server.url}/a.bin", file_hash=SHA256)
    assert Path(path).read_bytes() == CONTENT
    assert server.seen[-2:] == [("a.bin", 2000), ("a.bin", 0)]


def test_errors_of_servers(server):
    server.faults = [503, 429]
    get_file(origin=f"{server.url}/a.bin")
    assert len(server.seen) == 3
    with pytest.raises(OSError, match="nothing can't be downloaded: HTTP Error 404"):
        get_file(origin=f"{server.url}/nothing")
    assert len(server.seen) == 4  # what is not there is not asked for again
    with pytest.raises(OSError, match=r"in 4 attempts: .*refused"):
        get_file(origin="http://127.0.0.1:9/x")


def test_threads_download_once(server):
    threads = [
        threading.Thread(target=get_file, kwargs={"origin": f"{server.url}/a.bin"})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen) == 1


@pytest.mark.slow
def test_processes_download_once(server):
    script = f"import kerata; kerata.utils.get_file(origin='{server.url}/a.bin')"
    running = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
        for _ in range(3)
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(server.seen) == 1


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_to(server, home):
    path = get_file(origin=f"{server.url}/a.bin")
    os.chmod(home / "datasets", 0o555)
    try:
        assert get_file(origin=f"{server.url}/a.bin", file_hash=SHA256) == path
    finally:
        os.chmod(home / "datasets", 0o755)


def test_progress(server, monkeypatch, capsys):
    server.files["big"] = bytes(300_000)
    get_file(origin=f"{server.url}/big")
    assert capsys.readouterr().out == f"Downloading data from {server.url}/big\n"
    monkeypatch.setattr(download, "moves", lambda: True)
    get_file("again", f"{server.url}/big")
    assert "0.3/0.3 MB ━━━━━━━━━━━━━━━━━━━━" in capsys.readouterr().out.replace("=", "━")


# Archives


def tar(members, mode="w:gz"):
    """A tar file of `(name, content)`; content that is no bytes object is a `TarInfo`'s attributes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
            else:
                for key, value in content.items():
                    setattr(info, key, value)
                file.addfile(info)
    return buffer.getvalue()


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for info, content in members:
            file.writestr(info, content)
    return buffer.getvalue()


FILES = [("d/x", b"1"), ("d/sub/y", b"2")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.tar.gz", tar(FILES)),
        ("f.tgz", tar(FILES)),
        ("f.tar", tar(FILES, "w")),
        ("f.tar.bz2", tar(FILES, "w:bz2")),
        ("f.zip", zipped(FILES)),
    ],
)
def test_unpacked(server, home, name, content):
    server.files[name] = content
    given = {"origin": f"{server.url}/{name}", "extract": True}
    folder = get_file(**given)
    assert folder == str(home / "datasets" / "f_extracted")
    assert present(Path(folder)) == ["d/sub/y", "d/x"]
    assert get_file("named", **given) == str(home / "datasets" / "named")
    assert (home / "datasets" / "named" / "d" / "x").read_bytes() == b"1"
    get_file(**given, file_hash=hashlib.sha256(content).hexdigest())
    assert len(server.seen) == 2
    (home / "datasets" / name).unlink()
    assert get_file(**given) == folder and len(server.seen) == 2
    server.files[name] = zipped([("other", b"3")])
    assert present(Path(get_file(**given, force_download=True))) == ["other"]


def test_formats(server):
    server.files["f"] = zipped(FILES)
    server.files["text"] = b"hello"
    given = {"origin": f"{server.url}/f", "extract": True}
    with pytest.raises(ValueError, match="is no archive of the format tar"):
        get_file("a", **given, archive_format="tar")
    with pytest.raises(ValueError, match="is no archive of the format tar"):
        get_file("b", f"{server.url}/f", untar=True)
    with pytest.raises(ValueError, match="is no archive of the format tar or zip"):
        get_file("c", f"{server.url}/text", extract=True)
    with pytest.raises(ValueError, match="archive_format must be of"):
        get_file("d", **given, archive_format="rar")
    assert Path(get_file("e", **given, archive_format=["zip"])).is_dir()


def test_links_inside_of_an_archive(server):
    link = {"type": tarfile.SYMTYPE, "linkname": "../d/x"}
    hard = {"type": tarfile.LNKTYPE, "linkname": "d/x"}
    server.files["f.tar"] = tar([*FILES, ("d/link", link), ("d/hard", hard)])
    folder = Path(get_file(origin=f"{server.url}/f.tar", extract=True))
    assert (folder / "d" / "link").read_bytes() == (folder / "d" / "hard").read_bytes() == b"1"


def linked_zip():
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    return zipped([("d/x", b"1"), (info, "/etc/passwd")])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tar([("ok", b""), ("../evil", b"1")]), "'../evil', which leads outside"),
        (tar([("d/../../evil", b"1")]), "which leads outside"),
        (tar([("/tmp/kerata-evil", b"1")]), "'/tmp/kerata-evil', which leads outside"),
        (tar([("l", {"type": tarfile.SYMTYPE, "linkname": "/etc"})]), "'l -> /etc', which leads"),
        (
            tar([("l", {"type": tarfile.SYMTYPE, "linkname": ".."}), ("l/evil", b"1")]),
            "which leads",
        ),
        (tar([("d/l", {"type": tarfile.LNKTYPE, "linkname": "../evil"})]), "which leads outside"),
        (tar([("p", {"type": tarfile.FIFOTYPE})]), "'p', which is no file and no folder"),
        (zipped([("../evil", b"1")]), "'../evil', which leads outside"),
        (zipped([("/tmp/kerata-evil", b"1")]), "which leads outside"),
        (linked_zip(), "holds the link 'link'"),
    ],
)
def test_archives_that_would_write_elsewhere(server, home, content, message):
    server.files["evil.bin"] = content
    with pytest.raises(ValueError, match=message):
        get_file(origin=f"{server.url}/evil.bin", extract=True)
    assert present(home.parent) == ["home/datasets/evil.bin"]
    assert [p for p in (home / "datasets").iterdir() if p.is_dir()] == []
    assert not Path("/tmp/kerata-evil").exists()


def test_a_link_to_a_link_does_not_lead_out(server, home):
    """Each step alone looks harmless."""
    server.files["evil.tar"] = tar([
        ("a", {"type": tarfile.DIRTYPE}),
        ("a/b", {"type": tarfile.SYMTYPE, "linkname": "."}),
        ("c", {"type": tarfile.SYMTYPE, "linkname": "a/b/../.."}),
        ("c/evil", b"1"),
    ])  # fmt: skip
    with pytest.raises(ValueError, match="which leads outside"):
        get_file(origin=f"{server.url}/evil.tar", extract=True)
    assert present(home.parent) == ["home/datasets/evil.tar"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "origin, the address of the file, must be given"),
        ({"origin": "http://x/"}, "ends in no name of a file"),
        ({"origin": "http://x/y", "fname": "../b"}, "fname must be a name without a folder"),
        ({"origin": "http://x/y", "fname": ".."}, "fname must be a name without a folder"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=f"get_file: .*{message}"):
        get_file(**arguments)
