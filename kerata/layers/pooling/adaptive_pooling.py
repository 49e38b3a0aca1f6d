"""Pooling to a given size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from kerata import ops
from kerata.layers.arguments import spread
from kerata.layers.families import Spatial
from kerata.ops.dispatch import Tensor


class BaseAdaptivePooling(Spatial):
    """As many elements along `rank` spatial axes as asked for, whatever their sizes.

    Bin i of m on an axis of n has the elements from `floor(i * n / m)` up to but without
    `ceil((i + 1) * n / m)`.

    Args:
        output_size: how many along each spatial axis, or one int for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Attributes:
        pool: the operation.
    """

    pool: ClassVar[Callable[..., Tensor]]

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.output_size = spread(self, "output_size", output_size, self.rank)

    def call(self, inputs: Tensor) -> Tensor:
        """The pooled inputs."""
        return type(self).pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPooling1D(BaseAdaptivePooling):
    """The largest elements of `output_size` bins of each spatial axis, channel by channel.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveMaxPooling1D(4).compute_output_shape((None, None, 3))
    (None, 4, 3)
    """

    rank = 1
    pool = ops.adaptive_max_pool


class AdaptiveMaxPooling2D(BaseAdaptivePooling):
    """The largest elements of `output_size` bins of each spatial axis, channel by channel.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveMaxPooling2D(4).compute_output_shape((None, None, None, 3))
    (None, 4, 4, 3)
    """

    rank = 2
    pool = ops.adaptive_max_pool


class AdaptiveMaxPooling3D(BaseAdaptivePooling):
    """The largest elements of `output_size` bins of each spatial axis, channel by channel.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveMaxPooling3D(4).compute_output_shape((None, None, None, None, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3
    pool = ops.adaptive_max_pool


class AdaptiveAveragePooling1D(BaseAdaptivePooling):
    """The means of `output_size` bins of each spatial axis, channel by channel.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveAveragePooling1D(4).compute_output_shape((None, None, 3))
    (None, 4, 3)
    """

    rank = 1
    pool = ops.adaptive_average_pool


class AdaptiveAveragePooling2D(BaseAdaptivePooling):
    """The means of `output_size` bins of each spatial axis, channel by channel.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveAveragePooling2D(4).compute_output_shape((None, None, None, 3))
    (None, 4, 4, 3)
    """

    rank = 2
    pool = ops.adaptive_average_pool


class AdaptiveAveragePooling3D(BaseAdaptivePooling):
    """The means of `output_size` bins of each spatial axis, channel by channel.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveAveragePooling3D(4).compute_output_shape((None, None, None, None, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3
    pool = ops.adaptive_average_pool
