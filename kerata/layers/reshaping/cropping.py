"""Layers that cut elements off the ends of axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.arguments import pairs
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class BaseCropping(Layer):
    """The input without the ends of `rank` spatial axes.

    Attributes:
        rank: the number of spatial axes.
    """

    rank: ClassVar[int]
    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(self, cropping: Any, data_format: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pairs = pairs(self, "cropping", cropping, self.rank)
        self.cropping: Any = self._pairs[0] if self.rank == 1 else self._pairs
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._first = 1 if data_format == "channels_last" else 2

    def call(self, inputs: Tensor) -> Tensor:
        """The middle of the inputs."""
        sizes = ops.shape(inputs)
        key = [slice(None)] * len(sizes)
        for axis, (before, after) in enumerate(self._pairs, self._first):
            size = sizes[axis]
            if isinstance(size, int) and before + after >= size:
                raise ValueError(
                    f"{type(self).__name__}: cropping {self.cropping} leaves nothing of axis "
                    f"{axis} of an input of shape {tuple(sizes)}"
                )
            key[axis] = slice(before, -after if after else None)
        return ops.getitem(inputs, tuple(key))


class Cropping1D(BaseCropping):
    """A sequence without its first and last steps.

    Args:
        cropping: how many at the start and at the end, or one int for both.

    Input: `(batch, length, channels)`. Output: the same with fewer steps.

    >>> Cropping1D((1, 2)).compute_output_shape((None, 10, 3))
    (None, 7, 3)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(BaseCropping):
    """Images without their margins.

    Args:
        cropping: `((top, bottom), (left, right))`, or one int for a pair or for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    Output: the same with fewer rows and columns.

    >>> Cropping2D(((2, 1), 4)).compute_output_shape((None, 28, 28, 3))
    (None, 25, 20, 3)
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        self.data_format = config.standardize_data_format(data_format)
        super().__init__(cropping, self.data_format, **kwargs)


class Cropping3D(BaseCropping):
    """Volumes without their margins.

    Args:
        cropping: a pair for each of depth, height and width, or one int for a pair or for all.
        data_format: "channels_last", "channels_first", or None for the configured one.

    Input: `(batch, depth, height, width, channels)`, or `(batch, channels, depth, height, width)`.
    Output: the same with fewer planes, rows and columns.

    >>> Cropping3D((1, 2, 3)).compute_output_shape((None, 9, 9, 9, 3))
    (None, 7, 5, 3, 3)
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.data_format = config.standardize_data_format(data_format)
        super().__init__(cropping, self.data_format, **kwargs)
