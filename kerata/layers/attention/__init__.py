"""Attention."""

from kerata.layers.attention.attention import AdditiveAttention, Attention
from kerata.layers.attention.group_query_attention import GroupQueryAttention
from kerata.layers.attention.multi_head_attention import MultiHeadAttention

__all__ = ["AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention"]
