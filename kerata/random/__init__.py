"""Random numbers: draws that follow from a seed, or from the process' own stream of seeds.

`seed` is an int (the same draws at every call), a `SeedGenerator` (new ones at every call), or None
for the process' own generator, which `kerata.utils.set_random_seed` sets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata import ops
from kerata.backends import dtypes
from kerata.core.seeds import SeedGenerator, draw_seed
from kerata.ops.dispatch import Tensor
from kerata.ops.random import random_dropout, random_normal, random_randint, random_uniform

Shape = Sequence[Any]
Seed = int | SeedGenerator | None

# erf(√2): the share of normal draws within two standard deviations.
_WITHIN_TWO = 0.9544997361036416
# Up to this size `shuffle` sorts by comparing all pairs, which any program can hold.
_PAIRS = 1024


def normal(
    shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Normal draws of this `mean` and standard deviation.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    draws = random_normal(shape, draw_seed(seed), dtypes.standardize_dtype(dtype))
    return ops.add(ops.multiply(draws, stddev), mean)


def uniform(
    shape: Shape, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Uniform draws from `[minval, maxval)`."""
    draws = random_uniform(shape, draw_seed(seed), dtypes.standardize_dtype(dtype))
    return ops.add(ops.multiply(draws, maxval - minval), minval)


def randint(
    shape: Shape, minval: Any, maxval: Any, dtype: Any = "int32", seed: Seed = None
) -> Tensor:
    """Uniform integers from `[minval, maxval)`.

    Raises:
        ValueError: `dtype` is no integer dtype.
    """
    kind = dtypes.standardize_dtype(dtype)
    if not dtypes.is_integer(kind):
        raise ValueError(f"randint: dtype must be an integer dtype; got {dtype!r}")
    return random_randint(shape, minval, maxval, draw_seed(seed), kind)


def truncated_normal(
    shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Draws from a normal distribution cut off at two standard deviations.

    `mean + stddev * √2 * erfinv(u)`, `u` uniform within `±erf(√2)`.
    """
    kind = dtypes.standardize_dtype(dtype)
    wide = "float64" if kind == "float64" else "float32"
    u = random_uniform(shape, draw_seed(seed), wide)
    centred = ops.multiply(ops.subtract(u, 0.5), 2.0 * _WITHIN_TWO)
    draws = ops.clip(ops.multiply(ops.erfinv(centred), math.sqrt(2.0)), -2.0, 2.0)
    return ops.cast(ops.add(ops.multiply(draws, stddev), mean), kind)


def dropout(
    inputs: Tensor, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None
) -> Tensor:
    """`inputs` with a share `rate` of the elements set to 0 and the others divided by `1 - rate`.

    Args:
        inputs: any shape.
        rate: from 0 to less than 1.
        noise_shape: 1 for each axis along which elements share their fate, else the size or None.
        seed: see the module.
    """
    if not rate:
        return ops.convert_to_tensor(inputs)
    return random_dropout(inputs, rate, noise_shape, draw_seed(seed))


def shuffle(x: Tensor, axis: int = 0, seed: Seed = None) -> Tensor:
    """`x` with its slices along `axis` in random order."""
    size = ops.shape(x)[axis]
    keys = random_uniform((size,), draw_seed(seed), "float32")
    if isinstance(size, int) and size > _PAIRS:
        order = np.argsort(ops.convert_to_numpy(keys), kind="stable").astype(np.int32)
    else:
        order = _argsort_by_pairs(keys, size)
    return ops.take(x, order, axis)


def _argsort_by_pairs(keys: Tensor, size: Any) -> Tensor:
    places = ops.arange(size)
    row, column = ops.expand_dims(keys, 0), ops.expand_dims(keys, 1)
    earlier = ops.logical_and(
        ops.equal(row, column), ops.less(ops.expand_dims(places, 0), ops.expand_dims(places, 1))
    )
    ranks = ops.count_nonzero(ops.logical_or(ops.less(row, column), earlier), axis=1)
    hits = ops.equal(ops.expand_dims(ranks, 0), ops.expand_dims(places, 1))
    return ops.argmax(ops.cast(hits, "int32"), axis=1)


def categorical(
    logits: Tensor, num_samples: int, dtype: Any = "int32", seed: Seed = None
) -> Tensor:
    """Classes drawn with the probabilities `softmax(logits)`, by the Gumbel trick.

    Args:
        logits: `(batch, classes)`.
        num_samples: draws for each row.
        dtype: an integer dtype.
        seed: see the module.

    Returns:
        `(batch, num_samples)`.
    """
    batch, classes = ops.shape(logits)
    u = random_uniform((batch, num_samples, classes), draw_seed(seed), "float32")
    noise = ops.negative(ops.log(ops.negative(ops.log(u))))
    scores = ops.add(ops.cast(ops.expand_dims(logits, 1), "float32"), noise)
    return ops.cast(ops.argmax(scores, axis=-1), dtypes.standardize_dtype(dtype))
