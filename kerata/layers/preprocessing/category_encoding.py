"""`CategoryEncoding`: integers as vectors."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.backends import dtypes
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.encoding import MODES, Encodes
from kerata.layers.preprocessing.numbers import held_integers


class CategoryEncoding(Encodes, DataLayer):
    """Integers from 0 to `num_tokens - 1` as vectors; others count nothing.

    Args:
        num_tokens: how many integers there are.
        output_mode: "one_hot" for a vector for each integer, "multi_hot" for one for each row with
            1 for what occurs in it, "count" for how often it does.
        sparse: whether the vectors are sparse tensors of the active backend.

    Input: `(batch, n)`; in `call` also `count_weights` of that shape, what each place counts.
    Output: `(batch, num_tokens)`, or for "one_hot" `(batch, n, num_tokens)` (without an n of 1).

    >>> CategoryEncoding(4, "count")([[0, 1], [3, 3]]).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]]
    """

    takes_sparse = True

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_tokens is None:
            raise ValueError(
                "CategoryEncoding: num_tokens must be given. Where it is not known, IntegerLookup "
                "finds it out"
            )
        if num_tokens < 1:
            raise ValueError(f"CategoryEncoding: num_tokens must be at least 1; got {num_tokens}")
        self.num_tokens = num_tokens
        self._set_output(output_mode, sparse, MODES[:-1])

    def as_inputs(self, inputs: Any) -> Any:
        """Lists and series as arrays."""
        return held_integers(inputs, "CategoryEncoding")

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """The vectors."""
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    "CategoryEncoding: count_weights need output_mode='count'; got "
                    f"{self.output_mode!r}"
                )
            count_weights = ops.convert_to_tensor(count_weights)
        return self._encoded(_as_integers, inputs, self.compute_dtype, count_weights)

    def _size(self) -> int:
        return self.num_tokens

    def get_config(self) -> dict[str, Any]:
        """The arguments; `sparse` where it is True, as Keras leaves it out."""
        config = super().get_config()
        return config if self.sparse else {n: v for n, v in config.items() if n != "sparse"}


def _as_integers(x: Any) -> Any:
    whole = dtypes.is_integer(dtypes.standardize_dtype(x.dtype)) if hasattr(x, "dtype") else False
    return x if whole else ops.cast(x, "int32")
