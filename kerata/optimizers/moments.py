"""The base of Adam's relatives, which keep two moments of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from kerata.core.variable import Variable
from kerata.optimizers.optimizer import Optimizer


class TwoMoments(Optimizer):
    """The constructor and the slots that `Adamax`, `Lamb` and `Nadam` share.

    Attributes:
        spread: the name of the slots of the second moment.
    """

    spread: ClassVar[str] = "velocity"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.momentums, self.spreads = self.add_optimizer_variables(
            variables, ["momentum", self.spread]
        )
