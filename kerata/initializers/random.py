"""Initializers that draw every weight by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kerata.core.seeds import SeedGenerator, next_seed
from kerata.initializers import sampling
from kerata.initializers.base import Initializer, Shape, on_host


class RandomInitializer(Initializer):
    """The base of initializers that draw.

    Args:
        seed: an int makes every draw the same; a `SeedGenerator` gives each its next seed; None
            takes the process' next seed for each variable, or each call.
    """

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        if seed is not None and not isinstance(seed, (int, np.integer, SeedGenerator)):
            raise ValueError(
                f"{type(self).__name__}: seed must be None, an int or a SeedGenerator; got {seed!r}"
            )
        self.seed = seed

    def sample(self, shape: Shape, dtype: str, seed: int) -> np.ndarray:
        """The values that follow from this seed."""
        raise NotImplementedError(f"{type(self).__name__} must define sample")

    def draw(self, shape: Shape, dtype: str) -> np.ndarray:
        return self.sample(shape, dtype, self._take_seed())

    def planned(self, shape: Shape, dtype: str) -> Callable[[], np.ndarray]:
        seed = self._take_seed()
        return lambda: self.sample(shape, dtype, seed)

    def _take_seed(self) -> int:
        if self.seed is None:
            return next_seed()
        if isinstance(self.seed, SeedGenerator):
            with on_host():
                seed, count = (int(v) & 0xFFFFFFFF for v in self.seed.next())
            return seed << 32 | count
        return int(self.seed) & 0xFFFFFFFFFFFFFFFF


class RandomNormal(RandomInitializer):
    """Normal draws.

    Args:
        mean: their mean.
        stddev: their standard deviation.
        seed: see `RandomInitializer`.

    >>> RandomNormal(stddev=1.0, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def sample(self, shape: Shape, dtype: str, seed: int) -> np.ndarray:
        return sampling.draw(shape, dtype, seed, sampling.normal(self.mean, self.stddev))


class TruncatedNormal(RandomInitializer):
    """Normal draws, those beyond two standard deviations drawn again.

    Args:
        mean: the mean.
        stddev: the standard deviation before truncation; after it, 0.88 times that.
        seed: see `RandomInitializer`.
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def sample(self, shape: Shape, dtype: str, seed: int) -> np.ndarray:
        return sampling.draw(shape, dtype, seed, sampling.truncated_normal(self.mean, self.stddev))


class RandomUniform(RandomInitializer):
    """Uniform draws from `[minval, maxval)`.

    Args:
        minval: the least value.
        maxval: the bound above.
        seed: see `RandomInitializer`.
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def sample(self, shape: Shape, dtype: str, seed: int) -> np.ndarray:
        return sampling.draw(shape, dtype, seed, sampling.uniform(self.minval, self.maxval))
