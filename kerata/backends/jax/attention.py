"""Attention by cuDNN, on GPUs and in half precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from kerata.backends.jax.overrides import whole
from kerata.backends.state import state

_composite = whole("dot_product_attention")


def _fits(query: Any, key: Any, value: Any) -> bool:
    """Whether cuDNN attends to tensors of these shapes and dtypes."""
    return (
        jax.default_backend() == "gpu"
        and query.ndim == key.ndim == value.ndim == 4
        and query.dtype in (jnp.float16, jnp.bfloat16)
        and query.shape[-1] == value.shape[-1] <= 128
        and query.shape[-1] % 8 == 0
        and query.shape[2] % max(key.shape[2], 1) == 0
        and state.differentiating < 2
    )


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
    local_window_size: int | tuple[int, int] | None = None,
) -> Any:
    """What may leave a position without anything to see is not given to cuDNN."""
    plain = bias is mask is attn_logits_soft_cap is local_window_size is None
    if plain and flash_attention is not False and _fits(query, key, value):
        try:
            return jax.nn.dot_product_attention(
                query, key, value, scale=scale, is_causal=is_causal, implementation="cudnn"
            )
        except (RuntimeError, ValueError, NotImplementedError):  # an older cuDNN or GPU
            pass
    return _composite(
        query, key, value, bias, mask, scale, is_causal, flash_attention, attn_logits_soft_cap,
        local_window_size,
    )  # fmt: skip


KERNELS: dict[str, Callable[..., Any]] = {"dot_product_attention": dot_product_attention}
