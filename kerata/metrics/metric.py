"""The base of metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from kerata import config, dtype_policies, ops
from kerata.backends import dtypes
from kerata.backends.scope import Scope
from kerata.core.config_object import Configurable
from kerata.core.names import auto_name, name_scope
from kerata.core.tracking import attributes, unique
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor


class Metric(Configurable):
    """The base of metrics: a running summary of what `update_state` was given.

    A subclass makes its state in `__init__` with `add_weight`, changes it in `update_state` and
    returns the summary from `result`.

    Args:
        dtype: a dtype or policy to compute in; None for `config.floatx()`.
        name: its name.

    Example:
        >>> class Largest(Metric):
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.top = self.add_weight(name="top")
        ...     def update_state(self, values):
        ...         self.top.assign(ops.maximum(self.top, ops.max(values)))
        ...     def result(self):
        ...         return self.top.value
        >>> float(Largest()([1.0, 3.0, 2.0]))
        3.0
    """

    live: ClassVar[dict[str, str]] = {"name": "name", "dtype": "dtype"}
    # Attributes that hold no state of its own.
    untracked = frozenset({"_init_args"})
    # "up" where larger is better, "down" where smaller is, None where that is not known.
    _direction: ClassVar[str | None] = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        if dtype is None:
            self._dtype = config.floatx()
        else:
            self._dtype = dtype_policies.get(dtype).compute_dtype
        self._made: list[Variable] = []

    @property
    def dtype(self) -> str:
        """The dtype that it computes in."""
        return self._dtype

    # State

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Make a variable of its state.

        Args:
            shape: its sizes.
            initializer: a name, an initializer or a function; None for "zeros".
            dtype: None for the metric's.
            aggregation: how replicas are joined.
            name: the last part of its path.
        """
        with name_scope(self.name.replace("/", ">")):
            variable = Variable(
                "zeros" if initializer is None else initializer,
                tuple(shape),
                self._dtype if dtype is None else dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                name=name,
            )
        self._made.append(variable)
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """`add_variable` with other defaults: a scalar, 0 at first."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of its state, those of metrics in its attributes included."""
        found: list[Variable] = []
        for value in attributes(self):
            if isinstance(value, Variable):
                found.append(value)
            elif isinstance(value, Metric):
                found += value.variables
        return unique(iter(found))

    def reset_state(self) -> None:
        """Set its state to 0."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, dtypes.numpy_dtype(variable.stored_dtype)))

    # Use

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take values in."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state")

    def result(self) -> Any:
        """The summary of what was taken in: a scalar, or a dictionary of scalars."""
        raise NotImplementedError(f"{type(self).__name__} must define result(self)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take values in and return `result()`."""
        self.update_state(*args, **kwargs)
        return self.result()

    # The same as functions of the state

    def _scope(self, metric_variables: Sequence[Any]) -> tuple[list[Variable], Scope]:
        own = self.variables
        if len(own) != len(metric_variables):
            raise ValueError(
                f"{self.name!r} has {len(own)} variables, and {len(metric_variables)} values "
                "were given"
            )
        values = (ops.convert_to_tensor(v) for v in metric_variables)
        return own, Scope(zip(own, values, strict=True))

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """The values of `variables` after `update_state`, if they were these before."""
        own, scope = self._scope(metric_variables)
        with scope:
            self.update_state(*args, **kwargs)
            return [v.value for v in own]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """`result()` if the values of `variables` were these."""
        _, scope = self._scope(metric_variables)
        with scope:
            return self.result()

    def stateless_reset_state(self) -> list[Tensor]:
        """The values of `variables` after `reset_state`."""
        own, scope = self._scope([v.value for v in self.variables])
        with scope:
            self.reset_state()
            return [v.value for v in own]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
