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
from kerata.ops.random import (
    random_binomial,
    random_dropout,
    random_gamma,
    random_normal,
    random_randint,
    random_uniform,
)  # fmt: skip

Shape = Sequence[Any]
Seed = int | SeedGenerator | None

# erf(√2): the share of normal draws within two standard deviations.
_WITHIN_TWO = 0.9544997361036416
# Added to a seed it gives one for another draw of the same call.
_ELSEWHERE = np.array([0x5851F42D, 0], np.int32)


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
    """Uniform draws from `[minval, maxval)`; rounding in the dtype may give `maxval`."""
    draws = random_uniform(shape, draw_seed(seed), dtypes.standardize_dtype(dtype))
    return ops.add(ops.multiply(draws, maxval - minval), minval)


def randint(
    shape: Shape, minval: Any, maxval: Any, dtype: Any = "int32", seed: Seed = None
) -> Tensor:
    """Uniform integers from `[minval, maxval)`.

    Args:
        shape: sizes.
        minval: an int (or a scalar tensor), the least that is drawn.
        maxval: the same, one more than the largest.
        dtype: an integer dtype.
        seed: see the module.

    Raises:
        ValueError: `dtype` is no integer dtype, or can't hold the range, or the range is empty.
    """
    kind = dtypes.standardize_dtype(dtype)
    if not dtypes.is_integer(kind):
        raise ValueError(f"randint: dtype must be an integer dtype; got {dtype!r}")
    if isinstance(minval, int) and isinstance(maxval, int):
        low, high = dtypes.bounds(kind)
        if not low <= minval < maxval <= high + 1:
            raise ValueError(
                f"randint: minval must be less than maxval, both within {kind}'s {low} to {high}; "
                f"got minval={minval} and maxval={maxval}"
            )
    return random_randint(shape, minval, maxval, draw_seed(seed), kind)


def truncated_normal(
    shape: Shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Draws from a normal distribution cut off at two standard deviations.

    `mean + stddev * √2 * erfinv(u)`, `u` uniform within `±erf(√2)`.
    """
    kind, wide = _kinds(dtype)
    u = random_uniform(shape, draw_seed(seed), wide)
    centred = ops.multiply(ops.subtract(u, 0.5), 2.0 * _WITHIN_TWO)
    draws = ops.clip(ops.multiply(ops.erfinv(centred), math.sqrt(2.0)), -2.0, 2.0)
    return ops.cast(ops.add(ops.multiply(draws, stddev), mean), kind)


def _kinds(dtype: Any) -> tuple[str, str]:
    """The dtype to give, and the one to calculate in."""
    kind = dtypes.standardize_dtype(dtype)
    return kind, "float64" if kind == "float64" else "float32"


def _spread(x: Any, shape: Shape, dtype: str) -> Tensor:
    return ops.broadcast_to(ops.cast(x, dtype), tuple(shape))


def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draws from gamma distributions of scale 1.

    Args:
        shape: sizes.
        alpha: the shape parameter(s), broadcast to `shape`; 0 gives 0, negative ones NaN.
        dtype: a float dtype; None for `config.floatx()`.
        seed: see the module.

    >>> gamma((2, 3), [0.5, 1.0, 20.0], seed=1).shape
    (2, 3)
    """
    kind, wide = _kinds(dtype)
    alpha = _spread(alpha, shape, wide)
    positive = ops.greater(alpha, 0.0)
    draws = random_gamma(ops.where(positive, alpha, 1.0), draw_seed(seed))
    others = ops.where(ops.equal(alpha, 0.0), 0.0, math.nan)
    return ops.cast(ops.where(positive, draws, ops.cast(others, wide)), kind)


def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draws from beta distributions.

    `x / (x + y)` of two gamma draws, by their logarithms: that of a small shape parameter `a` is
    `log(gamma(a + 1)) + log(u) / a`, `u` uniform (Marsaglia & Tsang, 2000), which can't underflow.

    Args:
        shape: sizes.
        alpha: the first parameter(s), broadcast to `shape`; where one is not positive, NaN.
        beta: the second.
        dtype: a float dtype; None for `config.floatx()`.
        seed: see the module.
    """
    kind, wide = _kinds(dtype)
    parameters = ops.stack([_spread(x, shape, wide) for x in (alpha, beta)])
    legal = ops.all(ops.greater(parameters, 0.0), axis=0)
    safe = ops.where(ops.greater(parameters, 0.0), parameters, 1.0)
    first = draw_seed(seed)
    draws = random_gamma(ops.add(safe, 1.0), first)
    u = random_uniform((2, *shape), ops.add(first, _ELSEWHERE), wide)
    logs = ops.add(ops.log(draws), ops.divide(ops.log1p(ops.negative(u)), safe))
    found = ops.sigmoid(ops.subtract(logs[0], logs[1]))
    return ops.cast(ops.where(legal, found, math.nan), kind)


def binomial(
    shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """How many of a number of trials succeed.

    Args:
        shape: sizes.
        counts: the number(s) of trials, broadcast to `shape`.
        probabilities: of success, from 0 to 1, broadcast to `shape`. Where a count is negative or a
            probability none, the result is NaN (0 in integer dtypes).
        dtype: a float or integer dtype; None for `config.floatx()`.
        seed: see the module.
    """
    kind, wide = _kinds(dtype)
    n, p = ops.floor(_spread(counts, shape, wide)), _spread(probabilities, shape, wide)
    legal = ops.logical_and(
        ops.greater_equal(n, 0.0),
        ops.logical_and(ops.greater_equal(p, 0.0), ops.less_equal(p, 1.0)),
    )
    draws = random_binomial(ops.where(legal, n, 0.0), ops.where(legal, p, 0.0), draw_seed(seed))
    if dtypes.is_float(kind):
        draws = ops.where(legal, draws, math.nan)
    return ops.cast(draws, kind)


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
    """`x` with its slices along `axis` in random order.

    A seed gives one order, on every backend and in compiled functions.

    >>> shuffle([0, 1, 2, 3, 4], seed=1).tolist()
    [2, 3, 1, 0, 4]
    """
    size = ops.shape(x)[axis]
    return ops.take(x, ops.argsort(_bits(size, draw_seed(seed))), axis)


def _mixed(x: Tensor) -> Tensor:
    """A bijection of uint32 numbers whose every output bit depends on every input bit.

    The constants are those of the "lowbias32" hash (C. Wellons, 2018).
    """
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ops.multiply(ops.bitwise_xor(x, ops.right_shift(x, shift)), np.uint32(factor))
    return ops.bitwise_xor(x, ops.right_shift(x, 16))


def _bits(count: Any, seed: Tensor) -> Tensor:
    """`(count,)` hashes of place and seed, uint32, the same on every backend."""
    words = _mixed(ops.add(ops.cast(seed, "uint32"), np.array([0x9E3779B9, 0], np.uint32)))
    places = ops.arange(count, dtype="uint32")
    return _mixed(ops.add(_mixed(ops.bitwise_xor(places, words[:1])), words[1:]))


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
