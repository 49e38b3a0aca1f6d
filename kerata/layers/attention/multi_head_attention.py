"""`MultiHeadAttention`: each position looks at all others, in several ways at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kerata import config, ops
from kerata.layers.arguments import WeightedLayer, positive
from kerata.layers.attention.merging import Merged
from kerata.layers.core.einsum_dense import EinsumDense
from kerata.layers.regularization.dropout import Dropout, checked_rate
from kerata.ops.attention import masked_softmax
from kerata.ops.dispatch import Tensor


class MultiHeadAttention(WeightedLayer):
    """`softmax(q · kᵀ / sqrt(key_dim)) · v` for several heads, projected before and after.

    Vaswani et al., 2017.

    Args:
        num_heads: the number of heads.
        key_dim: the size of a head's queries and keys.
        value_dim: the size of a head's values; None for `key_dim`.
        dropout: the share of the attention weights dropped in training.
        use_bias: whether the projections have biases.
        output_shape: the sizes of the output's last axes; None for the query's last.
        attention_axes: the axes over which is attended; None for all between batch and features.
        sliding_window: how far positions see: those less than so many away. None for all.
        flash_attention: True asks for a fused kernel, False for none, None leaves the choice.
        kernel_initializer: of the projections' kernels.
        bias_initializer: of their biases.
        kernel_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        activity_regularizer: of the output.
        kernel_constraint: applied to the kernels after each update.
        bias_constraint: applied to the biases after each update.
        use_gate: whether the result is multiplied by a sigmoid of a projection of the query.
        seed: of the dropout.

    Input: `query` `(batch, length, features)`, `value` and `key` (None for `value`)
    `(batch, source, features)`. `attention_mask`, bool `(batch, length, source)`, says who may look
    where; `value_mask` and `key_mask`, bool `(batch, source)`, what can be seen. `use_causal_mask`
    lets positions see only those up to their own.
    Output: `(batch, length, features)`, with `return_attention_scores` also
    `(batch, heads, length, source)`. A position that may look nowhere sees zeros.

    >>> layer = MultiHeadAttention(num_heads=2, key_dim=8)
    >>> layer.compute_output_shape((None, 10, 16), (None, 12, 16))
    (None, 10, 16)
    """

    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._shared = {
            "kernel_initializer": kernel_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }
        self._keep(**self._shared)
        self.num_heads = positive(self, "num_heads", num_heads)
        self.key_dim = positive(self, "key_dim", key_dim)
        self.value_dim = positive(self, "value_dim", value_dim or key_dim)
        self.dropout = checked_rate(self, "dropout", dropout)
        self.use_bias = use_bias
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.attention_axes = _axes(attention_axes)
        if sliding_window is not None:
            positive(self, "sliding_window", sliding_window)
        self.sliding_window = sliding_window
        self.flash_attention = flash_attention
        self.use_gate = use_gate
        self.seed = seed

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections."""
        rank = len(query_shape)
        self.attention_axes = self.attention_axes or tuple(range(1, rank - 1))
        self.query_dense = self._to_heads("query", query_shape, self.key_dim)
        self.key_dense = self._to_heads("key", key_shape or value_shape, self.key_dim)
        if self.use_gate:
            self._gate_dense = self._to_heads("gate", query_shape, self.value_dim)
        self.value_dense = self._to_heads("value", value_shape, self.value_dim)
        if self.dropout:
            self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        sizes = self.output_shape or (query_shape[-1],)
        free, out = "abcdefgh"[: rank - 1], "pqrstuvw"[: len(sizes)]
        self.output_dense = EinsumDense(
            f"{free}xy,xy{out}->{free}{out}",
            (*[None] * (rank - 2), *sizes),
            bias_axes=out if self.use_bias else None,
            name="attention_output",
            dtype=self.dtype_policy,
            **self._shared,
        )
        self.output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))
        self._plain = rank == 3
        self._scale = 1.0 / math.sqrt(self.key_dim)

    def _to_heads(self, name: str, shape: Any, size: int) -> EinsumDense:
        free = "abcdefgh"[: len(shape) - 1]
        layer = EinsumDense(
            f"{free}z,zxy->{free}xy",
            (*[None] * (len(shape) - 2), self.num_heads, size),
            bias_axes="xy" if self.use_bias else None,
            name=name,
            dtype=self.dtype_policy,
            **self._shared,
        )
        layer.build(shape)
        return layer

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, and the scores if asked for."""
        q = self.query_dense(query)
        k = self.key_dense(value if key is None else key)
        v = self.value_dense(value)
        mask = self._mask(q, k, (value_mask, key_mask), attention_mask)
        merged = None if self._plain else Merged(q, k, self.attention_axes or ())
        if merged is not None:
            q, k, v, mask = merged.merge(q), merged.merge(k), merged.merge(v), merged.mask(mask)
        drops = bool(training and self.dropout)
        if return_attention_scores or drops:
            y, scores = self._explicit(q, k, v, mask, use_causal_mask, drops)
        else:
            flash = self.flash_attention
            flash = config.is_flash_attention_enabled() if flash is None else flash
            y = ops.dot_product_attention(
                q, k, v, mask=mask, is_causal=use_causal_mask, flash_attention=flash
            )
            scores = None
        if merged is not None:
            y, scores = merged.split(y), merged.scores(scores)
        if self.use_gate:
            y = ops.multiply(y, ops.sigmoid(self._gate_dense(query)))
        y = self.output_dense(y)
        return (y, scores) if return_attention_scores else y

    def _mask(
        self, q: Tensor, k: Tensor, sources: Sequence[Any], attention_mask: Any
    ) -> Tensor | None:
        """All masks as one that broadcasts to `(*batch, heads, *length, *source)`."""
        count = len(self.attention_axes or ())
        rank = len(q.shape) - 1 + count
        masks = [] if attention_mask is None else [ops.cast(attention_mask, "bool")]
        for source in sources:
            if source is not None:
                first = len(source.shape) - count
                places = tuple(range(first, first + count))
                masks.append(ops.expand_dims(ops.cast(source, "bool"), places))
        if self.sliding_window is not None:
            axis = self._only_axis("sliding_window")
            rows, columns = ops.arange(ops.shape(q)[axis]), ops.arange(ops.shape(k)[axis])
            distance = ops.absolute(ops.expand_dims(rows, 1) - ops.expand_dims(columns, 0))
            masks.append(ops.less(distance, self.sliding_window))
        mask = None
        for one in masks:
            missing = rank - len(one.shape)
            first = len(one.shape) - 2 * count
            one = ops.expand_dims(one, tuple(range(first, first + missing))) if missing else one
            mask = one if mask is None else ops.logical_and(mask, one)
        return mask

    def _only_axis(self, what: str) -> int:
        axes = self.attention_axes or ()
        if len(axes) != 1:
            raise ValueError(f"MultiHeadAttention: {what} needs one attention axis; got {axes}")
        return axes[0]

    def _explicit(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Any, is_causal: bool, drops: bool
    ) -> tuple[Tensor, Tensor]:
        """Attention step by step, for its scores or with dropout."""
        scores = ops.einsum("bqhd,bkhd->bhqk", q * self._scale, k)
        if is_causal:
            rows, columns = ops.arange(ops.shape(q)[1]), ops.arange(ops.shape(k)[1])
            causal = ops.greater_equal(ops.expand_dims(rows, 1), ops.expand_dims(columns, 0))
            mask = causal if mask is None else ops.logical_and(mask, causal)
        scores = masked_softmax(scores, mask)
        weights = self._dropout_layer(scores) if drops else scores
        return ops.einsum("bhqk,bkhd->bqhd", weights, v), scores


def _axes(axes: Any) -> tuple[int, ...] | None:
    return (axes,) if isinstance(axes, int) else None if axes is None else tuple(axes)
