"""Attention over any axes, brought to the form `(batch, length, heads, size)`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.ops.dispatch import Tensor


class Merged:
    """The plan that merges the attended axes of queries, keys and values, and all others.

    Args:
        query: `(batch, *axes, heads, size)`.
        key: the same, with other sizes on the attended axes.
        attention_axes: those.
    """

    def __init__(self, query: Tensor, key: Tensor, attention_axes: Sequence[int]) -> None:
        rank = len(query.shape)
        attended = [a % (rank - 1) for a in attention_axes]
        others = [a for a in range(rank - 2) if a not in attended]
        self._order = (*others, *attended, rank - 2, rank - 1)
        query_sizes, key_sizes = ops.shape(query), ops.shape(key)
        self._batch = tuple(query_sizes[a] for a in others)
        self._lengths = tuple(query_sizes[a] for a in attended)
        self._sources = tuple(key_sizes[a] for a in attended)

    def merge(self, x: Tensor) -> Tensor:
        """`(batch, length, heads, size)`."""
        x = ops.transpose(x, self._order)
        sizes = ops.shape(x)
        first = len(self._batch)
        return ops.reshape(x, (math.prod(sizes[:first]), math.prod(sizes[first:-2]), *sizes[-2:]))

    def mask(self, mask: Tensor | None) -> Tensor | None:
        """A mask of `(*batch, heads, *lengths, *sources)` as `(batch, heads, length, source)`."""
        if mask is None:
            return None
        heads = ops.shape(mask)[len(self._batch)]
        whole = (*self._batch, heads, *self._lengths, *self._sources)
        merged = (
            math.prod(self._batch), heads, math.prod(self._lengths), math.prod(self._sources)
        )  # fmt: skip
        return ops.reshape(ops.broadcast_to(mask, whole), merged)

    def split(self, y: Tensor) -> Tensor:
        """The result in the order of the query's axes."""
        y = ops.reshape(y, (*self._batch, *self._lengths, *ops.shape(y)[-2:]))
        return ops.transpose(y, [self._order.index(a) for a in range(len(self._order))])

    def scores(self, scores: Any) -> Any:
        """Scores of `(batch, heads, length, source)` as `(*batch, heads, *lengths, *sources)`."""
        if scores is None:
            return None
        heads = ops.shape(scores)[1]
        return ops.reshape(scores, (*self._batch, heads, *self._lengths, *self._sources))
