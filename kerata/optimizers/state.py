"""The state of optimizers: their variables, in memory and in files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core.config_object import Configurable
from kerata.core.names import name_scope
from kerata.core.variable import Variable
from kerata.optimizers.accumulation import Window


class OptimizerState(Configurable):
    """What an optimizer keeps: the number of steps, the learning rate, slots for variables.

    Attributes:
        name: the first part of the paths of its variables.
        built: whether the slots are made.
    """

    name: str
    built: bool

    def _start_state(self) -> None:
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._window: Window | None = None

    def _track(self, variable: Variable) -> None:
        self._variables.append(variable)

    def _scalar(self, name: str, value: float = 0.0, on_host: bool = False) -> Variable:
        with name_scope(self.name):
            return Variable(
                value,
                dtype="float32",
                trainable=False,
                autocast=False,
                name=name,
                on_host=on_host,
            )

    @property
    def variables(self) -> list[Variable]:
        """Its state: the number of steps, the learning rate, and the slots."""
        window = self._window
        return [*self._variables, *(() if window is None else (window.weight,))]

    def _window_weights(self) -> list[Variable]:
        """Those of its variables that say what an accumulated gradient weighs."""
        return [] if self._window is None else [self._window.weight]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of its state.

        Args:
            shape: its sizes.
            initializer: a name, an initializer or a function.
            dtype: None for `config.floatx()`.
            aggregation: how replicas are joined.
            layout: accepted for compatibility.
            name: the last part of its path.
        """
        with name_scope(self.name):
            variable = Variable(
                initializer,
                tuple(shape),
                dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                layout=layout,
                name=name,
            )
        self._track(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a slot: a variable of the shape and dtype of another.

        Args:
            reference_variable: the other.
            name: the slot's, "var" where None; its variable is `{path of the other}_{name}`.
            initializer: a name, an initializer or a function.
        """
        path = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.stored_dtype,
            name=f"{path}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """Make one slot for each variable, or several where `name` is a list.

        Returns:
            A list of slots; for a list of names a list of such lists, one for each name.
        """
        names = [name] if isinstance(name, str) else list(name)
        first = [initializer] if isinstance(initializer, str) else initializer
        firsts = list(first) if isinstance(first, (list, tuple)) else [first]
        firsts *= len(names) if len(firsts) == 1 else 1
        slots: list[list[Variable]] = [[] for _ in names]
        for variable in trainable_variables:
            for made, one, start in zip(slots, names, firsts, strict=True):
                made.append(self.add_variable_from_reference(variable, one, start))
        return slots[0] if isinstance(name, str) else slots

    def _get_variable_index(self, variable: Variable) -> int:
        return self._places[id(variable)]

    def slots_of(self, slots: list[Variable], variables: Sequence[Variable]) -> list[Variable]:
        """The slots that belong to `variables`, in their order."""
        if variables is self._trainable_variables:
            return slots
        return [slots[self._places[id(v)]] for v in variables]

    # Saving

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set `variables` to these values.

        Raises:
            ValueError: the optimizer is not built, or their number or a shape differs.
        """
        if not self.built:
            raise ValueError("set_weights needs a built optimizer: call build(variables) first")
        if len(weights) != len(self.variables):
            raise ValueError(
                f"{self.name!r} has {len(self.variables)} variables, and {len(weights)} values "
                "were given"
            )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Put `variables` into `store`, under "0", "1" and so on.

        What a window of gradients weighs is there only where one was begun.
        """
        empty = {id(v) for v in self._window_weights()}
        begun = any(v.numpy() != 0 for v in self._window_weights())
        kept = self.variables if begun else [v for v in self.variables if id(v) not in empty]
        for i, variable in enumerate(kept):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take `variables` out of `store`; where their number differs, warn and keep the old."""
        variables, weights = self.variables, {id(v) for v in self._window_weights()}
        count = len(store.keys())
        if count == len(variables) - len(weights):
            for variable in self._window_weights():
                variable.assign(0.0)
            variables = [v for v in variables if id(v) not in weights]
        if count != len(variables):
            warnings.warn(
                f"{self.name!r} has {len(variables)} variables and the file {count}: its state is "
                "not loaded. Build it for the model's variables first.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(i)]))
