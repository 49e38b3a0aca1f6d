"""`Discretization`: numbers as the bins that they fall into."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.layers.preprocessing.adapting import AdaptedLayer
from kerata.layers.preprocessing.encoding import MODES, Encodes
from kerata.layers.preprocessing.numbers import as_numbers, host_numbers


class Discretization(Encodes, AdaptedLayer):
    """The number of the bin that a number falls into: how many boundaries are not above it.

    `adapt` chooses boundaries between which about as many numbers lie, from a summary of the data:
    weighted quantiles that are joined batch by batch.

    Args:
        bin_boundaries: the boundaries, rising; None where `adapt` finds them.
        num_bins: how many bins `adapt` makes.
        epsilon: how far from the right share a quantile may be; less takes more memory.
        output_mode: "int", or "one_hot", "multi_hot", "count", as in `CategoryEncoding`.
        sparse: whether vectors are sparse tensors of the active backend.
        dtype: of the vectors.
        name: its name.

    Input: numbers of any shape. Output: int32 of that shape, or vectors.

    >>> Discretization([0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4]]).tolist()
    [[0, 2, 3]]
    """

    learnt = "bin_boundaries"

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype=dtype, name=name, **kwargs)
        self._set_output(output_mode, sparse, ("int", *MODES[:-1]))
        if num_bins is not None and (num_bins < 0 or bin_boundaries is not None):
            raise ValueError(
                "Discretization: num_bins must be at least 0, and not be given beside "
                f"bin_boundaries; got {num_bins} and {bin_boundaries}"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("Discretization: give num_bins or bin_boundaries")
        self.num_bins, self.epsilon = num_bins, epsilon
        self.bin_boundaries: list[float] | None = None
        if bin_boundaries is not None:
            self._bound(bin_boundaries)
        self.reset_state()

    def _bound(self, boundaries: Any) -> None:
        self.bin_boundaries = [float(b) for b in boundaries]
        if sorted(self.bin_boundaries) != self.bin_boundaries:
            raise ValueError(f"Discretization: bin_boundaries must rise; got {self.bin_boundaries}")

    # Adapting

    @property
    def learns(self) -> bool:
        """Whether it was given no boundaries."""
        return self.num_bins is not None

    def reset_state(self) -> None:
        """Forget the data."""
        self.summary = np.empty((2, 0), np.float32)

    def update_state(self, data: Any) -> None:
        """Take a batch into the summary."""
        values = np.sort(host_numbers(data).astype(np.float32).reshape(-1))
        step = max(1.0, len(values) * self.epsilon)
        kept = values[int(step) - 1 :: int(step)]
        both = np.hstack([self.summary, np.stack([kept, np.full(len(kept), step, np.float32)])])
        self.summary = _compressed(both[:, np.argsort(both[0], kind="stable")], self.epsilon)

    def finalize_state(self) -> None:
        """Make the boundaries of what was seen."""
        if self.num_bins is not None and self.summary.size:
            values = _compressed(self.summary, 1.0 / max(self.num_bins, 1))[0]
            self.bin_boundaries = [float(v) for v in values[:-1]]

    # Calling

    def as_inputs(self, inputs: Any) -> Any:
        """Lists and series as arrays."""
        return as_numbers(inputs)

    def call(self, inputs: Any) -> Any:
        """The bins, or vectors of them."""
        if self.bin_boundaries is None:
            raise ValueError(
                f"Discretization {self.name!r} has no boundaries: give bin_boundaries, or call "
                "adapt(data) first"
            )
        boundaries = np.array(self.bin_boundaries, np.float32)
        return self._encoded(
            lambda x: ops.searchsorted(boundaries, ops.cast(x, "float32"), side="right"),
            inputs,
            self.compute_dtype,
        )

    def _size(self) -> int:
        return (self.num_bins or 0) if self.bin_boundaries is None else len(self.bin_boundaries) + 1

    def get_config(self) -> dict[str, Any]:
        """The arguments, with the boundaries that were found."""
        config = super().get_config()
        config |= {"bin_boundaries": self.bin_boundaries, "dtype": self.dtype}
        return {n: v for n, v in config.items() if n != "trainable"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from what `get_config` returned."""
        found = config.get("bin_boundaries")
        if config.get("num_bins") is None or found is None:
            return super().from_config(config)
        layer = super().from_config({**config, "bin_boundaries": None})
        layer._bound(found)
        return layer


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """Weighted values as no more than `1 / epsilon` of them, at shares as far apart.

    Args:
        summary: values, rising, and their weights, `(2, n)`.
        epsilon: the distance of two shares.
    """
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    sums = np.cumsum(summary[1])
    at = sums / sums[-1]
    values = np.interp(shares, at, summary[0])
    weights = np.diff(np.interp(shares, at, sums), prepend=0.0)
    return np.stack([values, weights]).astype(np.float32)
