"""Writing to variables where a condition holds that may not be known yet."""

from __future__ import annotations

from collections.abc import Callable

from kerata import ops
from kerata.backends.registry import ensure
from kerata.backends.scope import Scope
from kerata.backends.state import state
from kerata.ops.dispatch import Tensor


def write_where(condition: Tensor, action: Callable[[], None]) -> None:
    """Run `action`, which writes to variables, where the scalar `condition` holds.

    While a program is traced, where the condition is not known, it runs either way and its results
    are chosen element by element.
    """
    if not (state.backend or ensure()).knows(condition):
        with Scope() as scope:
            action()
        for variable, value in list(scope.writes()):
            variable.assign(ops.where(condition, value, variable.value))
        return
    if bool(condition):
        action()
