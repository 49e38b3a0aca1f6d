"""Variables in HDF5 files: written as Keras 3 does, read with nothing taken on trust."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from kerata.backends import dtypes

_REGISTERED = 2  # `dtype.isbuiltin` of the dtypes that NumPy does not have of its own
_MOST_COMPRESSED = 2000  # times that no filter of HDF5 makes an array smaller


class Store(MutableMapping[str, np.ndarray]):
    """The variables of one object, by name: what `save_own_variables` fills.

    Dtypes that HDF5 lacks (bfloat16, float8) are kept as raw bytes beside their name.
    """

    def __init__(self, *groups: Any) -> None:
        self._groups = groups

    def __setitem__(self, name: str, value: Any) -> None:
        array = np.asarray(value)
        if array.dtype.isbuiltin != _REGISTERED:
            self._groups[0].create_dataset(name, data=array)
            return
        raw = self._groups[0].create_dataset(name, data=array.view(f"V{array.dtype.itemsize}"))
        raw.attrs["dtype"] = dtypes.standardize_dtype(array.dtype)

    def _dataset(self, name: str) -> Any:
        for group in self._groups:
            if name in group:
                return _checked(group[name])
        raise KeyError(f"{self._groups[0].name} has no variable {name!r}; it has {list(self)}")

    def __getitem__(self, name: str) -> np.ndarray:
        dataset = self._dataset(name)
        array = np.asarray(dataset[()])
        return array if array.dtype.kind != "V" else array.view(_raw_dtype(dataset))

    def __delitem__(self, name: str) -> None:
        del self._groups[0][name]

    def __iter__(self) -> Iterator[str]:
        for group in self._groups:
            yield from group

    def __len__(self) -> int:
        return sum(len(group) for group in self._groups)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable, which is not read."""
        return tuple(self._dataset(name).shape)

    def joined(self, other: Store) -> Store:
        """The variables of this store and of another one."""
        return Store(*self._groups, *other._groups)


def _raw_dtype(dataset: Any) -> np.dtype[Any]:
    name = dataset.attrs.get("dtype")
    if name not in dtypes.FLOATS or dtypes.size(name) != dataset.dtype.itemsize:
        raise ValueError(f"{dataset.name} holds bytes of an unknown dtype: {name!r}")
    return dtypes.numpy_dtype(name)


def _checked(dataset: Any) -> Any:
    """`dataset`, if it is an array of numbers that lies in the file itself.

    Raises:
        ValueError: it is not, or claims to be larger than what the file can hold of it.
    """
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{dataset.name} is a group, where a variable is expected")
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"{dataset.name} refers to another file, which is never followed")
    if dataset.dtype.kind not in "biufcV" or dataset.dtype.names is not None:
        raise ValueError(f"{dataset.name} holds {dataset.dtype}, and variables hold numbers")
    if dataset.nbytes > _MOST_COMPRESSED * dataset.id.get_storage_size():
        raise ValueError(
            f"{dataset.name} claims {dataset.nbytes} bytes and holds "
            f"{dataset.id.get_storage_size()}"
        )
    return dataset


def stores(file: Any) -> dict[str, Store]:
    """The `Store` of every object in an open file, by the path of the object.

    Raises:
        ValueError: the file has links to other files, or to other places in it.
    """
    import h5py

    def other(name: str, link: Any) -> str | None:
        return None if isinstance(link, h5py.HardLink) else f"{name} is a {type(link).__name__}"

    found: dict[str, Store] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and name.rpartition("/")[2] == "vars":
            found[name.rpartition("/")[0]] = Store(item)

    link = file.visititems_links(other)
    if link is not None:
        raise ValueError(f"{link}, which is never followed")
    file.visititems(visit)
    return found
