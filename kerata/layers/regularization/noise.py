"""Noise in training: added, multiplied, or in place of elements."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core.seeds import SeedGenerator
from kerata.layers.arguments import number
from kerata.layers.layer import Layer
from kerata.layers.regularization.dropout import BaseDropout, noise_sizes
from kerata.ops.dispatch import Tensor
from kerata.ops.random import random_bernoulli, random_normal


class GaussianNoise(Layer):
    """In training, normal noise of mean 0 is added.

    Args:
        stddev: its standard deviation, 0 or more.
        seed: an int, for the same draws in every run.

    Input and output: any shape.
    """

    supports_masking = True

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = number(self, "stddev", stddev, 0)
        self.seed = seed
        if stddev > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The inputs, with noise in training."""
        if not training or self.stddev == 0:
            return inputs
        noise = random_normal(ops.shape(inputs), self.seed_generator.next(), self.compute_dtype)
        return ops.add(inputs, ops.multiply(noise, self.stddev))


class GaussianDropout(BaseDropout):
    """In training, elements are multiplied by normal noise of mean 1.

    Its standard deviation is `sqrt(rate / (1 - rate))`, that of `Dropout`'s factors. Srivastava et
    al., 2014.

    Args:
        rate: the share that `Dropout` would set to 0, from 0 to less than 1.
        seed: an int, for the same draws in every run.

    Input and output: any shape.
    """

    all_of_it = False

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(rate, None, seed, **kwargs)

    def replaced(self, inputs: Tensor) -> Tensor:
        """The inputs, multiplied by noise."""
        noise = random_normal(ops.shape(inputs), self.seed_generator.next(), self.compute_dtype)
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return ops.multiply(inputs, ops.add(ops.multiply(noise, stddev), 1.0))


class AlphaDropout(BaseDropout):
    """`Dropout` that keeps mean 0 and variance 1, as `selu` makes them.

    In training a share `rate` of the elements, less than 1, becomes selu's limit far below 0; then
    all are scaled and shifted. Klambauer et al., 2017.

    Input and output: any shape.
    """

    all_of_it = False
    limit = -1.7580993408473766

    def replaced(self, inputs: Tensor) -> Tensor:
        """The inputs, some of them replaced."""
        shape = noise_sizes(self, inputs, self.noise_shape)
        keep = random_bernoulli(shape, 1.0 - self.rate, self.seed_generator.next())
        scale = ((1.0 - self.rate) * (1.0 + self.rate * self.limit**2)) ** -0.5
        x = ops.where(keep, inputs, ops.cast(self.limit, inputs.dtype))
        return ops.add(ops.multiply(x, scale), -scale * self.limit * self.rate)
