"""Muon."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.ops.updates import decay_update
from kerata.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """Momentum made orthogonal by Newton and Schulz's iteration; AdamW for what is no matrix.

    Jordan et al., 2024; Liu et al., 2025, scale the step by `rms_rate * sqrt(max(rows, columns))`.
    Embeddings, and the layers that `exclude_layers` names, follow AdamW too.

    Args:
        learning_rate: see `Optimizer`.
        adam_beta_1: AdamW's `beta_1`.
        adam_beta_2: AdamW's `beta_2`.
        adam_weight_decay: AdamW's weight decay.
        epsilon: keeps quotients finite.
        exclude_layers: expressions; a variable whose path has a match follows AdamW.
        exclude_embeddings: whether variables with "embedding" in their path follow AdamW.
        muon_a: a factor of the iteration `a * x + b * (x xᵀ) x + c * (x xᵀ)² x`.
        muon_b: see `muon_a`.
        muon_c: see `muon_a`.
        adam_lr_ratio: the learning rate of AdamW over that of the matrices.
        momentum: the share of the mean gradient that each step keeps.
        ns_steps: how many iterations there are.
        nesterov: whether the momentum is Nesterov's.
        rms_rate: the scale of a step; None for that of an orthogonal matrix.
        weight_decay: of the matrices; see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = exclude_layers
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _by_adam(self, variable: Variable) -> bool:
        path = variable.path.lower()
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and "embedding" in path)
            or any(re.search(pattern, variable.path) for pattern in self.exclude_layers or ())
        )

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.momentums: list[Variable] = []
        self.velocities: list[Variable | None] = []
        for variable in variables:
            adam = self._by_adam(variable)
            self.momentums.append(self.add_variable_from_reference(variable, "momentum"))
            velocity = self.add_variable_from_reference(variable, "velocity") if adam else None
            self.velocities.append(velocity)

    def _decay(self, variables: list[Variable], rate: Tensor) -> None:
        decayed = [v for v in variables if self._decays(v)]
        matrices = [v for v in decayed if self._is_matrix(v)]
        others = [v for v in decayed if not self._is_matrix(v)]
        for group, decay in ((matrices, self.weight_decay), (others, self.adam_weight_decay)):
            if decay and group:
                decay_update(group, 1.0 - rate * decay)

    def _is_matrix(self, variable: Variable) -> bool:
        return self.velocities[self._get_variable_index(variable)] is None

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        if self.velocities[place] is None:
            step = self._matrix_step(gradient, self.momentums[place])
        else:
            step = self._adam_step(gradient, self.momentums[place], self.velocities[place])
        variable.assign(variable.value - rate * step)

    def _matrix_step(self, g: Tensor, slot: Variable) -> Tensor:
        m = slot.value * self.momentum + g
        slot.assign(m)
        direction = self._orthogonal(m * self.momentum + g if self.nesterov else m)
        return (
            direction
            if self.rms_rate is None
            else (direction * (self.rms_rate * math.sqrt(max(slot.shape))))
        )

    def _orthogonal(self, x: Tensor) -> Tensor:
        tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if tall else x
        x = x / (ops.norm(x) + self.epsilon)
        for _ in range(self.ns_steps):
            square = x @ ops.transpose(x)
            x = x * self.muon_a + (square * self.muon_b + (square @ square) * self.muon_c) @ x
        return ops.transpose(x) if tall else x

    def _adam_step(self, g: Tensor, momentum: Variable, velocity: Any) -> Tensor:
        t = ops.cast(self.iterations + 1, g.dtype)
        m = momentum.value * self.adam_beta_1 + g * (1.0 - self.adam_beta_1)
        v = velocity.value * self.adam_beta_2 + g * g * (1.0 - self.adam_beta_2)
        momentum.assign(m)
        velocity.assign(v)
        correction = ops.sqrt(1.0 - ops.power(self.adam_beta_2, t))
        correction = correction / (1.0 - ops.power(self.adam_beta_1, t))
        return m * correction / (ops.sqrt(v) + self.epsilon) * self.adam_lr_ratio
