"""`Flatten`: all axes but the batch as one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor


class Flatten(Layer):
    """All axes but the first as one.

    Args:
        data_format: "channels_last" or "channels_first"; either way the elements come out with the
            channels last. None for the configured one.

    Input: `(batch, ...)`. Output: `(batch, elements)`.

    >>> Flatten().compute_output_shape((None, 28, 28))
    (None, 784)
    """

    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs with two axes."""
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        batch, *sizes = ops.shape(inputs)
        return ops.reshape(inputs, (batch, math.prod(sizes)))
