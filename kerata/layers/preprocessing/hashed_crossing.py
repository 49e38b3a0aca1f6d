"""`HashedCrossing`: combinations of features as the numbers of bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.text import Text, as_bytes, as_strings, is_text
from kerata.layers.arguments import one_of, positive
from kerata.layers.preprocessing import encoding as vectors
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.hashes import crossed, fingerprints
from kerata.layers.preprocessing.hashing import Integers, held_integers
from kerata.layers.preprocessing.string_lookup import held_text


class HashedCrossing(DataLayer):
    """The bin of each combination of features, by a hash: FarmHash's fingerprints joined.

    Args:
        num_bins: how many bins there are.
        output_mode: "int" for the bins' numbers, or "one_hot".
        sparse: whether vectors are sparse tensors of the active backend.
        name: its name.
        dtype: of the output; None for integers, or for vectors the global policy.

    Input: a list of two or more features, strings or integers of one shape `()`, `(batch,)` or
    `(batch, 1)`. Output: integers of that shape, or `(batch, num_bins)`.

    >>> import numpy as np
    >>> HashedCrossing(5)((np.array(["A", "B", "A"]), np.array([101, 101, 102]))).tolist()
    [1, 4, 1]
    """

    on_host = True

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if output_mode == "int" and dtype is None:
            dtype = "int64"
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.num_bins = positive(self, "num_bins", num_bins)
        self.output_mode = one_of(self, "output_mode", output_mode, ("int", "one_hot"))
        if sparse and output_mode == "int":
            raise ValueError("HashedCrossing: sparse=True needs output_mode='one_hot'")
        if output_mode == "int" and not dtypes.is_integer(self.compute_dtype):
            raise ValueError(
                "HashedCrossing: dtype must be an integer one for output_mode 'int'; got "
                f"{self.dtype!r}"
            )
        self.sparse = sparse
        self.autocast = False

    def as_inputs(self, inputs: Any) -> Any:
        """Each feature as `Text` or as an array."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(
                f"HashedCrossing takes a list of features; got {type(inputs).__name__}"
            )
        if len(inputs) < 2:
            raise ValueError(f"HashedCrossing takes two features or more; got {len(inputs)}")
        return [
            held_text(x, "HashedCrossing") if is_text(x) else held_integers(x, "HashedCrossing")
            for x in inputs
        ]

    def call(self, inputs: Any) -> Any:
        """The bins, or vectors of them."""
        shapes = [tuple(x.shape) for x in inputs]
        if len({len(s) for s in shapes}) > 1 or any(
            isinstance(a, int) and isinstance(b, int) and a != b
            for s in shapes[1:]
            for a, b in zip(shapes[0], s, strict=False)
        ):
            raise ValueError(f"HashedCrossing: the features must have one shape; got {shapes}")
        if len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1):
            raise ValueError(
                "HashedCrossing: features must have the shape (), (batch,) or (batch, 1); got "
                f"{shapes[0]}"
            )
        for x in inputs:
            kind = str(getattr(x.dtype, "name", x.dtype)).removeprefix("torch.")
            if kind.startswith(("float", "bfloat", "complex")):
                raise ValueError(f"HashedCrossing takes strings and integers; got {kind}")
        values = [x.values if isinstance(x, (Text, Integers)) else x for x in inputs]
        whole = self.output_mode == "int"
        dtype = "int32" if self.compute_dtype == "int64" else self.compute_dtype
        bins = (state.backend or ensure()).host_call(
            self.bins, values, shapes[0], dtype if whole else "int32"
        )
        return vectors.encoded(bins, self.output_mode, self.num_bins, dtype, sparse=self.sparse)

    def bins(self, *features: np.ndarray) -> np.ndarray:
        """The bins of arrays of strings and integers."""
        found = crossed([_fingerprints(np.asarray(x).reshape(-1)) for x in features])
        return (found % np.uint64(self.num_bins)).astype(np.int64).reshape(np.shape(features[0]))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """The features', or with `num_bins` for the last axis."""
        shape = tuple(input_shape[0])
        return vectors.encoded_shape(self.output_mode, shape, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        return {n: config[n] for n in ("num_bins", "output_mode", "sparse", "name")} | {
            "dtype": self.dtype
        }


def _fingerprints(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "USOT":
        return fingerprints(as_bytes(as_strings(values, "HashedCrossing")))
    return values.astype(np.int64).view(np.uint64)
