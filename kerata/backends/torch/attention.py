"""Attention by PyTorch's fused kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerata.backends.state import body_of, state


def _of_rank_4(x: Tensor) -> Tensor:
    return x if x.ndim == 4 else x.reshape((1,) * (4 - x.ndim) + x.shape)


def _near(query: Tensor, source: int, causal: bool, window: Any) -> Tensor | None:
    """Where positions see each other by their places; None where nothing or torch does it."""
    if not causal and window is None:
        return None
    left, right = (window, window) if isinstance(window, int) else window or (None, None)
    near = torch.ones(query.shape[1], source, dtype=torch.bool, device=query.device)
    near = near.tril_(0 if causal else right)
    return near if left is None else near.triu_(-left)


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
    heads, groups = query.shape[2:3], key.shape[2:3]
    fits = query.ndim == 4 and groups and groups[0] and not heads[0] % groups[0]
    fits = fits and key.shape[1:3] == value.shape[1:3] and query.shape[3] == key.shape[3]
    capped = attn_logits_soft_cap is not None
    if capped or flash_attention is False or state.differentiating > 1 or not fits:
        found: Tensor = body_of("dot_product_attention")(
            query, key, value, bias, mask, scale, is_causal, flash_attention, attn_logits_soft_cap,
            local_window_size,
        )  # fmt: skip
        return found
    alive = None
    if mask is not None:
        mask = _of_rank_4(mask.to(torch.bool))
    if mask is not None or bias is not None or local_window_size is not None:
        near = _near(query, key.shape[1], is_causal, local_window_size)
        mask = near if mask is None else mask if near is None else mask & near
        is_causal = False
    if mask is not None:
        # Kernels differ in what they make of rows without anything to see: they see all, and the
        # result is not used.
        alive = mask.any(-1, keepdim=True)
        mask = mask | ~alive
    if bias is not None:
        bias = _of_rank_4(bias.to(query.dtype))
        mask = bias if mask is None else torch.where(mask, bias, float("-inf"))
    y = F.scaled_dot_product_attention(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        attn_mask=mask,
        is_causal=is_causal,
        scale=scale,
        enable_gqa=heads != groups,
    )
    if alive is not None:
        y = torch.where(alive, y, 0.0)
    return y.transpose(1, 2)


KERNELS: dict[str, Callable[..., Any]] = {"dot_product_attention": dot_product_attention}
