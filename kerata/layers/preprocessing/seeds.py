"""Seeds for layers that draw, in models as well as in input pipelines."""

from __future__ import annotations

import multiprocessing
import zlib
from typing import Any

import numpy as np

from kerata.backends.registry import ensure
from kerata.core.seeds import SeedGenerator, draw_seed
from kerata.ops.dispatch import Tensor
from kerata.ops.indexing import getitem
from kerata.ops.shaping import reshape


class DataSeeds(SeedGenerator):
    """A `SeedGenerator` that has a second stream, kept on the host, for input pipelines.

    A pipeline computes under another backend than the one that the state is kept in. Worker
    processes, which start with copies of one state, each have a stream of their own there.

    Args:
        seed: where both streams start; None takes the process' next seed.
        name: its name.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(seed, name)
        self._start: int | None = None
        self._count = 0

    def next_on_host(self, *_: Any) -> np.ndarray:
        """The next seed of the pipelines' stream."""
        if self._start is None:
            self._start = int(self.state.numpy()[0])
        self._count += 1
        worker = zlib.crc32(multiprocessing.current_process().name.encode()) if in_worker() else 0
        return np.array([self._start, worker ^ (self._count + 2**30)], np.uint32).view(np.int32)

    def next_for(self, x: Tensor, piped: bool) -> Tensor:
        """A seed for draws about `x`, which has an element at least.

        Args:
            x: a tensor of the active backend.
            piped: whether that is the one of an input pipeline.
        """
        if not piped and not in_worker():
            return self.next()
        first = getitem(reshape(x, (-1,)), slice(0, 1))
        return ensure().host_call(self.next_on_host, [first], (2,), "int32")


def in_worker() -> bool:
    """Whether this is a process that another one started."""
    return multiprocessing.parent_process() is not None


def seed_for(seeds: Any, given: Any, x: Tensor, piped: bool) -> Tensor:
    """A seed, `(2,)`, from what was `given` (an int, a generator) or else from `seeds`."""
    return seeds.next_for(x, piped) if given is None else draw_seed(given)
