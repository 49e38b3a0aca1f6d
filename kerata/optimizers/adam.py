"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.ops.updates import adam_update
from kerata.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    `m = beta_1 * m + (1 - beta_1) * g`, `v = beta_2 * v + (1 - beta_2) * g²`, and at step `t`
    `w -= learning_rate * sqrt(1 - beta_2ᵗ) / (1 - beta_1ᵗ) * m / (sqrt(v) + epsilon)`.

    Kingma & Ba, 2014; with `amsgrad` the largest `v` so far is used (Reddi et al., 2018).

    Args:
        learning_rate: see `Optimizer`.
        beta_1: the share of `m` that each step keeps.
        beta_2: the share of `v` that each step keeps.
        epsilon: keeps the quotient finite.
        amsgrad: see above.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the two slots of each variable, three with `amsgrad`."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        self._peaks = (
            self.add_optimizer_variables(variables, "velocity_hat") if self.amsgrad else []
        )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        self.update_all([variable], [gradient], learning_rate, self.iterations + 1)

    def update_all(
        self,
        variables: Sequence[Variable],
        gradients: Sequence[Tensor],
        learning_rate: Tensor,
        step: Tensor,
    ) -> None:
        adam_update(
            variables,
            gradients,
            self.slots_of(self._momentums, variables),
            self.slots_of(self._velocities, variables),
            self.slots_of(self._peaks, variables) if self._peaks else [],
            step,
            learning_rate,
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )


class AdamW(Adam):
    """Adam with decoupled weight decay, 0.004 unless given (Loshchilov & Hutter, 2019).

    Args:
        learning_rate: see `Optimizer`.
        weight_decay: each step multiplies the variables by `1 - learning_rate * weight_decay`.
        beta_1: see `Adam`.
        beta_2: see `Adam`.
        epsilon: see `Adam`.
        amsgrad: see `Adam`.
        clipnorm: see `Optimizer`, like the others.

    Raises:
        ValueError: `weight_decay` is None.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
        if weight_decay is None:
            raise ValueError("AdamW needs a weight_decay; Adam does without")
