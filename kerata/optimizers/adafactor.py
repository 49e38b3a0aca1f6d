"""Adafactor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Adam with its mean squares kept by row and column alone (Shazeer & Stern, 2018).

    Steps are clipped by their root mean square and scaled by that of the variable.

    Args:
        learning_rate: see `Optimizer`.
        beta_2_decay: the share that each step `t` adds is `t^beta_2_decay`.
        epsilon_1: added to squared gradients.
        epsilon_2: the least size that a variable counts as.
        clip_threshold: the largest root mean square of a step.
        relative_step: use at most the rate `1 / sqrt(t)`.
        weight_decay: see `Optimizer`, like the others.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        if self.built:
            return
        super().build(variables)
        self.rows: list[Any] = []
        self.columns: list[Any] = []
        self.velocities: list[Any] = []
        for variable in variables:
            shape, path = variable.shape, variable.path.replace("/", "_")
            matrix = len(shape) >= 2
            rows = (shape[:-1], shape[:-2] + shape[-1:]) if matrix else ((), ())
            self.rows.append(self.add_variable(rows[0], name=f"{path}_row"))
            self.columns.append(self.add_variable(rows[1], name=f"{path}_column"))
            self.velocities.append(
                self.add_variable_from_reference(variable, "velocity") if not matrix else None
            )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        place = self._get_variable_index(variable)
        g, rate = gradient, ops.cast(learning_rate, variable.dtype)
        w, t = variable.value, ops.cast(self.iterations + 1, variable.dtype)
        if self.relative_step:
            rate = ops.minimum(rate, 1.0 / ops.sqrt(t))
        rate = rate * ops.maximum(_size(w), self.epsilon_2)
        kept = 1.0 - ops.power(t, self.beta_2_decay)
        square = g * g + self.epsilon_1
        if len(variable.shape) >= 2:
            row = self.rows[place].value * kept + ops.mean(square, axis=-1) * (1.0 - kept)
            column = self.columns[place].value * kept + ops.mean(square, axis=-2) * (1.0 - kept)
            self.rows[place].assign(row)
            self.columns[place].assign(column)
            share = row / ops.mean(row, axis=-1, keepdims=True)
            mean = ops.expand_dims(share, -1) * ops.expand_dims(column, -2)
        else:
            mean = self.velocities[place].value * kept + square * (1.0 - kept)
            self.velocities[place].assign(mean)
        step = g * ops.rsqrt(mean)
        step = step / ops.maximum(_size(step) / self.clip_threshold, 1.0)
        variable.assign(w - rate * step)


def _size(x: Tensor) -> Tensor:
    """The root mean square."""
    return ops.sqrt(ops.mean(ops.square(x)))
