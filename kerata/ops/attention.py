"""Attention."""

from __future__ import annotations

import math
from typing import Any

from kerata.backends import dtypes
from kerata.ops import activation, creation, products
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.reduction import widened

__all__ = (
    "dot_product_attention",
)  # fmt: skip

_HEADS_SECOND = (0, 2, 1, 3)


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
    local_window_size: int | tuple[int, int] | None = None,
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
        flash_attention: True asks for a fused kernel where there is one for these arguments, False
            for none, None leaves the choice.
        attn_logits_soft_cap: scores are limited to ± this by a tanh.
        local_window_size: how many positions before and behind its own each sees; an int for both.

    Returns:
        `(batch, length, heads, value size)`. A position that may look nowhere gets zeros.

    Raises:
        ValueError: a rank is not 4, or the key heads don't divide the heads.
    """
    _check_shapes(query, key, value)
    _, length, heads, size = sh.shape(query)
    source, groups = sh.shape(key)[1:3]
    if heads != groups:
        key = sh.repeat(key, heads // groups, axis=2)
        value = sh.repeat(value, heads // groups, axis=2)
    factor = 1.0 / math.sqrt(size) if scale is None else scale
    rows, columns = (
        sh.transpose(widened(query), _HEADS_SECOND),
        sh.transpose(widened(key), (0, 2, 3, 1)),
    )
    scores = products.matmul(rows * factor, columns)
    if attn_logits_soft_cap is not None:
        scores = ew.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + ew.cast(bias, scores.dtype)
    near = seen(length, source, is_causal, local_window_size)
    if mask is not None:
        mask = ew.cast(mask, "bool")
        near = mask if near is None else ew.logical_and(mask, near)
    weights = ew.cast(masked_softmax(scores, near), value.dtype)
    found = products.matmul(weights, sh.transpose(value, _HEADS_SECOND))
    return sh.transpose(found, _HEADS_SECOND)


def _check_shapes(query: Tensor, key: Tensor, value: Tensor) -> None:
    """Refuse shapes that don't fit, as far as their sizes are known."""
    shapes = [sh.shape(x) for x in (query, key, value)]
    given = f"got the shapes {', '.join(map(str, shapes))}"
    if any(len(s) != 4 for s in shapes):
        raise ValueError(
            "dot_product_attention: query, key and value must have the axes (batch, length, heads, "
            f"size); {given}"
        )
    (_, _, heads, size), (_, source, groups, other), (_, values, group, _) = shapes
    if all(isinstance(n, int) for n in (heads, groups)) and heads % groups:
        raise ValueError(
            f"dot_product_attention: the {groups} heads of key must divide the {heads} of query; "
            f"{given}"
        )
    for what, a, b in (
        ("query and key must have one size", size, other),
        ("key and value must have one length", source, values),
        ("key and value must have as many heads", groups, group),
    ):
        if isinstance(a, int) and isinstance(b, int) and a != b:
            raise ValueError(f"dot_product_attention: {what}; {given}")


def seen(
    length: Any,
    source: Any,
    is_causal: bool,
    window: int | tuple[int, int] | None,
    first: Any = 0,
) -> Tensor | None:
    """Where each of `length` positions from `first` on sees each of `source`, bool.

    It broadcasts to `(length, source)`; None for everywhere.
    """
    if not is_causal and window is None:
        return None
    one = isinstance(length, int) and length == 1
    rows = first if one else sh.expand_dims(creation.arange(length) + first, 1)
    columns = creation.arange(source)
    if window is None:
        return ew.less_equal(columns, rows)
    ahead = columns - rows
    left, right = (window, window) if isinstance(window, int) else window
    found = ew.less_equal(ahead, 0 if is_causal else right)
    return ew.logical_and(found, ew.greater_equal(ahead, -left))


@composite(promote="float", operands=("scores",))
def masked_softmax(scores: Tensor, mask: Tensor | None = None, axis: Any = -1) -> Tensor:
    """`softmax` over `axis` where `mask` holds; zeros where it never does."""
    if mask is None:
        return activation.softmax(scores, axis)
    dtype = dtypes.standardize_dtype(scores.dtype)
    mask = ew.cast(mask, "bool")
    low = dtypes.bounds(dtype)[0] * 0.5
    weights = activation.softmax(ew.where(mask, scores, low), axis)
    return ew.where(mask, weights, 0.0)
