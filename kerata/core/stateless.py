"""`StatelessScope`: Keras' name for a scope of state, over `backends.scope.Scope`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kerata.backends.scope import Scope


class StatelessScope(Scope):
    """Reads and writes of variables go to this mapping inside a `with` block.

    Args:
        state_mapping: pairs `(variable, value)`.
        collect_losses: accepted for compatibility; see `losses`.
        initialize_variables: accepted for compatibility; variables are drawn when they are read.

    Example:
        >>> v = kerata.Variable(1.0)
        >>> with StatelessScope([(v, 2.0)]) as scope:
        ...     _ = v.assign(v + 1.0)
        >>> float(scope.get_current_value(v)), float(v)
        (3.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Any, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        super().__init__()
        self.losses: list[Any] = []
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        for variable, value in state_mapping or ():
            self._put(variable, value)

    def _put(self, variable: Any, value: Any) -> None:
        from kerata.ops.shaping import convert_to_tensor

        tensor = convert_to_tensor(value, variable.stored_dtype)
        if tuple(tensor.shape) != variable.shape:
            raise ValueError(
                f"StatelessScope: the value for {variable.path!r} has the shape "
                f"{tuple(tensor.shape)}, and the variable {variable.shape}"
            )
        self._values[id(variable)] = tensor
        self._variables[id(variable)] = variable

    def get_current_value(self, variable: Any) -> Any:
        """The value that `variable` has in this scope, or None."""
        return self.get(variable)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Write a pair `(variable, value)`."""
        self.write(*update)

    def add_loss(self, loss: Any) -> None:
        """Add to `losses`."""
        self.losses.append(loss)
