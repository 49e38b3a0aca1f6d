"""Loss scaling, so that gradients in float16 neither vanish nor overflow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kerata import ops
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.optimizers.conditions import write_where
from kerata.optimizers.optimizer import Optimizer


class LossScaleOptimizer(Optimizer):
    """Another optimizer, with losses scaled up and gradients down by a factor that adapts.

    A step whose gradients are not all finite is left out and halves the factor; after
    `dynamic_growth_steps` good steps in a row it doubles (Micikevicius et al., 2018).

    Args:
        inner_optimizer: the optimizer that makes the steps.
        initial_scale: the factor at first.
        dynamic_growth_steps: see above.
        name: its name.

    Raises:
        ValueError: `inner_optimizer` is no optimizer, or an argument is one of those.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ValueError(
                f"LossScaleOptimizer: set {', '.join(map(repr, kwargs))} on the inner optimizer"
            )
        if not isinstance(inner_optimizer, Optimizer):
            raise ValueError(
                f"LossScaleOptimizer: inner_optimizer must be an optimizer; got {inner_optimizer!r}"
            )
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps

    def build(self, var_list: Sequence[Variable]) -> None:
        """Make the factor and its counter, and build the inner optimizer."""
        if self.built:
            return
        super().build(var_list)
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), lambda shape, dtype: self.initial_scale, "float32", name="dynamic_scale"
        )
        self.inner_optimizer.build(var_list)

    @property
    def variables(self) -> list[Variable]:
        """Its own state and that of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    def _window_weights(self) -> list[Variable]:
        return self.inner_optimizer._window_weights()

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    def rated(self) -> dict[str, Optimizer]:
        """Those of the inner optimizer."""
        return self.inner_optimizer.rated()

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """That of the inner optimizer."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """`loss` times the factor."""
        scale = self.dynamic_scale.value if self.built else self.initial_scale
        return ops.multiply(loss, ops.cast(scale, loss.dtype) if self.built else scale)

    def check_finite(self, grads: Iterable[Any]) -> Tensor:
        """Whether all numbers in the gradients are finite, a boolean scalar."""
        return ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in grads if g is not None]))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        self.inner_optimizer.update_step(gradient, variable, learning_rate)

    @property
    def accumulates(self) -> bool:
        """Whether the inner optimizer does."""
        return self.inner_optimizer.accumulates

    def flush(self) -> None:
        """That of the inner optimizer."""
        self.inner_optimizer.flush()

    def apply(
        self,
        grads: Iterable[Any],
        trainable_variables: Iterable[Variable] | None = None,
        *,
        weight: Any = None,
    ) -> None:
        """Make one step with gradients of the scaled loss; see `Optimizer.apply`."""
        gradients = list(grads)
        variables = self._known(trainable_variables)
        scale = self.dynamic_scale.value
        finite = self.check_finite(gradients)
        scaled_down = [None if g is None else g / ops.cast(scale, g.dtype) for g in gradients]
        weighed = {"weight": weight} if self.accumulates else {}
        write_where(finite, lambda: self.inner_optimizer.apply(scaled_down, variables, **weighed))
        count = self.step_counter.value + 1
        grows = ops.equal(count, self.dynamic_growth_steps)
        larger = ops.where(grows, ops.multiply(scale, 2.0), scale)
        counts = ops.logical_and(finite, ops.logical_not(grows))
        self.dynamic_scale.assign(ops.where(finite, larger, ops.multiply(scale, 0.5)))
        self.step_counter.assign(ops.where(counts, count, 0))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """That of the inner optimizer."""
        self.inner_optimizer.finalize_variable_values(var_list)
