"""Layers that add zeros at the ends of axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.arguments import pairs
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class BaseZeroPadding(Layer):
    """The input with zeros at the ends of `rank` spatial axes.

    Attributes:
        rank: the number of spatial axes.
    """

    rank: ClassVar[int]
    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        found = pairs(self, "padding", padding, self.rank)
        self.padding: Any = found[0] if self.rank == 1 else found
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        none = ((0, 0),)
        last = self.data_format == "channels_last"
        self._width = none + found + none if last else none * 2 + found

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs with zeros around them."""
        return ops.pad(inputs, self._width)


class ZeroPadding1D(BaseZeroPadding):
    """A sequence with zeros before and after it.

    Args:
        padding: how many at the start and at the end, or one int for both.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with more steps.

    >>> ZeroPadding1D((1, 2)).compute_output_shape((None, 7, 3))
    (None, 10, 3)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(BaseZeroPadding):
    """Images with margins of zeros.

    Args:
        padding: `((top, bottom), (left, right))`, or one int for a pair or for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with more rows and columns.

    >>> ZeroPadding2D(((2, 1), 4)).compute_output_shape((None, 25, 20, 3))
    (None, 28, 28, 3)
    """

    rank = 2

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(BaseZeroPadding):
    """Volumes with margins of zeros.

    Args:
        padding: a pair for each of depth, height and width, or one int for a pair or for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with more planes, rows and columns.

    >>> ZeroPadding3D((1, 2, 3)).compute_output_shape((None, 7, 5, 3, 3))
    (None, 9, 9, 9, 3)
    """

    rank = 3

    def __init__(
        self,
        padding: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(padding, data_format, **kwargs)
