"""Pooling over all of a sequence, an image or a volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from kerata import ops
from kerata.layers.families import Spatial
from kerata.ops.dispatch import Tensor


class BaseGlobalPooling(Spatial):
    """One element for each channel.

    Args:
        data_format: "channels_last", "channels_first", or None for the configured one.
        keepdims: whether the spatial axes stay, with size 1.

    Attributes:
        pool: the operation, a reduction.
    """

    pool: ClassVar[Callable[..., Tensor]]

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.keepdims = keepdims

    def call(self, inputs: Tensor) -> Tensor:
        """The pooled inputs."""
        return type(self).pool(inputs, self.spatial_axes, self.keepdims)


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean of each channel, over the steps that a mask leaves.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: `(batch, channels)`.

    >>> GlobalAveragePooling1D().compute_output_shape((None, 7, 512))
    (None, 512)
    """

    rank = 1
    pool = ops.mean
    supports_masking = True

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        """The pooled inputs; a sequence of which the mask leaves nothing gives NaN."""
        if mask is None:
            return super().call(inputs)
        count = ops.sum(ops.cast(mask, "int32"), 1, True)
        shares = ops.divide(ops.cast(mask, inputs.dtype), ops.cast(count, inputs.dtype))
        shares = ops.expand_dims(shares, self.channel_axis)
        return ops.sum(ops.multiply(inputs, shares), self.spatial_axes, self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: the steps are gone."""
        return None


class GlobalAveragePooling2D(BaseGlobalPooling):
    """The mean of each channel.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalAveragePooling2D().compute_output_shape((None, 7, 7, 512))
    (None, 512)
    """

    rank = 2
    pool = ops.mean


class GlobalAveragePooling3D(BaseGlobalPooling):
    """The mean of each channel.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalAveragePooling3D().compute_output_shape((None, 7, 7, 7, 512))
    (None, 512)
    """

    rank = 3
    pool = ops.mean


class GlobalMaxPooling1D(BaseGlobalPooling):
    """The largest element of each channel.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: `(batch, channels)`.

    >>> GlobalMaxPooling1D().compute_output_shape((None, 7, 512))
    (None, 512)
    """

    rank = 1
    pool = ops.max


class GlobalMaxPooling2D(BaseGlobalPooling):
    """The largest element of each channel.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalMaxPooling2D().compute_output_shape((None, 7, 7, 512))
    (None, 512)
    """

    rank = 2
    pool = ops.max


class GlobalMaxPooling3D(BaseGlobalPooling):
    """The largest element of each channel.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalMaxPooling3D().compute_output_shape((None, 7, 7, 7, 512))
    (None, 512)
    """

    rank = 3
    pool = ops.max
