"""Gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.ops.updates import sgd_update
from kerata.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent, with momentum or without.

    `w -= learning_rate * g`; with `momentum`, `m = momentum * m - learning_rate * g` and `w += m`;
    with `nesterov`, `w += momentum * m - learning_rate * g` (Sutskever et al., 2013).

    Args:
        learning_rate: see `Optimizer`.
        momentum: the share of the last change that is kept, from 0 to 1.
        nesterov: see above.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be from 0 to 1; got {momentum!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        """Make a slot for each variable, where there is momentum."""
        if self.built:
            return
        super().build(variables)
        self.momentums = (
            self.add_optimizer_variables(variables, "momentum") if self.momentum else []
        )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        self.update_all([variable], [gradient], learning_rate, None)

    def update_all(
        self,
        variables: Sequence[Variable],
        gradients: Sequence[Tensor],
        learning_rate: Tensor,
        step: Tensor,
    ) -> None:
        slots = self.slots_of(self.momentums, variables) if self.momentum else []
        sgd_update(variables, gradients, slots, learning_rate, self.momentum, self.nesterov)
