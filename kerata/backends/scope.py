"""Scopes that variables are read from and written to instead of their own storage.

This is how a function with state becomes a pure one: `recorded` finds, by running the function
under the `abstract` backend, which variables it reads and writes; a transformation then runs it in
a `Scope` whose values it chose, and takes the new values out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

from kerata.backends.registry import load, using
from kerata.backends.state import state


class Scope:
    """Reads and writes of variables go to this mapping while it is entered.

    A variable that the mapping lacks is looked up in the enclosing scope, or in its own storage.
    """

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = ()) -> None:
        self._values: dict[int, Any] = {}
        self._variables: dict[int, Any] = {}
        self.written: dict[int, Any] = {}
        self._outer: Any = None
        for variable, value in pairs:
            self._values[id(variable)] = value
            self._variables[id(variable)] = variable

    def __enter__(self) -> Self:
        self._outer, state.scope = state.scope, self
        return self

    def __exit__(self, *exception: object) -> None:
        state.scope = self._outer

    def read(self, variable: Any) -> Any:
        """The value that `variable` has here."""
        value = self._values.get(id(variable), self)  # `self` where there is none
        return self.missing(variable) if value is self else value

    def missing(self, variable: Any) -> Any:
        """The value of a variable that the mapping does not have."""
        return self._outer.read(variable) if self._outer is not None else variable.tensor()

    def write(self, variable: Any, value: Any) -> None:
        """Give `variable` a value here."""
        key = id(variable)
        self._values[key] = value
        self._variables[key] = variable
        self.written[key] = variable

    def get(self, variable: Any, default: Any = None) -> Any:
        """The value of `variable` in this mapping alone."""
        return self._values.get(id(variable), default)

    def nearest(self, variable: Any) -> Any:
        """The value that `variable` has here or in an enclosing scope; None where none has one."""
        value = self._values.get(id(variable))
        if value is None and self._outer is not None:
            return self._outer.nearest(variable)
        return value

    def writes(self) -> Iterator[tuple[Any, Any]]:
        """The variables written here, with their last values."""
        return ((v, self._values[k]) for k, v in self.written.items())


class Recorder(Scope):
    """Answers reads with the variables' shapes and dtypes, and notes what is read and written."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: dict[int, Any] = {}

    def missing(self, variable: Any) -> Any:
        self.reads[id(variable)] = variable
        abstract: Any = load("abstract")
        return abstract.tensor(*variable.spec())


class Touched(NamedTuple):
    """The variables that a function reads and those that it writes, and what it returns."""

    read_only: list[Any]
    written: list[Any]
    result: Any


def recorded(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any] | None = None
) -> Touched:
    """Run `function` under `abstract` on arguments that are abstract tensors or plain values."""
    scope = Recorder()
    with using(load("abstract")), scope:
        result = function(*args, **(kwargs or {}))
    return touched(scope, result)


def touched(scope: Any, result: Any) -> Touched:
    """What a scope that records (`reads`, `written`) has seen."""
    written = list(scope.written.values())
    read_only = [v for k, v in scope.reads.items() if k not in scope.written]
    return Touched(read_only, written, result)


class Observer(Scope):
    """Answers reads with the variables' own values, and notes what is read and written.

    For functions with an engine's own calls, which `abstract` can't run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reads: dict[int, Any] = {}

    def missing(self, variable: Any) -> Any:
        self.reads[id(variable)] = variable
        return super().missing(variable)
