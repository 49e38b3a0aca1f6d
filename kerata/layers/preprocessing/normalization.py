"""`Normalization`: numbers moved and scaled to mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata import ops
from kerata.core.variable import Variable
from kerata.layers.preprocessing.adapting import AdaptedLayer
from kerata.layers.preprocessing.numbers import as_numbers, host_numbers
from kerata.ops.dispatch import Tensor

_LEAST = 1e-7  # what is divided by at least


class Normalization(AdaptedLayer):
    """`(x - mean) / sqrt(variance)`, for each feature.

    Args:
        axis: the axes that have a mean and a variance for each place; None for one of each in all.
        mean: the mean, of a shape that fits these axes; None where `adapt` finds it.
        variance: the variance, likewise.
        invert: whether it undoes that: `x * sqrt(variance) + mean`.

    Input and output: any shape whose sizes along `axis` are known.

    >>> Normalization(mean=3.0, variance=4.0)([[1.0], [5.0]]).tolist()
    [[-1.0], [1.0]]
    """

    rows_at_once = 2**20
    learnt = "mean and variance"

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        axes = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Normalization: give both mean and variance, or neither; got mean={mean!r} and "
                f"variance={variance!r}"
            )
        self.axis, self.invert = axes, invert
        self.supports_masking = True
        self.autocast = False  # half precision would round the data before it is normalized
        self._given: tuple[np.ndarray, np.ndarray] | None = None
        if mean is not None:
            self._given = np.asarray(mean, np.float32), np.asarray(variance, np.float32)
            if self._given[0].shape != self._given[1].shape:
                raise ValueError(
                    "Normalization: mean and variance must have one shape; got "
                    f"{self._given[0].shape} and {self._given[1].shape}"
                )
        self._kept: dict[int, tuple[int, np.ndarray]] = {}
        self.reset_state()

    def build(self, input_shape: Any) -> None:
        """Make mean and variance, of the sizes along the axes."""
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                f"Normalization: axis must be axes of the input, which has {rank}; got {self.axis}"
            )
        places = sorted(a % rank for a in self.axis)
        sizes = tuple(input_shape[a] for a in places)
        if None in sizes:
            raise ValueError(
                f"Normalization: the sizes of the input along axis {self.axis} must be known; got "
                f"the shape {tuple(input_shape)}"
            )
        self._reduced = tuple(a for a in range(rank) if a not in places)
        self._shape = tuple(input_shape[a] if a in places else 1 for a in range(rank))
        if self._given is not None:
            return
        self.adapt_mean = self._statistic("mean", sizes, "zeros")
        self.adapt_variance = self._statistic("variance", sizes, "ones")
        # Nothing counts in it, but files have it.
        self.count = self.add_weight((), "zeros", "int32", False, name="count")

    def _statistic(self, name: str, shape: tuple[int, ...], initializer: str) -> Variable:
        return self.add_weight(shape, initializer, trainable=False, autocast=False, name=name)

    # Adapting

    @property
    def learns(self) -> bool:
        """Whether it was given neither mean nor variance."""
        return self._given is None

    def reset_state(self) -> None:
        """Forget the data."""
        self._seen = 0
        self._moments = np.zeros(2)

    def update_state(self, data: Any) -> None:
        """Take a batch into the mean and the variance (Chan et al., 1979)."""
        x = host_numbers(data).astype(np.float64)
        if not self.built:
            self.build((None, *x.shape[1:]) if 0 not in self._kept_axes(x.ndim) else x.shape)
        count = math.prod(x.shape[a] for a in self._reduced)
        if not count:
            return
        mean, variance = x.mean(self._reduced), x.var(self._reduced)
        if mean.shape != self.adapt_mean.shape:
            raise ValueError(
                f"Normalization: the data's sizes along axis {self.axis} must be those it was "
                f"built for, {self.adapt_mean.shape}; got {mean.shape}"
            )
        share = count / (self._seen + count)
        before, spread = self._moments if self._seen else (mean, variance)
        total = before + (mean - before) * share
        spread = (
            spread * (1 - share) + variance * share + (mean - before) ** 2 * share * (1 - share)
        )
        self._moments, self._seen = np.stack([total, spread]), self._seen + count

    def _kept_axes(self, rank: int) -> list[int]:
        return [a % rank for a in self.axis if -rank <= a < rank]

    def finalize_state(self) -> None:
        """Take mean and variance into use."""
        if self._given is None and self._seen:
            self.adapt_mean.assign(self._moments[0].astype(np.float32))
            self.adapt_variance.assign(self._moments[1].astype(np.float32))

    # Calling

    def as_inputs(self, inputs: Any) -> Any:
        """Lists and series as arrays."""
        return as_numbers(inputs)

    @property
    def mean(self) -> Any:
        """The mean, of a shape to be broadcast to inputs."""
        return self._broadcast(0, len(self._shape))

    @property
    def variance(self) -> Any:
        """The variance, of a shape to be broadcast to inputs."""
        return self._broadcast(1, len(self._shape))

    def _broadcast(self, which: int, rank: int) -> Any:
        """A statistic for inputs of so many axes, the batch's among them or not."""
        shape = self._shape[max(len(self._shape) - rank, 0) :]
        if self._given is not None:
            given = self._given[which]
            fits = given.size == math.prod(shape)
            return ops.convert_to_tensor(given.reshape(shape) if fits else given)
        variable = (self.adapt_mean, self.adapt_variance)[which]
        value = self._on_host(which, variable) if self.piped else variable.value
        return ops.reshape(value, shape if math.prod(shape) == variable.size else self._shape)

    def _on_host(self, which: int, variable: Variable) -> np.ndarray:
        """A copy of a variable's value, which stays where it is."""
        version, value = self._kept.get(which, (-1, None))
        if value is None or version != variable.version:
            value = variable.numpy()
            self._kept[which] = variable.version, value
        return value

    def call(self, inputs: Tensor) -> Tensor:
        """The inputs, normalized."""
        x = ops.cast(inputs, self.variable_dtype)
        mean, variance = (self._broadcast(i, len(x.shape)) for i in (0, 1))
        mean = ops.cast(mean, self.variable_dtype)
        scale = ops.sqrt(ops.cast(variance, self.variable_dtype))
        scale = ops.maximum(scale, _LEAST)
        x = ops.multiply(x, scale) + mean if self.invert else ops.subtract(x, mean) / scale
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config() | {"axis": self.axis, "mean": None, "variance": None}
        if self._given is not None:
            config |= {"mean": self._given[0].tolist(), "variance": self._given[1].tolist()}
        return config
