"""Quantizers: how floats become integers."""

from __future__ import annotations

from typing import Any

from kerata.core.config_object import Configurable
from kerata.ops.dispatch import Tensor
from kerata.quantizers.functions import abs_max_quantize


class Quantizer(Configurable):
    """The base of quantizers; subclasses define `__call__(x, axis=None, to_numpy=False)`.

    Args:
        output_dtype: of the integers.
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Tensor) -> Any:
        """The integers that stand for `x`, and their scale."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, x)")


class AbsMaxQuantizer(Quantizer):
    """`abs_max_quantize`: the largest absolute value becomes the largest integer.

    Args:
        axis: the axes that share a scale, where the call names none.
        value_range: the least and the largest integer.
        epsilon: keeps the scale finite where all inputs are 0.
        output_dtype: of the integers.

    >>> AbsMaxQuantizer(axis=0)([[1.0], [-4.0]])[0].tolist()
    [[32], [-127]]
    """

    def __init__(
        self,
        axis: Any = None,
        value_range: tuple[int, int] = (-127, 127),
        epsilon: float = 1e-07,
        output_dtype: str = "int8",
    ) -> None:
        super().__init__(output_dtype)
        self.axis = (axis,) if isinstance(axis, int) else None if axis is None else tuple(axis)
        self.value_range = tuple(value_range)
        self.epsilon = epsilon

    def __call__(
        self, x: Tensor, axis: Any = None, to_numpy: bool = False
    ) -> tuple[Tensor, Tensor]:
        return abs_max_quantize(
            x,
            self.axis if axis is None else axis,
            self.value_range,  # type: ignore[arg-type]
            self.output_dtype,
            self.epsilon,
            to_numpy,
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments; `axis` only where there is one."""
        config = super().get_config()
        if config.pop("axis") is not None:
            config["axis"] = self.axis
        return config
