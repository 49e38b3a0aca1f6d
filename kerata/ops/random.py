"""Random draws as functions of a seed: two int32 numbers, `[seed, counter]`.

`kerata.random` has the public functions, which take a `SeedGenerator` or an int.
"""

from __future__ import annotations

from typing import Any

from kerata.backends import dtypes
from kerata.ops import creation
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite, primitive


@primitive()
def random_uniform(shape: Any, seed: Tensor, dtype: str = "float32") -> Tensor:
    """Uniform draws from [0, 1)."""


@primitive()
def random_normal(shape: Any, seed: Tensor, dtype: str = "float32") -> Tensor:
    """Standard normal draws."""


@primitive()
def random_randint(
    shape: Any, minval: Any, maxval: Any, seed: Tensor, dtype: str = "int32"
) -> Tensor:
    """Uniform integers from [minval, maxval)."""


@primitive()
def random_bernoulli(shape: Any, probability: float, seed: Tensor) -> Tensor:
    """Booleans that are true with `probability`, to within 2⁻¹⁶."""


@primitive()
def random_gamma(alpha: Tensor, seed: Tensor) -> Tensor:
    """Draws from the gamma distributions of shape parameters `alpha` (positive) and scale 1."""


@primitive()
def random_binomial(counts: Tensor, probabilities: Tensor, seed: Tensor) -> Tensor:
    """How many of `counts` (whole floats) trials succeed, each with its probability."""


@composite()
def random_dropout(x: Tensor, rate: float, noise_shape: Any, seed: Tensor) -> Tensor:
    """`x` with a share `rate` of the elements set to 0 and the others divided by `1 - rate`.

    `noise_shape` has 1 (or None, the size of `x`) for each axis along which the choice is shared.
    """
    sizes = sh.shape(x)
    if noise_shape is not None:
        sizes = tuple(s if n is None else n for n, s in zip(noise_shape, sizes, strict=True))
    keep = random_bernoulli(sizes, 1.0 - rate, seed)
    zero = creation.full((), 0, dtypes.standardize_dtype(x.dtype))
    return ew.where(keep, ew.multiply(x, 1.0 / (1.0 - rate)), zero)
