"""The base of optimizers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from kerata import ops
from kerata.backends.scope import Scope
from kerata.core.names import auto_name, name_scope
from kerata.core.serialization import CustomObjectScope, serialize_object
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.ops.updates import decay_update
from kerata.optimizers.accumulation import Window
from kerata.optimizers.averaging import Averages
from kerata.optimizers.conditions import write_where
from kerata.optimizers.gradients import clipped
from kerata.optimizers.schedules.schedule import LearningRateSchedule
from kerata.optimizers.state import OptimizerState


class Optimizer(OptimizerState):
    """The base of optimizers: what they share around their update rule.

    A subclass makes its slots in `build(variables)` and changes one variable in
    `update_step(gradient, variable, learning_rate)`; a rule over all variables at once overrides
    `update_all` too.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: each step multiplies the variables by `1 - learning_rate * weight_decay`.
        clipnorm: the largest norm of each gradient.
        clipvalue: the largest absolute value in a gradient.
        global_clipnorm: the largest norm of all gradients together.
        use_ema: keep a running average of each variable, which replaces it after training.
        ema_momentum: the share of the average that each step keeps.
        ema_overwrite_frequency: replace the variables by their averages every so many steps.
        loss_scale_factor: `scale_loss` multiplies by it, and gradients are divided by it.
        gradient_accumulation_steps: use the mean of the gradients of so many steps; see `apply`.
        name: its name.

    Attributes:
        built: whether `build` was called.
    """

    live: ClassVar[dict[str, str]] = {"name": "name"}

    def __init__(
        self,
        learning_rate: Any,
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
        if kwargs:
            raise ValueError(
                f"{type(self).__name__}: unknown argument(s) {', '.join(map(repr, kwargs))}"
            )
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError("Give one of clipnorm, clipvalue and global_clipnorm")
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"ema_momentum must be from 0 to 1; got {ema_momentum}")
        if use_ema and ema_overwrite_frequency is not None and ema_overwrite_frequency < 1:
            raise ValueError(
                f"ema_overwrite_frequency must be at least 1; got {ema_overwrite_frequency}"
            )
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ValueError(
                f"gradient_accumulation_steps must be at least 2; got {gradient_accumulation_steps}"
            )
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._start_state()
        self._averages: Averages | None = None
        self._not_decayed: list[Any] = []
        self._warned = False
        with name_scope(self.name):
            self._iterations = Variable(
                0, dtype="int32", trainable=False, name="iteration", on_host=True
            )
        self._track(self._iterations)
        self._learning_rate = self._made_rate(learning_rate)

    # The learning rate and the slots

    def _made_rate(self, rate: Any) -> Any:
        if callable(rate) and not isinstance(rate, Variable):
            return rate
        if isinstance(rate, (str, bytes)) or rate is None:
            raise ValueError(
                f"learning_rate must be a number, a schedule or a function; got {rate!r}"
            )
        variable = self._scalar("learning_rate", float(rate), on_host=True)
        self._track(variable)
        return variable

    @property
    def iterations(self) -> Any:
        """How many updates were made, an int32 variable (a tensor where gradients accumulate)."""
        steps = self.gradient_accumulation_steps
        return self._iterations if steps is None else ops.floor_divide(self._iterations, steps)

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or the current value of a schedule or a function.

        Assign a number at any time, or a schedule.

        Raises:
            TypeError: a number is assigned where a schedule rules.
        """
        rate = self._learning_rate
        return rate if isinstance(rate, Variable) else self._current_rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        current = self._learning_rate
        if callable(learning_rate) and not isinstance(learning_rate, Variable):
            if isinstance(current, Variable):
                self._variables = [v for v in self._variables if v is not current]
            self._learning_rate = learning_rate
        elif not isinstance(current, Variable):
            raise TypeError(
                f"The learning rate of {self.name!r} follows {current!r} and can't be set to a "
                "number. Make the optimizer with a number to set it later."
            )
        else:
            current.assign(learning_rate)

    def _current_rate(self) -> Any:
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate.value
        return rate(self._iterations) if isinstance(rate, LearningRateSchedule) else rate()

    def rated(self) -> dict[str, Any]:
        """The optimizers under it that have a learning rate, by name; itself under ""."""
        return {"": self}

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these variables; subclasses call it before they make theirs."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._places = {id(v): i for i, v in enumerate(self._trainable_variables)}
        if self.use_ema:
            slots = self.add_optimizer_variables(variables, "average", "zeros")
            self._averages = Averages(
                slots, self.ema_momentum, self.ema_overwrite_frequency, self.slots_of
            )
        if self.gradient_accumulation_steps:
            sums = self.add_optimizer_variables(variables, "gradient_accumulator")
            self._window = Window(sums, self._scalar("accumulated_weight"))
        self._constrained = any(v.constraint is not None for v in variables)
        self._overwritten = any(v.overwrite_with_gradient for v in variables)
        mro = type(self).__mro__
        by_step, by_all = (
            next(i for i, c in enumerate(mro) if name in vars(c))
            for name in ("update_step", "update_all")
        )
        # A subclass may refine `update_step` of a class that updates all variables at once.
        self._one_by_one = by_step < by_all
        self.built = True

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Leave variables out of weight decay; call it before the optimizer is built.

        Args:
            var_list: variables.
            var_names: regular expressions; a variable whose name has a match is left out.

        Raises:
            ValueError: the optimizer is built.
        """
        if self.built:
            raise ValueError("exclude_from_weight_decay must be called before the first step")
        self._not_decayed = [*(var_list or ()), *map(re.compile, var_names or ())]

    def _decays(self, variable: Variable) -> bool:
        return not any(
            one is variable if isinstance(one, Variable) else one.search(variable.name)
            for one in self._not_decayed
        )

    def assign(self, variable: Variable, value: Any) -> None:
        """`variable.assign(value)`, for update rules."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """`variable.assign_add(value)`, for update rules."""
        variable.assign(variable.value + value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """`variable.assign_sub(value)`, for update rules."""
        variable.assign(variable.value - value)

    # The step

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """Change one variable by its gradient."""
        raise NotImplementedError(
            f"{type(self).__name__} must define update_step(gradient, variable, learning_rate)"
        )

    def update_all(
        self,
        variables: Sequence[Variable],
        gradients: Sequence[Tensor],
        learning_rate: Tensor,
        step: Tensor,
    ) -> None:
        """Change all variables by their gradients; `step` counts from 1."""
        for variable, gradient in zip(variables, gradients, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """`apply` for pairs of gradient and variable; returns the counter of steps."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(list(gradients), list(variables))
        return self._iterations

    def apply(
        self,
        grads: Iterable[Any],
        trainable_variables: Iterable[Variable] | None = None,
        *,
        weight: Any = None,
    ) -> None:
        """Make one step.

        With `gradient_accumulation_steps` the gradients of so many calls make one update, by their
        mean. Weighted by what each call's loss was divided by, that is the update of the batch that
        they make up together, whatever their sizes; `fit` does so.

        Args:
            grads: gradients, in the order of the variables; a variable whose gradient is None stays
                as it is.
            trainable_variables: the variables; None for those that the optimizer was built with.
            weight: what the mean of gradients weighs these by: what their loss was divided by,
                samples or the sum of their weights, a number or a scalar tensor. None weighs all
                calls alike; "sum" adds gradients up, those of a loss that was not divided.

        Raises:
            ValueError: the numbers of gradients and variables differ, a variable is not one of
                those that the optimizer was built with, or all gradients are None.
        """
        gradients, variables = self._matched(grads, trainable_variables)
        for gradient in gradients:
            if gradient is None:
                variables, gradients = self._without_none(variables, gradients)
                break
        if not variables:
            return
        step = self._iterations.value + 1
        if self.loss_scale_factor is not None:
            gradients = [g / self.loss_scale_factor for g in gradients]
        if self._overwritten:
            variables, gradients = self._overwrite(variables, gradients)
        if self._window is not None:
            self._accumulate(self._window, variables, gradients, step, weight)
        else:
            self._update(variables, gradients, step)
        self._follow(variables)
        self._iterations.assign_add(1)

    def _follow(self, variables: list[Variable]) -> None:
        """What comes after each step: averages and constraints."""
        if self._averages is not None:
            self._averages.move(variables, ops.convert_to_tensor(self.iterations))
        if self._constrained:
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable.value))

    def _matched(
        self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None
    ) -> tuple[list[Any], list[Variable]]:
        gradients, variables = list(grads), self._known(trainable_variables)
        if len(gradients) != len(variables):
            raise ValueError(
                f"{self.name!r} got {len(gradients)} gradients for {len(variables)} variables"
            )
        return gradients, variables

    def _known(self, trainable_variables: Iterable[Variable] | None) -> list[Variable]:
        own = self._trainable_variables
        if trainable_variables is None:
            return own
        given = list(trainable_variables)
        if not self.built:
            self.build(given)
            return self._trainable_variables
        if len(given) == len(own):
            for one, other in zip(given, own, strict=True):
                if one is not other:
                    break
            else:
                return own
        unknown = [v.path for v in given if id(v) not in self._places]
        if unknown:
            raise ValueError(
                f"{self.name!r} was built for other variables than {', '.join(unknown)}. Make a "
                "new optimizer for new variables, or call build(variables) with all of them first."
            )
        return given

    def _without_none(
        self, variables: list[Variable], gradients: list[Any]
    ) -> tuple[list[Variable], list[Any]]:
        missing = [v.path for v, g in zip(variables, gradients, strict=True) if g is None]
        if len(missing) == len(variables):
            raise ValueError(
                "No variable has a gradient: the loss does not depend on "
                f"{', '.join(missing)}. Is the loss computed from the model's outputs?"
            )
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"The loss does not depend on {', '.join(missing)}: their gradients are None, and "
                "they stay as they are.",
                stacklevel=4,
            )
        pairs = [(v, g) for v, g in zip(variables, gradients, strict=True) if g is not None]
        return [v for v, _ in pairs], [g for _, g in pairs]

    def _overwrite(
        self, variables: list[Variable], gradients: list[Any]
    ) -> tuple[list[Variable], list[Any]]:
        """Give variables whose gradient is their next value that value; returns the others."""
        others = []
        for variable, gradient in zip(variables, gradients, strict=True):
            if variable.overwrite_with_gradient:
                variable.assign(gradient)
            else:
                others.append((variable, gradient))
        return [v for v, _ in others], [g for _, g in others]

    def _update(self, variables: list[Variable], gradients: list[Any], step: Tensor) -> None:
        gradients = clipped(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        rate = self._current_rate()
        self._decay(variables, rate)
        if self._one_by_one:
            Optimizer.update_all(self, variables, gradients, rate, step)
        else:
            self.update_all(variables, gradients, rate, step)

    def _decay(self, variables: list[Variable], rate: Tensor) -> None:
        """Weight decay, where there is one."""
        if self.weight_decay is not None:
            decayed = [v for v in variables if self._decays(v)] if self._not_decayed else variables
            decay_update(decayed, 1.0 - rate * self.weight_decay)

    # Accumulation and averages

    @property
    def accumulates(self) -> bool:
        """Whether `apply` adds gradients up before it uses them."""
        return self.gradient_accumulation_steps is not None

    def _accumulate(
        self,
        window: Window,
        variables: list[Variable],
        gradients: list[Any],
        step: Any,
        weight: Any,
    ) -> None:
        steps: Any = self.gradient_accumulation_steps
        slots = self.slots_of(window.sums, variables)
        window.add(slots, gradients, weight)

        def update() -> None:
            self._update(variables, window.mean(slots), step // steps)
            window.clear(slots)

        write_where(ops.equal(step % steps, 0), update)

    def flush(self) -> None:
        """Make the update of a window of gradients that is not full yet, if one was begun.

        `fit` calls it at the end of each epoch. The next call of `apply` begins a new window.
        """
        window = self._window
        if window is None:
            return
        steps: Any = self.gradient_accumulation_steps
        variables = [v for v in self._trainable_variables if not v.overwrite_with_gradient]
        slots = self.slots_of(window.sums, variables)
        done = self._iterations.value // steps

        def update() -> None:
            self._update(variables, window.mean(slots), done + 1)
            window.clear(slots)
            self._follow(variables)
            self._iterations.assign((done + 1) * steps)

        write_where(ops.greater(self._iterations.value % steps, 0), update)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Replace variables by their averages, at the end of training with `use_ema`."""
        if self._averages is not None:
            self._averages.take(self._known(var_list))

    def exchange_averages(self) -> None:
        """Exchange the variables and their averages, with `use_ema`."""
        if self._averages is not None:
            self._averages.exchange(self._trainable_variables)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """`loss` times `loss_scale_factor`, where there is one."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """One step as a function of the state.

        Args:
            optimizer_variables: the values of `variables`.
            grads: the gradients.
            trainable_variables: the values of the variables that it was built with.

        Returns:
            The new values of the trainable variables, and those of `variables`.

        Raises:
            ValueError: it is not built, or the numbers of values and variables differ.
        """
        if not self.built:
            raise ValueError("stateless_apply needs a built optimizer: call build(variables) first")
        own = [*self.variables, *self._trainable_variables]
        given = [*optimizer_variables, *trainable_variables]
        if len(optimizer_variables) != len(self.variables) or len(given) != len(own):
            raise ValueError(
                f"stateless_apply: {self.name!r} has {len(self.variables)} variables and was built "
                f"for {len(self._trainable_variables)}; {len(optimizer_variables)} and "
                f"{len(trainable_variables)} values were given"
            )
        with Scope(zip(own, map(ops.convert_to_tensor, given))):
            self.apply(grads)
            return [v.value for v in self._trainable_variables], [v.value for v in self.variables]

    # Saving

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        rate = self._learning_rate
        if "learning_rate" in config and isinstance(rate, Variable):
            given, now = config["learning_rate"], float(rate.numpy())
            same = isinstance(given, (int, float)) and np.float32(given) == np.float32(now)
            config["learning_rate"] = float(given) if same else now
        elif "learning_rate" in config:
            config["learning_rate"] = serialize_object(rate)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """An optimizer from what `get_config` returned."""
        with CustomObjectScope(custom_objects):
            return super().from_config(config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
