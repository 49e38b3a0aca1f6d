"""Weights in several files of a bounded size, and the JSON file that lists them."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from kerata.saving import files
from kerata.saving.hdf5 import Store

Variables = dict[str, np.ndarray]


def write_shards(
    path: pathlib.Path, groups: Iterable[tuple[str, str, Variables]], max_shard_size: float
) -> None:
    """Write groups of variables, `(path in the file, name, variables)`, one after the other.

    A new file begins where the next group would make the last one larger than `max_shard_size` GB.

    Raises:
        ValueError: `max_shard_size` is no positive number.
    """
    if max_shard_size <= 0:
        raise ValueError(f"max_shard_size must be a positive number of GB; got {max_shard_size}")
    import h5py

    stem = path.name.removesuffix(files.SHARDS)
    total, size, listed = 0, 0, {}
    name, shard, count = "", None, 0
    with contextlib.ExitStack() as stack:
        index = stack.enter_context(files.replacing(path))
        for group, label, variables in groups:
            more = sum(v.nbytes for v in variables.values())
            if shard is None or (size and size + more > max_shard_size * 1e9):
                if shard is not None:
                    shard.close()
                name = f"{stem}_{count:05d}{files.WEIGHTS}"
                temporary = stack.enter_context(files.replacing(path.with_name(name)))
                shard = stack.enter_context(h5py.File(temporary, "w"))
                count, size = count + 1, 0
            made = shard.require_group(group)
            made.attrs["name"] = label
            Store(made).update(variables)
            if variables:
                listed[f"/{group}"] = [name]
            size, total = size + more, total + more
        text = {"metadata": {"total_size": total}, "weight_map": listed}
        index.write_text(json.dumps(text, indent=4))


@contextlib.contextmanager
def open_shards(
    path: pathlib.Path,
    read: Callable[[Any, pathlib.Path], contextlib.AbstractContextManager[dict[str, Store]]],
) -> Iterator[dict[str, Store]]:
    """The stores of all files that the JSON file at `path` lists; `read` opens one.

    Raises:
        ValueError: it lists none, or one that is not beside it.
    """
    try:
        listed = json.loads(path.read_text())["weight_map"]
        names = sorted({str(name) for files_of in listed.values() for name in files_of})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no list of files of weights: {error!r}") from error
    found: dict[str, Store] = {}
    with contextlib.ExitStack() as stack:
        for name in names:
            if pathlib.PurePath(name).name != name:
                raise ValueError(f"{path} lists {name!r}; the files must stand beside it")
            beside = files.existing(path.with_name(name))
            for group, store in stack.enter_context(read(beside, beside)).items():
                found[group] = found[group].joined(store) if group in found else store
        yield found
