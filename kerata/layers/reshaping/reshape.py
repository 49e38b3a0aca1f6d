"""Other axes over the same elements, and one more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

from kerata import config, ops
from kerata.layers.arguments import positive
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer
from kerata.layers.shapes import shapes_of
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


class Permute(Layer):
    """The axes in another order; the batch stays first.

    Args:
        dims: for each axis after the batch the one that it takes, counted from 1.

    Input: `(batch, ...)`. Output: the same axes in the order of `dims`.

    >>> Permute((2, 1)).compute_output_shape((None, 10, 64))
    (None, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims) if isinstance(dims, (list, tuple)) else (dims,)
        if sorted(self.dims, key=str) != sorted(range(1, len(self.dims) + 1), key=str):
            raise ValueError(
                f"Permute: dims must have each of the axes from 1 on once; got {dims!r}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs with their axes exchanged."""
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Each vector as a sequence of `n` steps that are all it.

    Args:
        n: the number of steps.

    Input: `(batch, features)`. Output: `(batch, n, features)`.

    >>> RepeatVector(3).compute_output_shape((None, 32))
    (None, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        """The repeated vectors."""
        batch, features = ops.shape(inputs)
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (batch, self.n, features))


class Reshape(Layer):
    """The same elements with other axes; the batch stays.

    Args:
        target_shape: the sizes without the batch; one of them may be -1 (or None), to follow from
            the others.

    Input: `(batch, ...)`. Output: `(batch, *target_shape)`.

    >>> Reshape((3, -1)).compute_output_shape((None, 12))
    (None, 3, 4)
    """

    def __init__(self, target_shape: Sequence[int | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        several = isinstance(target_shape, Iterable)
        sizes: list[Any] = (
            [-1 if s is None else s for s in target_shape] if several else [target_shape]
        )
        self.target_shape = tuple(sizes)
        whole = all(isinstance(s, Integral) for s in sizes)
        if not whole or sizes.count(-1) > 1 or min(self.target_shape, default=0) < -1:
            raise ValueError(
                "Reshape: target_shape must hold sizes, and -1 (or None) at most once; "
                f"got {target_shape!r}"
            )

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs in the new shape."""
        batch, *sizes = ops.shape(inputs)
        known = math.prod(s for s in self.target_shape if s != -1)
        shape = shapes_of(inputs)
        if all(isinstance(s, int) for s in shape[1:]):
            count = math.prod(shape[1:])
            if count % (known or 1) if -1 in self.target_shape else count != known:
                raise ValueError(
                    f"Reshape: target_shape must hold {count} elements for an input of shape "
                    f"{shape}; got {self.target_shape}"
                )
        rest = math.prod(sizes) // (known or 1)
        return ops.reshape(inputs, (batch, *(rest if s == -1 else s for s in self.target_shape)))
