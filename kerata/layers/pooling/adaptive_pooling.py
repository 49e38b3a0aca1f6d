"""Pooling to a given size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.arguments import spread
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class BaseAdaptivePooling(Layer):
    """As many elements along `rank` spatial axes as asked for, whatever their sizes.

    Bin i of m on an axis of n has the elements from `floor(i * n / m)` up to but without
    `ceil((i + 1) * n / m)`.

    Attributes:
        rank: the number of spatial axes.
        pool: the operation.
    """

    rank: ClassVar[int]
    pool: ClassVar[Callable[..., Tensor]]
    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = spread(self, "output_size", output_size, self.rank)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        """The pooled inputs."""
        return type(self).pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(BaseAdaptivePooling):
    """The means of `output_size` bins of each spatial axis, channel by channel.

    Args:
        output_size: the number of steps.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveAveragePooling1D(4).compute_output_shape((None, None, 3))
    (None, 4, 3)
    """

    rank = 1
    pool = ops.adaptive_average_pool


class AdaptiveAveragePooling2D(BaseAdaptivePooling):
    """The means of `output_size` bins of each spatial axis, channel by channel.

    Args:
        output_size: the number of rows and columns, or one int for both.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveAveragePooling2D(4).compute_output_shape((None, None, None, 3))
    (None, 4, 4, 3)
    """

    rank = 2
    pool = ops.adaptive_average_pool


class AdaptiveAveragePooling3D(BaseAdaptivePooling):
    """The means of `output_size` bins of each spatial axis, channel by channel.

    Args:
        output_size: the number of planes, rows and columns, or one int for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveAveragePooling3D(4).compute_output_shape((None, None, None, None, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3
    pool = ops.adaptive_average_pool


class AdaptiveMaxPooling1D(BaseAdaptivePooling):
    """The largest elements of `output_size` bins of each spatial axis, channel by channel.

    Args:
        output_size: the number of steps.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveMaxPooling1D(4).compute_output_shape((None, None, 3))
    (None, 4, 3)
    """

    rank = 1
    pool = ops.adaptive_max_pool


class AdaptiveMaxPooling2D(BaseAdaptivePooling):
    """The largest elements of `output_size` bins of each spatial axis, channel by channel.

    Args:
        output_size: the number of rows and columns, or one int for both.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveMaxPooling2D(4).compute_output_shape((None, None, None, 3))
    (None, 4, 4, 3)
    """

    rank = 2
    pool = ops.adaptive_max_pool


class AdaptiveMaxPooling3D(BaseAdaptivePooling):
    """The largest elements of `output_size` bins of each spatial axis, channel by channel.

    Args:
        output_size: the number of planes, rows and columns, or one int for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with the sizes asked for.

    >>> AdaptiveMaxPooling3D(4).compute_output_shape((None, None, None, None, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3
    pool = ops.adaptive_max_pool
