"""grain's data sets as this package makes them. Importing it imports grain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import grain

_THREADS = min(8, os.cpu_count() or 1)


def numbers(count: int, seed: int | None) -> Any:
    """The numbers below `count`, in order, or in another each epoch where there is a seed."""
    found = grain.MapDataset.range(count)
    return found if seed is None else found.shuffle(seed)


class Passes(grain.MapDataset):
    """A data set that is read by threads, and each time it is run through in its next epoch.

    Indexing gives the first epoch. An epoch differs from the last where the data set is shuffled.

    Args:
        dataset: what the epochs are of.
    """

    def __init__(self, dataset: Any) -> None:
        super().__init__(dataset)
        self._epochs = dataset
        self._begun = 0

    def __len__(self) -> int:
        return len(self._epochs)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.slice(index)
        length = len(self)
        if index < -length:
            raise IndexError(f"There are {length} elements; got the number {index}")
        return self._epochs[index + length if index < 0 else index]

    def __iter__(self) -> Iterator[Any]:
        start = self._begun * len(self)
        self._begun += 1
        epoch = self._epochs.repeat()[start : start + len(self)]
        ahead = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_THREADS)
        return iter(epoch.to_iter_dataset(ahead))
