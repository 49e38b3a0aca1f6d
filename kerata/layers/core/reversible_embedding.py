"""`ReversibleEmbedding`: integers as vectors, and vectors as scores of the integers."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.backends import dtypes
from kerata.layers.core.embedding import Embedding
from kerata.ops.dispatch import Tensor
from kerata.quantizers.weights import Layout, QuantizedWeight, product


class ReversibleEmbedding(Embedding):
    """An `Embedding` that also goes back: with `reverse=True`, `inputs · transpose(embeddings)`.

    Language models score their vocabulary so. Press & Wolf, 2017.

    Args:
        input_dim: the number of vectors; inputs are less than it.
        output_dim: the size of a vector.
        tie_weights: whether the way back uses `embeddings`, not weights of its own.
        embeddings_initializer: of `embeddings`, `(input_dim, output_dim)`, and of
            `reverse_embeddings`, `(output_dim, input_dim)`.
        embeddings_regularizer: adds to `losses`.
        embeddings_constraint: applied to the weights after each update.
        mask_zero: whether 0 stands for padding, which layers that take masks then skip.
        reverse_dtype: the dtype of the scores; None for the compute dtype.
        logit_soft_cap: scores become `cap * tanh(scores / cap)`; None for no bound.

    Input: integers of any shape; with `reverse`, vectors. Output: the same with a last axis of
    `output_dim`; with `reverse`, with `input_dim` in place of it.

    >>> ReversibleEmbedding(10, 4).compute_output_shape((None, 7, 4), reverse=True)
    (None, 7, 10)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.tie_weights = tie_weights
        self.reverse_dtype = (
            None if reverse_dtype is None else dtypes.standardize_dtype(reverse_dtype)
        )
        self.logit_soft_cap = logit_soft_cap
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer,
            embeddings_constraint, mask_zero, **kwargs,
        )  # fmt: skip

    def build(self, input_shape: Any = None) -> None:
        """Make the tables."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            shape = (self.output_dim, self.input_dim)
            self.reverse_embeddings = self._weight(
                "reverse_embeddings", shape, prefix="embeddings", autocast=False
            )

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        """`embeddings[inputs]`, or with `reverse` the score of each integer."""
        if not reverse:
            return super().call(inputs)
        dtype = self.reverse_dtype or self.compute_dtype
        scores = self._scores(ops.cast(inputs, dtype), dtype)
        cap = self.logit_soft_cap
        return scores if not cap else ops.multiply(ops.tanh(ops.divide(scores, cap)), cap)

    def _scores(self, inputs: Tensor, dtype: str) -> Tensor:
        weight = self.embeddings if self.tie_weights else self.reverse_embeddings
        if isinstance(weight, QuantizedWeight):
            return weight.turned(inputs) if self.tie_weights else weight.of(product, inputs)
        table = ops.cast(weight.value, dtype)
        return ops.matmul(inputs, ops.transpose(table) if self.tie_weights else table)

    def _layout(self, name: str, shape: tuple[int, ...]) -> Layout | None:
        if name == "reverse_embeddings":
            return Layout(shape, packed=-2, zero=self.variable_dtype)
        return super()._layout(name, shape)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """The shape of the vectors, or with `reverse` of the scores."""
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return (*input_shape, self.output_dim)

    def _pass_mask(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], before: Any, y: Any
    ) -> None:
        if not (kwargs.get("reverse") or any(args[1:])):
            super()._pass_mask(args, kwargs, before, y)
