"""Layers that cut elements off the ends of axes."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import pairs
from kerata.layers.families import Spatial
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class BaseCropping(Spatial):
    """The input without the ends of `rank` spatial axes.

    Args:
        cropping: a pair, how many at the start and at the end, for each spatial axis; or one int
            for a pair or for all.
        data_format: "channels_last", "channels_first", or None for the configured one.
    """

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self._pairs = pairs(self, "cropping", cropping, self.rank)
        self.cropping: Any = self._pairs[0] if self.rank == 1 else self._pairs

    def call(self, inputs: Tensor) -> Tensor:
        """The middle of the inputs."""
        sizes = ops.shape(inputs)
        key = [slice(None)] * len(sizes)
        for axis, (before, after) in zip(self.spatial_axes, self._pairs, strict=True):
            size = sizes[axis]
            if isinstance(size, int) and before + after >= size:
                raise ValueError(
                    f"{type(self).__name__}: cropping {self.cropping} leaves nothing of axis "
                    f"{axis} of an input of shape {tuple(sizes)}"
                )
            key[axis] = slice(before, -after if after else None)
        return ops.getitem(inputs, tuple(key))


class Cropping1D(BaseCropping):
    """A sequence without its first and last steps.

    Args:
        cropping: how many at the start and at the end, or one int for both.

    Input: `(batch, length, channels)`. Output: the same with fewer steps.

    >>> Cropping1D((1, 2)).compute_output_shape((None, 10, 3))
    (None, 7, 3)
    """

    rank = 1
    live = Layer.live

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(BaseCropping):
    """Images without their margins.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with fewer rows and columns.

    >>> Cropping2D(((2, 1), 4)).compute_output_shape((None, 28, 28, 3))
    (None, 25, 20, 3)
    """

    rank = 2


class Cropping3D(BaseCropping, cropping=((1, 1), (1, 1), (1, 1))):
    """Volumes without their margins.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with fewer planes, rows and columns.

    >>> Cropping3D((1, 2, 3)).compute_output_shape((None, 9, 9, 9, 3))
    (None, 7, 5, 3, 3)
    """

    rank = 3
