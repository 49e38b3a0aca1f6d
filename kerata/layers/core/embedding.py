"""`Embedding`: integers as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.backends import dtypes
from kerata.layers.arguments import positive
from kerata.layers.quantization import QuantizableLayer
from kerata.ops.dispatch import Tensor
from kerata.quantizers.weights import Layout


class Embedding(QuantizableLayer):
    """A table of vectors, looked up by index: `embeddings[inputs]`.

    Args:
        input_dim: the number of vectors; inputs are less than it.
        output_dim: the size of a vector.
        embeddings_initializer: of `embeddings`, `(input_dim, output_dim)`.
        embeddings_regularizer: adds to `losses`.
        embeddings_constraint: applied to `embeddings` after each update.
        mask_zero: whether 0 stands for padding, which layers that take masks then skip.
        weights: first values of `embeddings`.
        lora_rank: the rank of a product that is trained instead of `embeddings`; see `enable_lora`.
        lora_alpha: the factor of that product, times `lora_rank`; None for `lora_rank`.
        quantization_config: how `quantize` quantizes; None for the mode's own configuration.

    Input: integers of any shape. Output: the same with a last axis of `output_dim`.

    >>> Embedding(10, 4, mask_zero=True).compute_output_shape((None, 7))
    (None, 7, 4)
    """

    adapted = "embeddings"
    quantizable = ("int8", "int4")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        # `input_length`, which Keras accepts and ignores, comes with old code.
        kwargs.pop("input_length", None)
        super().__init__(
            lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config,
            **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.input_dim = positive(self, "input_dim", input_dim)
        self.output_dim = positive(self, "output_dim", output_dim)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False  # half precision does not hold large indices
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [np.asarray(weights)])

    def build(self, input_shape: Any = None) -> None:
        """Make the table."""
        if not self.built:
            shape = (self.input_dim, self.output_dim)
            # Vectors are cast after they are looked up, not the whole table before.
            self.embeddings = self._weight("embeddings", shape, autocast=False)
            self._adapt()

    def call(self, inputs: Tensor) -> Tensor:
        """`embeddings[inputs]`."""
        if not dtypes.is_integer(dtypes.standardize_dtype(inputs.dtype)):
            inputs = ops.cast(inputs, "int32")
        y = self._product(_rows, inputs)
        return y if self._reads is None else ops.cast(y, self.compute_dtype)

    def _layout(self, name: str, shape: tuple[int, ...]) -> Layout | None:
        return Layout(shape, axis=-1) if name == self.adapted else None

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True where the input is not 0, if `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """The arguments but `weights`."""
        return {k: v for k, v in super().get_config().items() if k != "weights"}


def _rows(ids: Tensor, table: Tensor) -> Tensor:
    return ops.take(table, ids, axis=0)
