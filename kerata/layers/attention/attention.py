"""`Attention` and `AdditiveAttention`: a value for each query, without projections."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.backends import dtypes
from kerata.core.errors import describe
from kerata.core.seeds import SeedGenerator
from kerata.layers.arguments import number, one_of
from kerata.layers.layer import Layer
from kerata.layers.regularization.dropout import dropped
from kerata.ops.attention import seen
from kerata.ops.dispatch import Tensor


class Attention(Layer):
    """`softmax(q · kᵀ) · v` (Luong et al., 2015).

    Args:
        use_scale: whether the products are multiplied by a weight.
        score_mode: "dot" for `q · k`, "concat" for a weight times the sum of `tanh(q + k)`.
        dropout: the share of the attention weights dropped in training.
        seed: of the dropout.

    Input: a list of query `(batch, length, size)`, value `(batch, source, value size)`, and key
    `(batch, source, size)` where it is not the value. `mask` is a list too: what a bool
    `(batch, length)` leaves out of the query gets zeros, what one of `(batch, source)` leaves out
    of the value is not seen; where nothing is left to see, all is seen alike. `use_causal_mask`
    lets positions see only those up to their own.
    Output: `(batch, length, value size)`, with `return_attention_scores` also the weights,
    `(batch, length, source)`.

    >>> Attention().compute_output_shape([(None, 10, 16), (None, 12, 16)])
    (None, 10, 16)
    """

    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = one_of(self, "score_mode", score_mode, ("dot", "concat"))
        self.dropout = number(self, "dropout", dropout, 0, 1)
        self.seed = seed
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Make the weights of the scores."""
        self._two_or_three("inputs", input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, and the weights if asked for."""
        self._two_or_three("inputs", inputs)
        query, value, key = (*inputs, inputs[1])[:3]
        query_mask = near = None
        if mask is not None:
            self._two_or_three("mask", mask)
            query_mask, near = mask[:2]
        if near is not None:
            near = ops.expand_dims(ops.cast(near, "bool"), -2)
        drops = training and self.dropout > 0
        plain = self._is_product() and len(query.shape) == 3
        if plain and not return_attention_scores and not drops:
            y, weights = self._fused(query, value, key, near, use_causal_mask), None
        else:
            scores = self._scores(query, key)
            near = _with_causal(near, query, key, use_causal_mask)
            if near is not None:
                low = dtypes.bounds(dtypes.standardize_dtype(scores.dtype))[0] * 0.5
                scores = ops.where(near, scores, low)
            weights = ops.softmax(scores)
            if drops:
                weights = dropped(weights, self.dropout, self.seed_generator)
            y = ops.matmul(weights, value)
        if query_mask is not None:
            y = ops.where(ops.expand_dims(ops.cast(query_mask, "bool"), -1), y, 0.0)
        return (y, weights) if return_attention_scores else y

    def _is_product(self) -> bool:
        """Whether scores are products, for which there are fused kernels."""
        return self.score_mode == "dot"

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """`(batch, length, source)`."""
        if self.score_mode == "dot":
            query = query * self.scale if self.use_scale else query
            return ops.matmul(query, ops.swapaxes(key, -1, -2))
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        both = both * self.scale if self.use_scale else both
        return ops.sum(ops.tanh(both), -1) * self.concat_score_weight

    def _fused(
        self, query: Tensor, value: Tensor, key: Tensor, near: Tensor | None, is_causal: bool
    ) -> Tensor:
        """The attended values by the fused kernel, as of one head."""
        if near is not None:
            near, is_causal = _with_causal(near, query, key, is_causal), False
        q, k, v = (ops.expand_dims(x, 2) for x in (query, key, value))
        q = q * self.scale if self.use_scale else q
        mask = None if near is None else ops.expand_dims(near, 1)
        y = ops.dot_product_attention(q, k, v, mask=mask, scale=1.0, is_causal=is_causal)
        y = ops.squeeze(y, 2)
        if near is None:
            return y
        sees = ops.any(near, -1, keepdims=True)
        return ops.where(sees, y, ops.mean(value, -2, keepdims=True))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        if mask is not None:
            self._two_or_three("mask", mask)
        return None if mask is None else mask[0]

    def _two_or_three(self, what: str, given: Any) -> None:
        if not isinstance(given, (list, tuple)) or len(given) not in (2, 3):
            several = isinstance(given, (list, tuple))
            raise ValueError(
                f"{type(self).__name__}: {what} must be a list of two or three: of the query, the "
                "value, and the key where it is another; got "
                f"{f'a list of {len(given)}' if several else describe(given)}"
            )


class AdditiveAttention(Attention):
    """`softmax(sum(w * tanh(q + k))) · v` (Bahdanau et al., 2015).

    Args:
        use_scale: whether there is `w`, a weight for each feature, or it is 1.
        dropout: the share of the attention weights dropped in training.
        seed: of the dropout.

    Input and output: those of `Attention`; queries and keys are of one size.

    >>> AdditiveAttention().compute_output_shape([(None, 10, 16), (None, 12, 16)])
    (None, 10, 16)
    """

    def __init__(
        self, use_scale: bool = True, dropout: float = 0.0, *, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, seed=seed, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the weights of the scores."""
        self._two_or_three("inputs", input_shape)
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def _is_product(self) -> bool:
        return False

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        both = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(both * self.scale if self.use_scale else both, -1)


def _with_causal(near: Tensor | None, query: Tensor, key: Tensor, is_causal: bool) -> Tensor | None:
    """`near` without what lies behind each position, where `is_causal`."""
    before = seen(ops.shape(query)[-2], ops.shape(key)[-2], is_causal, None)
    if near is None or before is None:
        return before if near is None else near
    return ops.logical_and(near, before)
