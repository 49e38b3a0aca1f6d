"""Layers that enlarge sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.arguments import one_of, positive, spread
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


class UpSampling2D(Layer):
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

    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = spread(self, "size", size, 2)
        self.data_format = config.standardize_data_format(data_format)
        self.interpolation = one_of(self, "interpolation", interpolation, _INTERPOLATIONS)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        """The enlarged images."""
        first = 1 if self.data_format == "channels_last" else 2
        if self.interpolation == "nearest":
            return _repeated(inputs, self.size, first)
        height, width = ops.shape(inputs)[first : first + 2]
        size = (height * self.size[0], width * self.size[1])
        return ops.image.resize(inputs, size, self.interpolation, data_format=self.data_format)


class UpSampling3D(Layer):
    """Volumes with each element several times.

    Args:
        size: how many times along depth, height and width, or one int for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with more planes, rows and columns.

    >>> UpSampling3D((1, 2, 3)).compute_output_shape((None, 4, 5, 6, 8))
    (None, 4, 10, 18, 8)
    """

    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = spread(self, "size", size, 3)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Tensor) -> Tensor:
        """The repeated elements."""
        return _repeated(inputs, self.size, 1 if self.data_format == "channels_last" else 2)


def _repeated(x: Tensor, times: tuple[int, ...], first: int) -> Tensor:
    """Each element `times` in a row along the axes from `first` on."""
    for axis, count in enumerate(times, first):
        x = ops.repeat(x, count, axis) if count > 1 else x
    return x
