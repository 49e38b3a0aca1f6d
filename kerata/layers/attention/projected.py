"""`ProjectedAttention`: what attention layers share that project queries, keys and values."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from kerata import config, ops
from kerata.layers.arguments import WeightedLayer, number, positive
from kerata.layers.attention.merging import Merged
from kerata.layers.core.einsum_dense import EinsumDense
from kerata.layers.regularization.dropout import Dropout
from kerata.ops.attention import masked_softmax, seen
from kerata.ops.dispatch import Tensor


class ProjectedAttention(WeightedLayer):
    """The base of attention layers with several heads.

    Args:
        heads: how many heads queries have, and how many keys and values.
        sizes: of a head's queries and keys, and of its values.

    The other arguments are those of `MultiHeadAttention`.
    """

    supports_masking = True
    # Whether a position that `query_mask` leaves out sees nothing.
    masks_queries = False

    def __init__(
        self,
        heads: tuple[int, int],
        sizes: tuple[int, int],
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        use_gate: bool,
        seed: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._heads, self._sizes = heads, sizes
        self.dropout = number(self, "dropout", dropout, 0, 1)
        self.use_bias = use_bias
        if sliding_window is not None:
            positive(self, "sliding_window", sliding_window)
        self.sliding_window = sliding_window
        self.flash_attention = flash_attention
        self.use_gate = use_gate
        self.seed = seed
        self.output_shape: Sequence[int] | None = None
        self.attention_axes: tuple[int, ...] | None = None

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections."""
        rank = len(query_shape)
        axes = self.attention_axes = self.attention_axes or tuple(range(1, rank - 1))
        if self.sliding_window is not None and len(axes) != 1:
            raise ValueError(
                f"{type(self).__name__}: sliding_window needs one attention axis; got {axes}"
            )
        (heads, groups), (size, value_size) = self._heads, self._sizes
        heads_of = functools.partial(self._projection, "z", "xy")
        self.query_dense = heads_of("query", query_shape, (heads, size))
        self.key_dense = heads_of("key", key_shape or value_shape, (groups, size))
        if self.use_gate:
            self._gate_dense = heads_of("gate", query_shape, (heads, value_size))
        self.value_dense = heads_of("value", value_shape, (groups, value_size))
        if self.dropout:
            self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        out = self.output_shape or (query_shape[-1],)
        shape = (*query_shape[:-1], heads, value_size)
        self.output_dense = self._projection(
            "xy", "pqrstuvw"[: len(out)], "attention_output", shape, out
        )
        self._plain = rank == 3
        self._scale = 1.0 / math.sqrt(size)

    def _projection(
        self, source: str, target: str, name: str, shape: Any, sizes: Sequence[int]
    ) -> EinsumDense:
        """A built layer for inputs of `shape`.

        Args:
            source: letters for the axes that are summed over, the last ones of the input.
            target: letters for those in their place.
            name: its name.
            shape: that of the input.
            sizes: those along `target`.
        """
        free = "abcdefgh"[: len(shape) - len(source)]
        kept = {f"{w}_{f}": v for w in ("kernel", "bias") for f, v in self._kept(w).items()}
        layer = EinsumDense(
            f"{free}{source},{source}{target}->{free}{target}",
            (*[None] * (len(free) - 1), *sizes),
            bias_axes=target if self.use_bias else None,
            name=name,
            dtype=self.dtype_policy,
            **kept,
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
        cache: dict[str, Tensor] | None = None,
        cache_index: Any = None,
    ) -> Any:
        """The attended values; the scores if asked for; the cache if one was given."""
        q = self.query_dense(query)
        if cache is None:
            k, v = self.key_dense(value if key is None else key), self.value_dense(value)
            sources: tuple[Any, ...] = (value_mask, key_mask)
        else:
            if cache_index is not None:
                cache = self._written(cache, cache_index, value, key, (value_mask, key_mask))
            elif use_causal_mask or self.sliding_window is not None:
                raise ValueError(
                    f"{type(self).__name__}: a causal mask or a sliding_window needs cache_index, "
                    "the place of the first query in the cache"
                )
            k, v, sources = cache["key"], cache["value"], (cache["mask"],)
        mask = self._mask(q, k, query_mask, sources, attention_mask)
        merged = None if self._plain else Merged(q, k, self.attention_axes or ())
        if merged is not None:
            q, k, v, mask = merged.merge(q), merged.merge(k), merged.merge(v), merged.mask(mask)
        drops = bool(training and self.dropout)
        y, scores = self._attend(
            q, k, v, mask, use_causal_mask, cache_index, return_attention_scores, drops
        )
        if merged is not None:
            y, scores = merged.split(y), merged.scores(scores)
        if self.use_gate:
            y = ops.multiply(y, ops.sigmoid(self._gate_dense(query)))
        y = self.output_dense(y)
        found = [y, scores, cache] if return_attention_scores else [y, cache]
        found = found if cache is not None else found[:-1]
        return tuple(found) if len(found) > 1 else y

    def make_cache(self, batch_size: int, max_length: int) -> dict[str, Tensor]:
        """An empty cache for sequences of up to `max_length` positions.

        Called with `cache=cache, cache_index=i`, the layer writes the keys and values of `value`
        and `key` at the places from `i` on, lets the queries see all that the cache holds (with
        `use_causal_mask` up to their own places), and returns the new cache last. A position costs
        O(`max_length`). Masks of `value` and `key` are kept in the cache; `attention_mask` is
        `(batch, length, max_length)`. Without `cache_index` the cache is only read: for keys and
        values that stay the same from step to step, such as an encoder's. No gradient goes through
        a cache, so that steps keep no memory of those before.

        Returns:
            `key` and `value`, `(batch, max_length, heads, size)`, and `mask`, bool
            `(batch, max_length)`: what has been written and is not masked.
        """
        (_, groups), dtype = self._heads, self.compute_dtype
        key, value = (ops.zeros((batch_size, max_length, groups, s), dtype) for s in self._sizes)
        return {"key": key, "value": value, "mask": ops.zeros((batch_size, max_length), "bool")}

    def _written(
        self, cache: dict[str, Tensor], index: Any, value: Tensor, key: Any, masks: Sequence[Any]
    ) -> dict[str, Tensor]:
        """The cache with keys and values of more positions from `index` on."""
        if not self._plain:
            raise ValueError(
                f"{type(self).__name__}: a cache needs a query of (batch, length, features)"
            )
        k, v = self.key_dense(value if key is None else key), self.value_dense(value)
        batch, length = ops.shape(value)[:2]
        places = ops.shape(cache["mask"])[1]
        if all(isinstance(n, int) for n in (index, length, places)) and not (
            0 <= index <= places - length
        ):
            raise ValueError(
                f"{type(self).__name__}: a cache of {places} places has no room for {length} "
                f"from cache_index={index} on"
            )
        mask = ops.ones((batch, length), "bool")
        for one in masks:
            mask = mask if one is None else ops.logical_and(mask, one)
        k, v = ops.stop_gradient(k), ops.stop_gradient(v)
        return {
            "key": ops.slice_update(cache["key"], (0, index, 0, 0), k),
            "value": ops.slice_update(cache["value"], (0, index, 0, 0), v),
            "mask": ops.slice_update(cache["mask"], (0, index), mask),
        }

    def _mask(
        self, q: Tensor, k: Tensor, query_mask: Any, sources: Sequence[Any], attention_mask: Any
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
        if self.masks_queries and query_mask is not None:
            masks.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))
        mask = None
        for one in masks:
            missing = rank - len(one.shape)
            first = len(one.shape) - 2 * count
            one = ops.expand_dims(one, tuple(range(first, first + missing))) if missing else one
            mask = one if mask is None else ops.logical_and(mask, one)
        return mask

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Any, is_causal: bool, offset: Any,
        scored: bool, drops: bool,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Attention by the fused kernel, or step by step for its scores or with dropout.

        `offset` is the place of the first query among the keys, None where that is 0.
        """
        window = None if self.sliding_window is None else self.sliding_window - 1
        if offset is not None or scored or drops:
            first = 0 if offset is None else offset
            near = seen(ops.shape(q)[1], ops.shape(k)[1], is_causal, window, first)
            mask = near if mask is None else mask if near is None else ops.logical_and(mask, near)
            is_causal, window = False, None
        if not scored and not drops:
            flash = self.flash_attention
            flash = config.is_flash_attention_enabled() if flash is None else flash
            y = ops.dot_product_attention(
                q, k, v, mask=mask, is_causal=is_causal, flash_attention=flash,
                local_window_size=window,
            )  # fmt: skip
            return y, None
        heads, groups = self._heads
        if heads != groups:
            k, v = (ops.repeat(x, heads // groups, axis=2) for x in (k, v))
        scores = masked_softmax(ops.einsum("bqhd,bkhd->bhqk", q * self._scale, k), mask)
        weights = self._dropout_layer(scores) if drops else scores
        return ops.einsum("bhqk,bkhd->bqhd", weights, v), scores
