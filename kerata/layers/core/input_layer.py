"""`Input`: where a functional model begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata import config
from kerata.backends import dtypes
from kerata.core.symbolic import KerasTensor, Node
from kerata.layers.layer import Layer


class InputLayer(Layer):
    """The layer behind a symbolic input.

    Args:
        shape: the sizes without the batch, None where a size is open.
        batch_size: the size of the batch; None where it is open.
        dtype: the input's dtype; None for `config.floatx()`.
        sparse: says that sparse tensors come in, which may come without it as well.
        ragged: the same of ragged tensors.
        batch_shape: the sizes with the batch, instead of `shape` and `batch_size`.
        input_tensor: a symbolic tensor to begin at, instead of a new one.
        optional: whether None may be given for it.
        name: its name.

    Output: `batch_shape`.

    >>> InputLayer((28, 28), batch_size=8).batch_shape
    (8, 28, 28)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(
                    f"Input: tensor must be a symbolic tensor; got {type(input_tensor).__name__}"
                )
            batch_shape = input_tensor.shape
            dtype = dtype or input_tensor.dtype
        elif batch_shape is None:
            if shape is None:
                raise ValueError("Input: give shape or batch_shape")
            batch_shape = (batch_size, *_sizes("shape", shape))
        elif shape is not None or batch_size is not None:
            raise ValueError("Input: give batch_shape, or shape (and batch_size), not both")
        self.batch_shape = _sizes("batch_shape", batch_shape)
        self._dtype = dtypes.standardize_dtype(dtype or config.floatx())
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.optional = optional
        self.built = True
        if input_tensor is None:
            input_tensor = KerasTensor(
                self.batch_shape, self._dtype, self.sparse, self.ragged, name=name
            )
        self._nodes.append(Node(self, (), {}, input_tensor))

    @property
    def dtype(self) -> str:
        """The input's dtype."""
        return self._dtype

    def call(self) -> None:
        """Nothing: its only output is the symbolic input."""

    def get_config(self) -> dict[str, Any]:
        """Name, shape and dtype."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "optional": self.optional,
            "name": self.name,
        }


def _sizes(name: str, shape: Any) -> tuple[int | None, ...]:
    whole = isinstance(shape, (list, tuple)) and all(
        s is None or (isinstance(s, (int, np.integer)) and s >= 0) for s in shape
    )
    if not whole:
        raise ValueError(
            f"Input: {name} must be a tuple of sizes, with None for open ones; got {shape!r}"
        )
    return tuple(None if s is None else int(s) for s in shape)


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor for a functional model to begin at.

    Args:
        shape: the sizes without the batch, None where a size is open.
        batch_size: the size of the batch; None where it is open.
        dtype: None for `config.floatx()`.
        sparse: says that sparse tensors come in, which may come without it as well.
        ragged: the same of ragged tensors.
        batch_shape: the sizes with the batch, instead of `shape` and `batch_size`.
        name: its name, by which data may be given in a dictionary.
        tensor: a symbolic tensor to begin at, instead of a new one.
        optional: whether None may be given for it.

    >>> Input((28, 28), dtype="uint8").shape
    (None, 28, 28)
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.output
