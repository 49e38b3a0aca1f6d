"""`HashedCrossing`: combinations of features as the numbers of bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core.text import as_bytes, as_strings
from kerata.layers.preprocessing.hashes import crossed, fingerprints
from kerata.layers.preprocessing.hashing import Hashes, held


class HashedCrossing(Hashes):
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
    [1, 4, 3]
    """

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
        self._set_up(num_bins, output_mode, sparse, ("int", "one_hot"))

    def as_inputs(self, inputs: Any) -> Any:
        """Each feature as `Text` or as an array."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(
                f"HashedCrossing takes a list of features; got {type(inputs).__name__}"
            )
        if len(inputs) < 2:
            raise ValueError(f"HashedCrossing takes two features or more; got {len(inputs)}")
        return [held(x, "HashedCrossing") for x in inputs]

    def call(self, inputs: Any) -> Any:
        """The bins, or vectors of them."""
        shapes = [tuple(x.shape) for x in inputs]
        if len({len(s) for s in shapes}) > 1 or any(
            len({s for s in sizes if isinstance(s, int)}) > 1
            for sizes in zip(*shapes, strict=False)
        ):
            raise ValueError(f"HashedCrossing: the features must have one shape; got {shapes}")
        if len(shapes[0]) > 2 or shapes[0][1:] not in ((), (1,)):
            raise ValueError(
                "HashedCrossing: features must have the shape (), (batch,) or (batch, 1); got "
                f"{shapes[0]}"
            )
        for x in inputs:
            kind = str(getattr(x.dtype, "name", x.dtype)).removeprefix("torch.")
            if kind.startswith(("float", "bfloat", "complex")):
                raise ValueError(f"HashedCrossing takes strings and integers; got {kind}")
        return self._encoded(self._bins, inputs, self.output_dtype)

    def bins(self, *values: np.ndarray) -> np.ndarray:
        """The bins of arrays of strings and integers."""
        found = crossed([_fingerprints(np.asarray(x).reshape(-1)) for x in values])
        return (found % np.uint64(self.num_bins)).astype(np.int64).reshape(np.shape(values[0]))

    def compute_output_shape(self, input_shape: Any, *_: Any) -> tuple[Any, ...]:
        """The features', or with `num_bins` for the last axis."""
        return super().compute_output_shape(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config() | {"dtype": self.dtype}
        return {n: v for n, v in config.items() if n != "trainable"}


def _fingerprints(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "USOT":
        return fingerprints(as_bytes(as_strings(values, "HashedCrossing")))
    return values.astype(np.int64).view(np.uint64)
