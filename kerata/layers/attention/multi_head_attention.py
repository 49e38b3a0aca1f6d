"""`MultiHeadAttention`: each position looks at all others, in several ways at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.layers.arguments import positive
from kerata.layers.attention.projected import ProjectedAttention


class MultiHeadAttention(ProjectedAttention):
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
    `(batch, heads, length, source)`, and with a `cache` (see `make_cache`) the new cache last. A
    position that may look nowhere sees zeros.

    >>> layer = MultiHeadAttention(num_heads=2, key_dim=8)
    >>> layer.compute_output_shape((None, 10, 16), (None, 12, 16))
    (None, 10, 16)
    """

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
        num_heads = positive(self, "num_heads", num_heads)
        key_dim = positive(self, "key_dim", key_dim)
        value_dim = positive(self, "value_dim", value_dim or key_dim)
        super().__init__(
            (num_heads, num_heads), (key_dim, value_dim), dropout, use_bias, sliding_window,
            flash_attention, use_gate, seed, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.attention_axes = _axes(attention_axes)


def _axes(axes: Any) -> tuple[int, ...] | None:
    return (axes,) if isinstance(axes, int) else None if axes is None else tuple(axes)
