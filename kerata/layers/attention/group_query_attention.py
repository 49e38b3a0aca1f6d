"""`GroupQueryAttention`: attention whose heads share keys and values in groups."""

from __future__ import annotations

from typing import Any

from kerata.core.names import auto_name
from kerata.layers.arguments import positive
from kerata.layers.attention.projected import ProjectedAttention


class GroupQueryAttention(ProjectedAttention):
    """`MultiHeadAttention` with fewer heads of keys and values than of queries.

    Each head of keys and values serves `num_query_heads / num_key_value_heads` heads of queries,
    so that a cache is that much smaller; one alone serves them all in multi-query attention.
    Ainslie et al., 2023.

    Args:
        head_dim: the size of a head.
        num_query_heads: the number of heads of the queries.
        num_key_value_heads: that of keys and values, a divisor of it.
        dropout: the share of the attention weights dropped in training.
        use_bias: whether the projections have biases.
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

    Input and output: those of `MultiHeadAttention`, of three axes. What `query_mask`, bool
    `(batch, length)`, leaves out sees nothing.

    >>> layer = GroupQueryAttention(head_dim=8, num_query_heads=4, num_key_value_heads=2)
    >>> layer.compute_output_shape((None, 10, 16), (None, 12, 16))
    (None, 10, 16)
    >>> layer.make_cache(batch_size=1, max_length=100)["key"].shape
    (1, 100, 2, 8)
    """

    masks_queries = True

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
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
        head_dim = positive(self, "head_dim", head_dim)
        heads = positive(self, "num_query_heads", num_query_heads)
        groups = positive(self, "num_key_value_heads", num_key_value_heads)
        if heads % groups:
            raise ValueError(
                f"{type(self).__name__}: num_key_value_heads must divide num_query_heads; "
                f"got {groups} and {heads}"
            )
        if type(self) is GroupQueryAttention and kwargs.get("name") is None:
            kwargs["name"] = auto_name("GroupedQueryAttention")  # as Keras names it
        super().__init__(
            (heads, groups), (head_dim, head_dim), dropout, use_bias, sliding_window,
            flash_attention, use_gate, seed, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.head_dim = head_dim
        self.num_query_heads, self.num_key_value_heads = heads, groups

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections."""
        if len(query_shape) != 3:
            raise ValueError(
                f"{type(self).__name__}: query must be (batch, length, features); "
                f"got the shape {tuple(query_shape)}"
            )
        super().build(query_shape, value_shape, key_shape)
