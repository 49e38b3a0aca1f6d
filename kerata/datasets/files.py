"""Where the files of the data sets are, and what they hash to."""

from __future__ import annotations

import os
from typing import NamedTuple

from kerata.utils.download import get_file

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
_TORONTO = "https://www.cs.toronto.edu/~kriz"
_MIRROR = "KERATA_DATASETS_URL"  # a variable with the address of a folder that has all the files


class File(NamedTuple):
    """A file: the address of its folder, and its SHA-256 or MD5 hash where one is known."""

    folder: str
    file_hash: str | None


FILES = {
    "boston_housing.npz": File(
        _GOOGLE, "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    ),
    "california_housing.npz": File(
        _GOOGLE, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
    ),
    "cifar-10-python.tar.gz": File(
        _TORONTO, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
    ),
    "cifar-100-python.tar.gz": File(
        _TORONTO, "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
    ),
    "imdb.npz": File(_GOOGLE, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),
    "imdb_word_index.json": File(_GOOGLE, "bfafd718b763782e994055a2d397834f"),
    "mnist.npz": File(_GOOGLE, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
    "reuters.npz": File(
        _GOOGLE, "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    ),
    "reuters_word_index.json": File(_GOOGLE, "4d44cc38712099c9e383dc6e5f11a921"),
    "t10k-images-idx3-ubyte.gz": File(_GOOGLE, None),
    "t10k-labels-idx1-ubyte.gz": File(_GOOGLE, None),
    "train-images-idx3-ubyte.gz": File(_GOOGLE, None),
    "train-labels-idx1-ubyte.gz": File(_GOOGLE, None),
}


def fetch(
    name: str, path: str | None = None, subdir: str = "datasets", extract: bool = False
) -> str:
    """The path of a file, downloaded unless it is in the cache.

    Args:
        name: of the file.
        path: its name in the cache, where it is another.
        subdir: its folder in the cache.
        extract: unpack it; the path is that of the folder then.
    """
    file = FILES[name]
    folder = os.environ.get(_MIRROR) or file.folder
    return get_file(
        path or name,
        f"{folder.rstrip('/')}/{name}",
        file_hash=file.file_hash,
        cache_subdir=subdir,
        extract=extract,
    )
