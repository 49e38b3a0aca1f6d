"""Large arrays of random numbers, drawn on all cores from one seed.

An array is cut into chunks of a fixed size, and chunk `i` is drawn by Philox at the counter
`i * 2**192`: the values depend on the seed and the size alone, not on the number of threads.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kerata.backends import dtypes

CHUNK = 2**18

Fill = Callable[[np.random.Generator, np.ndarray], None]


def threads() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def draw(shape: Sequence[int], dtype: str, seed: int, fill: Fill) -> np.ndarray:
    """An array that `fill(generator, part)` fills part by part, in place.

    float64 is drawn as such, every other dtype as float32 and cast.
    """
    wide = np.float64 if dtype == "float64" else np.float32
    values = np.empty(tuple(shape), wide)
    flat = values.reshape(-1)

    def chunk(i: int) -> None:
        bits = np.random.Philox(key=seed, counter=[0, 0, 0, i])
        fill(np.random.Generator(bits), flat[i * CHUNK : (i + 1) * CHUNK])

    count = -(-flat.size // CHUNK)
    if count <= 1:
        chunk(0)
    else:
        with ThreadPoolExecutor(min(threads(), count)) as pool:
            list(pool.map(chunk, range(count)))
    return values.astype(dtypes.numpy_dtype(dtype), copy=False)


def uniform(low: float, high: float) -> Fill:
    """Fills with uniform draws from `[low, high)`."""

    def fill(generator: np.random.Generator, part: np.ndarray) -> None:
        generator.random(dtype=part.dtype.type, out=part)
        part *= part.dtype.type(high - low)
        part += part.dtype.type(low)

    return fill


def normal(mean: float, stddev: float) -> Fill:
    """Fills with normal draws."""

    def fill(generator: np.random.Generator, part: np.ndarray) -> None:
        generator.standard_normal(dtype=part.dtype.type, out=part)
        part *= part.dtype.type(stddev)
        part += part.dtype.type(mean)

    return fill


def truncated_normal(mean: float, stddev: float) -> Fill:
    """Fills with normal draws; those beyond two standard deviations are drawn again."""

    def fill(generator: np.random.Generator, part: np.ndarray) -> None:
        kind = part.dtype.type
        generator.standard_normal(dtype=kind, out=part)
        outside = np.flatnonzero(np.abs(part) > 2)
        while outside.size:
            part[outside] = generator.standard_normal(outside.size, kind)
            outside = outside[np.abs(part[outside]) > 2]
        part *= kind(stddev)
        part += kind(mean)

    return fill
