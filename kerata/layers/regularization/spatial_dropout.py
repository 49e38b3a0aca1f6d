"""Dropout of whole channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import config
from kerata.layers.input_spec import InputSpec
from kerata.layers.regularization.dropout import Dropout


class SpatialDropout1D(Dropout):
    """`Dropout` of whole channels: in training a share `rate` of them is 0 at all steps.

    Tompson et al., 2015.

    Args:
        rate: the share, from 0 to 1.
        seed: an int, for the same draws in every run.
        name: its name.
        dtype: a dtype name or policy.

    Input and output: `(batch, length, channels)`.
    """

    def __init__(
        self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(rate, (None, 1, None), seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=3)


class BaseSpatialDropout(Dropout):
    """`Dropout` of whole channels over `rank` spatial axes.

    Args:
        rate: the share, from 0 to 1.
        data_format: "channels_last", "channels_first", or None for the configured one.
        seed: an int, for the same draws in every run.
        name: its name.
        dtype: a dtype name or policy.

    Attributes:
        rank: the number of spatial axes.
    """

    rank: ClassVar[int]
    live: ClassVar[Mapping[str, str]] = {**Dropout.live, "data_format": "data_format"}

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.data_format = config.standardize_data_format(data_format)
        shared = (1,) * self.rank
        last = self.data_format == "channels_last"
        noise_shape = (None, *shared, None) if last else (None, None, *shared)
        super().__init__(rate, noise_shape, seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class SpatialDropout2D(BaseSpatialDropout):
    """`Dropout` of whole channels of images: in training a share `rate` of them is 0.

    Tompson et al., 2015.

    Input and output: `(batch, height, width, channels)`, or `(batch, channels, height, width)`.
    """

    rank = 2


class SpatialDropout3D(BaseSpatialDropout):
    """`Dropout` of whole channels of volumes: in training a share `rate` of them is 0.

    Tompson et al., 2015.

    Input and output: `(batch, depth, height, width, channels)`, or
    `(batch, channels, depth, height, width)`.
    """

    rank = 3
