"""Attention."""

from __future__ import annotations

import math

from kerata.backends import dtypes
from kerata.ops import activation, creation, products
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite

__all__ = (
    "dot_product_attention",
)  # fmt: skip


@composite(promote="float", operands=("query", "key", "value"))
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """`softmax(query · keyᵀ * scale + bias) · value` (Vaswani et al., 2017).

    Args:
        query: `(batch, length, heads, size)`.
        key: `(batch, source, key heads, size)`; the key heads divide the heads.
        value: `(batch, source, key heads, value size)`.
        bias: added to the scores; broadcasts to `(batch, heads, length, source)`.
        mask: bool, True where attention may look; broadcasts likewise.
        scale: None for `1 / sqrt(size)`.
        is_causal: each position sees only itself and those before.
        flash_attention: True asks for a fused kernel, False for none, None leaves the choice.
        attn_logits_soft_cap: scores are limited to ± this by a tanh.

    Returns:
        `(batch, length, heads, value size)`. A position that may look nowhere gets zeros.
    """
    _, length, heads, size = sh.shape(query)
    source, groups = sh.shape(key)[1:3]
    if heads != groups:
        key = sh.repeat(key, heads // groups, axis=2)
        value = sh.repeat(value, heads // groups, axis=2)
    factor = 1.0 / math.sqrt(size) if scale is None else scale
    scores = products.einsum("bqhd,bkhd->bhqk", query * factor, key)
    if attn_logits_soft_cap is not None:
        scores = ew.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + ew.cast(bias, scores.dtype)
    if is_causal:
        rows, columns = creation.arange(length), creation.arange(source)
        causal = ew.greater_equal(sh.expand_dims(rows, 1), sh.expand_dims(columns, 0))
        mask = causal if mask is None else ew.logical_and(mask, causal)
    return products.einsum("bhqk,bkhd->bqhd", masked_softmax(scores, mask), value)


@composite(promote="float", operands=("scores",))
def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """`softmax` along the last axis where `mask` holds; zeros where it never does."""
    if mask is None:
        return activation.softmax(scores, -1)
    dtype = dtypes.standardize_dtype(scores.dtype)
    mask = ew.cast(mask, "bool")
    low = dtypes.bounds(dtype)[0] * 0.5
    weights = activation.softmax(ew.where(mask, scores, low), -1)
    return ew.where(mask, weights, 0.0)
