"""The methods that layers have under some backends only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

from kerata.backends.registry import ensure
from kerata.backends.state import state


class EngineMethod:
    """A method that the active backend defines, in `Backend.layer_methods`.

    Under a backend that does not, there is no such attribute.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Callable[..., Any]:
        backend = state.backend or ensure()
        found = backend.layer_methods.get(self.name)
        if found is None:
            named = owner.__name__ if layer is None else f"{owner.__name__} {layer.name!r}"
            raise AttributeError(
                f"{named} has no method {self.name}() under the {backend.name} backend: it is one "
                "of those that layers have in torch's own loops. Use kerata.set_backend('torch'), "
                "or 'with kerata.use_backend('torch'):'"
            )
        return found if layer is None else MethodType(found, layer)


class EngineMethods:
    """The part of `Layer` for those who write an engine's own loops (see docs/interop.md)."""

    untracked: frozenset[str]
    _mode: bool | None = None  # `training` where neither the caller nor an enclosing layer says

    parameters = EngineMethod()
    named_parameters = EngineMethod()
    state_dict = EngineMethod()
    load_state_dict = EngineMethod()
    zero_grad = EngineMethod()
    train = EngineMethod()
    eval = EngineMethod()
    to = EngineMethod()

    def _adopt_modules(self) -> None:
        """Wrap the `torch.nn.Module`s among its attributes, as Keras does."""
        kind = getattr(sys.modules.get("torch.nn"), "Module", None)
        if kind is None:
            return
        found = [n for n, v in vars(self).items() if isinstance(v, kind)]
        for name in found:
            if name not in self.untracked:
                from kerata.layers.wrappers import TorchModuleWrapper

                vars(self)[name] = TorchModuleWrapper(vars(self)[name])
