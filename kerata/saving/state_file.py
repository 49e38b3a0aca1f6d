"""Trees of arrays and plain values in one file: how the state of a run is kept.

The file is a NumPy archive (`.npz`): the arrays, and the tree around them as JSON. Reading one runs
no code, and a file that is cut off or changed is refused by its checksums.
"""

from __future__ import annotations

import json
import pathlib
import zipfile
from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.saving import files

_TREE = "tree"
_PLAIN = (str, int, float, bool, type(None))


def write_tree(path: pathlib.Path, tree: Any) -> None:
    """Write a tree of dictionaries, lists, tuples, plain values and arrays.

    The file appears whole or not at all. Tuples come back as lists.

    Raises:
        TypeError: the tree holds something else.
    """
    arrays: dict[str, Any] = {}
    described = json.dumps(_described(tree, arrays, ""))
    arrays[_TREE] = np.frombuffer(described.encode(), np.uint8)
    with files.replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def read_tree(path: pathlib.Path) -> Any:
    """What `write_tree` wrote.

    Raises:
        OSError: there is no such file, or it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _restored(json.loads(arrays[_TREE].tobytes()), arrays)
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError) as error:
        raise OSError(f"{path} is damaged, or is no file of this kind: {error}") from error


def _described(value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    """`value` as JSON can hold it, its arrays put into `arrays`."""
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "OSUMm":
        name = str(len(arrays))
        kind = dtypes.standardize_dtype(value.dtype)
        # Dtypes that NumPy does not have itself travel as bytes.
        arrays[name] = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        return {"array": name, "dtype": kind, "shape": list(value.shape)}
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        return [_described(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(k, str) for k in value):
        return {"dict": {k: _described(v, arrays, f"{where}[{k!r}]") for k, v in value.items()}}
    raise TypeError(
        f"A state may hold numbers, strings, arrays, lists and dictionaries with strings as keys; "
        f"got {type(value).__name__} at {where or 'the top'}"
    )


def _restored(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_restored(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {k: _restored(v, arrays) for k, v in value["dict"].items()}
    array = arrays[value["array"]].view(dtypes.numpy_dtype(value["dtype"]))
    return array.reshape(value["shape"])
