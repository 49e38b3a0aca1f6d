"""`StandIn`: what a layer's attribute holds in place of a weight that is kept in another form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import ops
from kerata.backends.operators import Operators
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor


class StandIn(Operators):
    """Reads as the weight's tensor; `of` computes with it without that tensor being made.

    Attributes:
        shape: of the weight.
        dtype: of the weight.
        name: its name.
        path: its name after those of its layers.
        trainable: whether the weight itself is trained.
        variables: what it is kept in, in the order of files.
    """

    shape: tuple[int, ...]
    dtype: str
    name: str
    path: str
    trainable: bool = False
    variables: Sequence[Variable] = ()

    @property
    def value(self) -> Tensor:
        """The weight's tensor."""
        raise NotImplementedError

    def of(self, product: Callable[..., Tensor], inputs: Any, whole: bool = False) -> Tensor:
        """`product(inputs, weight)`.

        Args:
            product: linear in the weight; a look-up, or (unless `whole`) a matrix product.
            inputs: what it is multiplied by.
            whole: whether `product` needs the weight in its own shape.
        """
        return product(inputs, self.value)

    def kept(self, value: np.ndarray) -> dict[Variable, np.ndarray]:
        """What its variables hold when the weight is `value`."""
        raise NotImplementedError

    def assign(self, value: Any) -> StandIn:
        """Take `value` for the weight."""
        for variable, held in self.kept(ops.convert_to_numpy(value)).items():
            variable.assign(held)
        return self

    def __kerata_value__(self) -> Tensor:
        return self.value

    def numpy(self) -> np.ndarray:
        """The weight, on the host."""
        return ops.convert_to_numpy(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy().astype(dtype or self.dtype, copy=False)
