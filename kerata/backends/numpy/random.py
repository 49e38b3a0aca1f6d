"""NumPy's draws: Philox, started from the seed for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.backends import dtypes

_dtype = dtypes.numpy_dtype


def _generator(seed: np.ndarray) -> np.random.Generator:
    first, second = (int(v) & 0xFFFFFFFF for v in np.asarray(seed).reshape(-1)[:2])
    return np.random.Generator(np.random.Philox(key=(first << 32) | second))


def _wide(dtype: str) -> Any:
    return np.float64 if dtype == "float64" else np.float32


# The bits of a fraction in half precision; one more would round up to 1.
_FRACTION = {"float16": 11, "bfloat16": 8}


def random_uniform(shape: Any, seed: np.ndarray, dtype: str = "float32") -> np.ndarray:
    draws = np.asarray(_generator(seed).random(shape, _wide(dtype)))
    if dtype in _FRACTION:
        steps = 2.0 ** _FRACTION[dtype]
        draws = np.floor(draws * np.float32(steps)) / np.float32(steps)
    return draws.astype(_dtype(dtype), copy=False)


def random_normal(shape: Any, seed: np.ndarray, dtype: str = "float32") -> np.ndarray:
    draws = _generator(seed).standard_normal(shape, _wide(dtype))
    return np.asarray(draws).astype(_dtype(dtype), copy=False)


def random_randint(
    shape: Any, minval: Any, maxval: Any, seed: np.ndarray, dtype: str = "int32"
) -> np.ndarray:
    kind = np.uint64 if dtype == "uint64" else np.int64
    draws = _generator(seed).integers(int(minval), int(maxval), shape, kind)
    return np.asarray(draws).astype(_dtype(dtype))


def random_bernoulli(shape: Any, probability: float, seed: np.ndarray) -> np.ndarray:
    return np.asarray(_generator(seed).random(shape, np.float32) < probability)


def random_gamma(alpha: np.ndarray, seed: np.ndarray) -> np.ndarray:
    draws = _generator(seed).standard_gamma(alpha.astype(np.float64))
    return np.asarray(draws).astype(alpha.dtype)


def random_binomial(counts: np.ndarray, probabilities: np.ndarray, seed: np.ndarray) -> np.ndarray:
    draws = _generator(seed).binomial(counts.astype(np.int64), probabilities.astype(np.float64))
    return np.asarray(draws).astype(counts.dtype)


_OWN = (
    random_uniform, random_normal, random_randint, random_bernoulli, random_gamma, random_binomial,
)  # fmt: skip
KERNELS: dict[str, Callable[..., Any]] = {f.__name__: f for f in _OWN}
