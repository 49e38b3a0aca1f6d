"""Pooling over all of a sequence, an image or a volume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class BaseGlobalPooling(Layer):
    """One element for each channel.

    Attributes:
        rank: the number of spatial axes.
        pool: the operation, a reduction.
    """

    rank: ClassVar[int]
    pool: ClassVar[Callable[..., Tensor]]
    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))

    def call(self, inputs: Tensor) -> Tensor:
        """The pooled inputs."""
        return type(self).pool(inputs, self._axes, self.keepdims)


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean of each channel, over the steps that a mask leaves.

    Args:
        data_format: "channels_last", "channels_first", or None for the configured one.
        keepdims: whether the spatial axis stays, with size 1.

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
        shares = ops.expand_dims(shares, 2 if self.data_format == "channels_last" else 1)
        return ops.sum(ops.multiply(inputs, shares), self._axes, self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: the steps are gone."""
        return None


class GlobalAveragePooling2D(BaseGlobalPooling):
    """The mean of each channel.

    Args:
        data_format: "channels_last", "channels_first", or None for the configured one.
        keepdims: whether the spatial axes stay, with size 1.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalAveragePooling2D().compute_output_shape((None, 7, 7, 512))
    (None, 512)
    """

    rank = 2
    pool = ops.mean


class GlobalAveragePooling3D(BaseGlobalPooling):
    """The mean of each channel.

    Args:
        data_format: "channels_last", "channels_first", or None for the configured one.
        keepdims: whether the spatial axes stay, with size 1.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalAveragePooling3D().compute_output_shape((None, 7, 7, 7, 512))
    (None, 512)
    """

    rank = 3
    pool = ops.mean


class GlobalMaxPooling1D(BaseGlobalPooling):
    """The largest element of each channel.

    Args:
        data_format: "channels_last", "channels_first", or None for the configured one.
        keepdims: whether the spatial axis stays, with size 1.

    Input: `(batch, length, channels)`, or `(batch, channels, length)`.
    Output: `(batch, channels)`.

    >>> GlobalMaxPooling1D().compute_output_shape((None, 7, 512))
    (None, 512)
    """

    rank = 1
    pool = ops.max


class GlobalMaxPooling2D(BaseGlobalPooling):
    """The largest element of each channel.

    Args:
        data_format: "channels_last", "channels_first", or None for the configured one.
        keepdims: whether the spatial axes stay, with size 1.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalMaxPooling2D().compute_output_shape((None, 7, 7, 512))
    (None, 512)
    """

    rank = 2
    pool = ops.max


class GlobalMaxPooling3D(BaseGlobalPooling):
    """The largest element of each channel.

    Args:
        data_format: "channels_last", "channels_first", or None for the configured one.
        keepdims: whether the spatial axes stay, with size 1.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: `(batch, channels)`.

    >>> GlobalMaxPooling3D().compute_output_shape((None, 7, 7, 7, 512))
    (None, 512)
    """

    rank = 3
    pool = ops.max
