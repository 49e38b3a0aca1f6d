"""The data sets that are downloaded: their files, and what becomes of them, against Keras."""

import gzip
import hashlib
import io
import json
import pickle
import struct
import sys
import tarfile

import numpy as np
import pytest

import kerata
from kerata import datasets
from kerata.datasets import files
from tests.utils.server import serving

NAMES = (
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def lists(rng, count):
    result = np.empty(count, object)
    for i in range(count):
        result[i] = [int(n) for n in rng.integers(1, 30, rng.integers(3, 12))]
    return result


def idx(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


def cifar_batch(rng, count, **labels):
    found = {b"data": rng.integers(0, 255, (count, 3072), "uint8")}
    found |= {name.encode(): [int(n) for n in values] for name, values in labels.items()}
    return pickle.dumps(found)


def packed(folder, parts):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, content in parts.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def small_files():
    """Files of the formats of the real ones."""
    rng = np.random.default_rng(0)
    cifar10 = {f"data_batch_{n}": cifar_batch(rng, 4, labels=[n] * 4) for n in range(1, 6)}
    cifar10["test_batch"] = cifar_batch(rng, 3, labels=[7, 8, 9])
    cifar100 = {
        part: cifar_batch(rng, n, fine_labels=range(n), coarse_labels=range(n, 2 * n))
        for part, n in (("train", 5), ("test", 2))
    }
    images, labels = rng.integers(0, 255, (6, 28, 28), "uint8"), rng.integers(0, 9, 6, "uint8")
    return {
        "boston_housing.npz": npz(x=rng.random((21, 13)), y=rng.random(21)),
        "california_housing.npz": npz(x=rng.random((700, 8)), y=rng.random(700)),
        "cifar-10-python.tar.gz": packed("cifar-10-batches-py", cifar10),
        "cifar-100-python.tar.gz": packed("cifar-100-python", cifar100),
        "imdb.npz": npz(
            x_train=lists(rng, 12), y_train=rng.integers(0, 2, 12),
            x_test=lists(rng, 9), y_test=rng.integers(0, 2, 9),
        ),
        "imdb_word_index.json": json.dumps({"good": 1, "schön": 2}).encode(),
        "mnist.npz": npz(
            x_train=images, y_train=labels, x_test=images[:3], y_test=labels[:3]
        ),
        "reuters.npz": npz(x=lists(rng, 20), y=rng.integers(0, 46, 20)),
        "reuters_word_index.json": json.dumps({"oil": 1}).encode(),
        "t10k-images-idx3-ubyte.gz": idx(images[:2]),
        "t10k-labels-idx1-ubyte.gz": idx(labels[:2]),
        "train-images-idx3-ubyte.gz": idx(images),
        "train-labels-idx1-ubyte.gz": idx(labels),
    }  # fmt: skip


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Small files at the address that a mirror would have, and their hashes."""
    monkeypatch.setenv("KERATA_HOME", str(tmp_path))
    with serving() as found:
        found.files = small_files()
        monkeypatch.setenv("KERATA_DATASETS_URL", f"{found.url}/")
        for name, content in found.files.items():
            known = files.FILES[name]
            if known.file_hash is not None:
                kind = {32: hashlib.md5, 64: hashlib.sha256}[len(known.file_hash)]
                new = known._replace(file_hash=kind(content).hexdigest())
                monkeypatch.setitem(files.FILES, name, new)
        yield found


def asked_of_keras(keras, name, monkeypatch):
    """What Keras downloads for a data set: names, addresses and hashes."""
    module = sys.modules[getattr(keras.datasets, name).load_data.__module__]
    asked = []

    def get_file(fname=None, origin=None, file_hash=None, **_):
        asked.append((fname, origin, file_hash))
        return "/nowhere"

    monkeypatch.setattr(module, "get_file", get_file)
    for function in ("load_data", "get_word_index"):
        if hasattr(module, function):
            with pytest.raises(OSError):
                getattr(module, function)()
    return asked


@pytest.mark.oracle
def test_addresses_and_hashes_are_those_of_keras(keras, monkeypatch):
    wanted = {}
    for name in NAMES:
        for _, origin, file_hash in asked_of_keras(keras, name, monkeypatch):
            folder, _, file = origin.rpartition("/")
            wanted[file] = (folder, file_hash)
    assert {name: tuple(file) for name, file in files.FILES.items()} == wanted


CASES = [
    ("boston_housing", {}),
    ("boston_housing", {"test_split": 0.3, "seed": 1}),
    ("california_housing", {}),
    ("california_housing", {"version": "small", "test_split": 0.5, "seed": 3}),
    ("imdb", {}),
    ("imdb", {"num_words": 20, "skip_top": 5, "seed": 1}),
    ("imdb", {"maxlen": 9}),
    ("imdb", {"oov_char": None, "num_words": 10}),
    ("imdb", {"start_char": None}),
    ("imdb", {"start_char": None, "index_from": 0}),
    ("mnist", {}),
    ("reuters", {}),
    ("reuters", {"maxlen": 9, "test_split": 0.5}),
    ("reuters", {"num_words": 12, "start_char": None, "index_from": 0, "seed": 2}),
    ("reuters", {"oov_char": None, "skip_top": 6}),
]


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_arrays_are_those_of_keras(server, tmp_path, keras, monkeypatch, name, arguments):
    found = getattr(datasets, name).load_data(**arguments)
    module = sys.modules[getattr(keras.datasets, name).load_data.__module__]
    path = str(tmp_path / "datasets" / f"{name}.npz")
    monkeypatch.setattr(module, "get_file", lambda *_, **__: path)
    wanted = module.load_data(**arguments)
    for part, other in zip(found, wanted):
        for array, beside in zip(part, other):
            assert (array.dtype, array.shape) == (beside.dtype, beside.shape)
            assert array.tolist() == beside.tolist()


def test_fashion_mnist(server, tmp_path):
    (x_train, y_train), (x_test, y_test) = datasets.fashion_mnist.load_data()
    (x, y), _ = datasets.mnist.load_data()
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_train, y)
    assert x_test.shape == (2, 28, 28) and y_test.tolist() == y[:2].tolist()
    assert len(list((tmp_path / "datasets" / "fashion-mnist").glob("*.gz"))) == 4


def test_cifar10(server, monkeypatch):
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert x_train.shape == (20, 32, 32, 3) and x_test.shape == (3, 32, 32, 3)
    assert y_train[:, 0].tolist() == [n for n in range(1, 6) for _ in range(4)]
    assert y_test.tolist() == [[7], [8], [9]]
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    first = pickle.loads(cifar_batch(np.random.default_rng(0), 4))[b"data"][0]
    np.testing.assert_array_equal(x_train[0], first.reshape(3, 32, 32).transpose(1, 2, 0))
    monkeypatch.setitem(kerata.config._settings, "image_data_format", "channels_first")
    assert datasets.cifar10.load_data()[0][0].shape == (20, 3, 32, 32)
    assert len(server.seen) == 1


def test_cifar100(server):
    fine, coarse = (datasets.cifar100.load_data(mode) for mode in ("fine", "coarse"))
    assert fine[0][1].tolist() == [[0], [1], [2], [3], [4]] and fine[1][1].tolist() == [[0], [1]]
    assert coarse[0][1].tolist() == [[5], [6], [7], [8], [9]]
    np.testing.assert_array_equal(fine[1][0], coarse[1][0])
    assert fine[0][0].shape == (5, 32, 32, 3)
    assert fine[0][1].dtype == coarse[1][1].dtype == "int64"  # as in Keras
    with pytest.raises(ValueError, match="label_mode must be 'fine' or 'coarse'; got 'x'"):
        datasets.cifar100.load_data("x")


@pytest.mark.oracle
def test_words_and_topics(server, keras):
    assert datasets.imdb.get_word_index() == {"good": 1, "schön": 2}
    assert datasets.reuters.get_word_index("words.json") == {"oil": 1}
    assert datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


def test_names_in_the_cache_and_hashes(server, tmp_path):
    datasets.mnist.load_data("digits.npz")
    assert (tmp_path / "datasets" / "digits.npz").exists()
    server.files["mnist.npz"] = b"something else"
    with pytest.raises(ValueError, match=r"mnist\.npz does not have the sha256 hash"):
        datasets.mnist.load_data()


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (lambda: datasets.california_housing.load_data("x"), "version must be 'small' or 'large'"),
        (lambda: datasets.boston_housing.load_data(test_split=1), "test_split must be in .*got 1"),
        (lambda: datasets.imdb.load_data(maxlen=2), "no sequence is shorter than maxlen=2"),
        (lambda: datasets.reuters.load_data(maxlen=2), "no sequence is shorter than maxlen=2"),
    ],
)
def test_bad_arguments(server, load, message):
    with pytest.raises(ValueError, match=f"load_data: {message}"):
        load()
