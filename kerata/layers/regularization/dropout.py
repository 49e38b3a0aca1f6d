"""`Dropout`: elements set to 0 at random in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from kerata import ops
from kerata.core.seeds import SeedGenerator
from kerata.layers.arguments import number, positive
from kerata.layers.families import Family
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor
from kerata.ops.random import random_dropout


def dropped(
    x: Tensor,
    rate: float,
    generator: SeedGenerator,
    noise_shape: Sequence[Any] | None = None,
) -> Tensor:
    """`x` with a share `rate`, from 0 to 1, of the elements set to 0 and the others scaled up."""
    if rate == 1:
        return ops.zeros_like(x)
    return random_dropout(x, rate, noise_shape, generator.next())


def _shape(layer: Layer, noise_shape: Any) -> tuple[int | None, ...]:
    """`noise_shape` as a tuple."""
    if not isinstance(noise_shape, (list, tuple)):
        raise ValueError(
            f"{type(layer).__name__}: noise_shape must be a sequence of sizes, with None for those "
            f"of the input; got {noise_shape!r}"
        )
    return tuple(None if n is None else positive(layer, "noise_shape", n) for n in noise_shape)


def noise_sizes(layer: Layer, x: Tensor, noise_shape: Any) -> tuple[Any, ...]:
    """The sizes of the noise for `x`: those of `x` where `noise_shape` has None, or is None.

    Raises:
        ValueError: it has not as many axes as `x`.
    """
    sizes = ops.shape(x)
    if noise_shape is None:
        return tuple(sizes)
    if len(noise_shape) != len(sizes):
        raise ValueError(
            f"{type(layer).__name__}: noise_shape must have a size for each of the {len(sizes)} "
            f"axes of the input; got {noise_shape}"
        )
    return tuple(s if n is None else n for n, s in zip(noise_shape, sizes, strict=True))


class BaseDropout(Family, Layer):
    """In training, inputs of which a share is replaced; subclasses say how, in `replaced`.

    Args:
        rate: the share, from 0 to 1.
        noise_shape: 1 for each axis along which elements share their fate, else the size or None.
        seed: an int, for the same draws in every run.

    Attributes:
        all_of_it: whether `rate` may be 1.
    """

    supports_masking = True
    all_of_it: ClassVar[bool] = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = number(self, "rate", rate, 0, 1, None if self.all_of_it else 1)
        self.noise_shape = None if noise_shape is None else _shape(self, noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The inputs, some of them replaced in training."""
        return self.replaced(inputs) if training and self.rate else inputs

    def replaced(self, inputs: Tensor) -> Tensor:
        """What training makes of the inputs."""
        raise NotImplementedError(f"{type(self).__name__} must define replaced(self, inputs)")


class Dropout(BaseDropout):
    """In training, a share `rate` of the elements is 0 and the others are divided by `1 - rate`.

    Srivastava et al., 2014.

    Input and output: any shape.

    >>> Dropout(0.5)(ops.convert_to_tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    def replaced(self, inputs: Tensor) -> Tensor:
        """The inputs, a share of them 0."""
        shape = None if self.noise_shape is None else noise_sizes(self, inputs, self.noise_shape)
        return dropped(inputs, self.rate, self.seed_generator, shape)
