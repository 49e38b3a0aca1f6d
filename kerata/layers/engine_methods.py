"""The methods that layers have under some backends only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

from kerata.backends.registry import ensure
from kerata.backends.state import state

_NESTS = (list, dict)


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
        """Make layers of the `torch.nn.Module`s in its attributes, lists and dicts."""
        nn = sys.modules.get("torch.nn")
        kind = getattr(nn, "Module", None)
        if kind is not None:
            found = [
                name
                for name, value in vars(self).items()
                if isinstance(value, kind) or (value.__class__ in _NESTS and _holds(value, kind))
            ]
            for name in found:
                if name not in self.untracked:
                    vars(self)[name] = _adopted(vars(self)[name], nn)


def _holds(value: Any, kind: type) -> bool:
    """Whether something of a kind is in a list or dict."""
    items = value.values() if isinstance(value, dict) else value
    return bool(value) and any(isinstance(v, kind) for v in items)


def _adopted(value: Any, nn: Any) -> Any:
    """The layer that stands for a module; in lists and dicts too."""
    if isinstance(value, nn.ModuleList):
        value = list(value)
    elif isinstance(value, nn.ModuleDict):
        value = dict(value)
    if isinstance(value, (list, dict)):
        for key, item in list(enumerate(value) if isinstance(value, list) else value.items()):
            value[key] = _adopted(item, nn)
        return value
    if isinstance(value, nn.Module):
        from kerata.layers.wrappers import TorchModuleWrapper

        return TorchModuleWrapper(value)
    return value
