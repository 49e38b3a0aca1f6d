"""Gradients of several steps added up before they are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor


class Window:
    """The gradients added up since the last update, and what they weigh together.

    The mean of gradients `g` that belong to losses divided by `n` (samples, weights, what a mask
    leaves) is `sum(n * g) / sum(n)`: the gradient of the loss of all their samples together.

    Args:
        sums: a slot for each variable, zero.
        weight: a scalar float32 variable, zero.
    """

    def __init__(self, sums: list[Variable], weight: Variable) -> None:
        self.sums = sums
        self.weight = weight

    def add(self, slots: Sequence[Variable], gradients: Sequence[Tensor], weight: Any) -> None:
        """Take gradients in.

        Args:
            slots: those of `sums` that the gradients belong to.
            gradients: the gradients.
            weight: what their loss was divided by, a number or a scalar; None for 1; "sum" where it
                was not divided, so that the gradients are to be added up.
        """
        summed = isinstance(weight, str)
        if summed and weight != "sum":
            raise ValueError(f"weight must be a number, a scalar, None or 'sum'; got {weight!r}")
        share = None if weight is None or summed else ops.cast(weight, "float32")
        for slot, gradient in zip(slots, gradients, strict=True):
            part = gradient if share is None else gradient * ops.cast(share, gradient.dtype)
            slot.assign(slot.value + part)
        if summed:
            self.weight.assign(ops.ones_like(self.weight.value))
        else:
            self.weight.assign(self.weight.value + (1.0 if share is None else share))

    def mean(self, slots: Sequence[Variable]) -> list[Tensor]:
        """The mean of what was added; zeros where it has no weight."""
        whole = self.weight.value
        whole = ops.where(ops.greater(whole, 0.0), whole, ops.ones_like(whole))
        return [slot.value / ops.cast(whole, slot.dtype) for slot in slots]

    def clear(self, slots: Sequence[Variable]) -> None:
        """Start anew."""
        for variable in (*slots, self.weight):
            variable.assign(ops.zeros_like(variable.value))
