"""`Dropout`: elements set to 0 at random in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.seeds import SeedGenerator
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor
from kerata.ops.random import random_dropout


def checked_rate(layer: Layer, name: str, rate: Any) -> float:
    """A share from 0 to 1.

    Raises:
        ValueError: it is none.
    """
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        raise ValueError(
            f"{type(layer).__name__}: {name} must be a number from 0 to 1; got {rate!r}"
        )
    return rate


def dropped(
    x: Tensor,
    rate: float,
    generator: SeedGenerator,
    noise_shape: Sequence[int | None] | None = None,
) -> Tensor:
    """`x` with a share `rate`, from 0 to 1, of the elements set to 0 and the others scaled up."""
    if rate == 1:
        return ops.zeros_like(x)
    return random_dropout(x, rate, noise_shape, generator.next())


class Dropout(Layer):
    """In training, a share `rate` of the elements is 0 and the others are divided by `1 - rate`.

    Srivastava et al., 2014.

    Args:
        rate: the share, from 0 to 1.
        noise_shape: 1 for each axis along which elements share their fate, else the size or None.
        seed: an int, for the same draws in every run.

    Input and output: any shape.

    >>> Dropout(0.5)(ops.convert_to_tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(self, "rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The inputs, some of them 0 in training."""
        if not training or self.rate == 0:
            return inputs
        if self.noise_shape is not None and len(self.noise_shape) != len(inputs.shape):
            raise ValueError(
                f"Dropout: noise_shape must have a size for each of the {len(inputs.shape)} axes "
                f"of the input; got {self.noise_shape}"
            )
        return dropped(inputs, self.rate, self.seed_generator, self.noise_shape)
