"""Pooling over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from kerata import ops
from kerata.layers.arguments import one_of, spread
from kerata.layers.families import Spatial
from kerata.ops.dispatch import Tensor


class BasePooling(Spatial):
    """One element for each window of `rank` spatial axes.

    Args:
        pool_size: the window, one int or one for each spatial axis.
        strides: from window to window; None for `pool_size`.
        padding: "valid" (whole windows only) or "same" (the output has `ceil(size / stride)`).
        data_format: "channels_last", "channels_first", or None for the configured one.
        name: its name.

    Attributes:
        pool: the operation.
    """

    pool: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, name=name, **kwargs)
        self.pool_size = spread(self, "pool_size", pool_size, self.rank)
        steps = pool_size if strides is None else strides
        self.strides = spread(self, "strides", steps, self.rank)
        self.padding = one_of(self, "padding", padding, ("valid", "same"))

    def call(self, inputs: Tensor) -> Tensor:
        """The pooled inputs."""
        return type(self).pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(BasePooling):
    """The largest element of each window, channel by channel.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with fewer steps.

    >>> MaxPooling1D().compute_output_shape((None, 28, 3))
    (None, 14, 3)
    """

    rank = 1
    pool = ops.max_pool


class MaxPooling2D(BasePooling, pool_size=(2, 2)):
    """The largest element of each window, channel by channel.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with fewer rows and columns.

    >>> MaxPooling2D().compute_output_shape((None, 28, 28, 3))
    (None, 14, 14, 3)
    """

    rank = 2
    pool = ops.max_pool


class MaxPooling3D(BasePooling, pool_size=(2, 2, 2)):
    """The largest element of each window, channel by channel.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with fewer planes, rows and columns.

    >>> MaxPooling3D().compute_output_shape((None, 8, 28, 28, 3))
    (None, 4, 14, 14, 3)
    """

    rank = 3
    pool = ops.max_pool


class AveragePooling1D(BasePooling):
    """The mean of each window, channel by channel; padding does not count.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with fewer steps.

    >>> AveragePooling1D().compute_output_shape((None, 28, 3))
    (None, 14, 3)
    """

    rank = 1
    pool = ops.average_pool


class AveragePooling2D(BasePooling, pool_size=(2, 2)):
    """The mean of each window, channel by channel; padding does not count.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with fewer rows and columns.

    >>> AveragePooling2D().compute_output_shape((None, 28, 28, 3))
    (None, 14, 14, 3)
    """

    rank = 2
    pool = ops.average_pool


class AveragePooling3D(BasePooling, pool_size=(2, 2, 2)):
    """The mean of each window, channel by channel; padding does not count.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with fewer planes, rows and columns.

    >>> AveragePooling3D().compute_output_shape((None, 8, 28, 28, 3))
    (None, 4, 14, 14, 3)
    """

    rank = 3
    pool = ops.average_pool
