"""Pooling over whole images."""

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

    def call(self, inputs: Tensor) -> Tensor:
        """The pooled inputs."""
        first = 1 if self.data_format == "channels_last" else 2
        return type(self).pool(inputs, tuple(range(first, first + self.rank)), self.keepdims)


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
