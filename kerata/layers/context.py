"""Arguments of a call that reach the layers inside without being handed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.backends.state import state
from kerata.layers.signatures import CallSpec


class ContextArguments:
    """The part of `Layer` that knows the context arguments of its calls."""

    _context_names: tuple[str, ...] = ()

    def _register_call_context_args(self, *names: str) -> None:
        """Let calls take keyword arguments of these names, and hand them to the layers inside.

        Where `call` has such a parameter it is given; a layer inside gets it where it registered
        the name itself. What the caller gives comes first, then what an enclosing layer was given,
        then the parameter's default.
        """
        self._context_names = tuple(dict.fromkeys((*self._context_names, *names)))

    def _in_context(
        self, spec: CallSpec, call: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> Any:
        """`call` with the context arguments that it takes, all known to the layers inside."""
        outer, inner, given = state.context, dict(state.context), dict(kwargs)
        for name in self._context_names:
            value = given.pop(name, None)
            if name in spec.positional[: len(args)]:
                value = args[spec.positional.index(name)]
            elif name in spec.names:
                value = outer.get(name) if value is None else value
                if value is None:
                    value = spec.defaults.get(name)
                given[name] = value
            elif value is None:
                continue
            inner[name] = value
        state.context = inner
        try:
            return call(*args, **given)
        finally:
            state.context = outer

    def _register_inner(self, names: set[str]) -> None:
        """Take the context arguments among `names` that layers inside have registered."""
        known = {n for layer in self._flatten_layers() for n in layer._context_names}  # type: ignore[attr-defined]
        self._register_call_context_args(*(n for n in sorted(names) if n in known))
