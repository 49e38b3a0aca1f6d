"""Layers that enlarge sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import one_of, positive, spread
from kerata.layers.families import Spatial
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling1D(Layer):
    """Each step several times.

    Args:
        size: how many times.

    Input: `(batch, length, channels)`. Output: `(batch, length * size, channels)`.

    >>> UpSampling1D(3).compute_output_shape((None, 10, 4))
    (None, 30, 4)
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive(self, "size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Tensor) -> Tensor:
        """The repeated steps."""
        return ops.repeat(inputs, self.size, 1)


class BaseUpSampling(Spatial):
    """Each element several times along `rank` spatial axes.

    Args:
        size: how many times along each spatial axis, or one int for all.
        data_format: "channels_last", "channels_first", or None for the configured one.
    """

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = spread(self, "size", size, self.rank)

    def call(self, inputs: Tensor) -> Tensor:
        """The repeated elements."""
        for axis, count in zip(self.spatial_axes, self.size, strict=True):
            inputs = ops.repeat(inputs, count, axis) if count > 1 else inputs
        return inputs


class UpSampling2D(BaseUpSampling):
    """Images with more rows and columns.

    Args:
        size: how many times as many rows and columns, or one int for both.
        data_format: "channels_last", "channels_first", or None for the configured one.
        interpolation: "nearest" (each pixel repeated), "bilinear", "bicubic", "lanczos3" or
            "lanczos5".

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with `height * size[0]` rows and `width * size[1]` columns.

    >>> UpSampling2D((2, 3)).compute_output_shape((None, 14, 14, 8))
    (None, 28, 42, 8)
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = one_of(self, "interpolation", interpolation, _INTERPOLATIONS)

    def call(self, inputs: Tensor) -> Tensor:
        """The enlarged images."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        height, width = (ops.shape(inputs)[a] for a in self.spatial_axes)
        size = (height * self.size[0], width * self.size[1])
        return ops.image.resize(inputs, size, self.interpolation, data_format=self.data_format)


class UpSampling3D(BaseUpSampling):
    """Volumes with each element several times.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with more planes, rows and columns.

    >>> UpSampling3D((1, 2, 3)).compute_output_shape((None, 4, 5, 6, 8))
    (None, 4, 10, 18, 8)
    """

    rank = 3
