"""Layers that put zeros at the ends of axes."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import pairs
from kerata.layers.families import Spatial
from kerata.ops.dispatch import Tensor


class BaseZeroPadding(Spatial):
    """The input with zeros at the ends of `rank` spatial axes.

    Args:
        padding: a pair, how many at the start and at the end, for each spatial axis; or one int
            for a pair or for all.
        data_format: "channels_last", "channels_first", or None for the configured one.
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        found = pairs(self, "padding", padding, self.rank)
        self.padding: Any = found[0] if self.rank == 1 else found
        none = ((0, 0),)
        last = self.data_format == "channels_last"
        self._width = none + found + none if last else none * 2 + found

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs with zeros around them."""
        return ops.pad(inputs, self._width)


class ZeroPadding1D(BaseZeroPadding):
    """A sequence with zeros before and after it.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with more steps.

    >>> ZeroPadding1D((1, 2)).compute_output_shape((None, 7, 3))
    (None, 10, 3)
    """

    rank = 1


class ZeroPadding2D(BaseZeroPadding, padding=(1, 1)):
    """Images with margins of zeros.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with more rows and columns.

    >>> ZeroPadding2D(((2, 1), 4)).compute_output_shape((None, 25, 20, 3))
    (None, 28, 28, 3)
    """

    rank = 2


class ZeroPadding3D(BaseZeroPadding, padding=((1, 1), (1, 1), (1, 1))):
    """Volumes with margins of zeros.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with more planes, rows and columns.

    >>> ZeroPadding3D((1, 2, 3)).compute_output_shape((None, 7, 5, 3, 3))
    (None, 9, 9, 9, 3)
    """

    rank = 3
