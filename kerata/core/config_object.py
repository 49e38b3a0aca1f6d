"""`Configurable`: objects whose constructor arguments are their config."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
import optree

from kerata.core.serialization import deserialize_object, serialize_object

C = TypeVar("C", bound="Configurable")


_signatures: weakref.WeakKeyDictionary[type, inspect.Signature] = weakref.WeakKeyDictionary()


def _signature(cls: type) -> inspect.Signature:
    """The constructor's signature, with `self`."""
    if cls not in _signatures:
        _signatures[cls] = inspect.signature(cls.__init__)  # type: ignore[misc]
    return _signatures[cls]


class Configurable:
    """Keeps the arguments of its constructor; config, copy and `repr` follow from them.

    A subclass writes `get_config` only where the config is not its arguments, and may call
    `super().get_config()` there. Arguments that attributes may replace later stand in `live`.

    Attributes:
        live: for arguments whose value may change after construction, the attribute that holds it.
            They are in the config wherever the constructor takes them (by name or in `**kwargs`)
            and the attribute exists.
    """

    live: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "trainable": "trainable",
        "dtype": "dtype_policy",
    }
    _init_args: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls: type[C], *args: Any, **kwargs: Any) -> C:
        self = super().__new__(cls)
        object.__setattr__(self, "_init_args", (args, kwargs))
        return self

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON can hold them; `from_config` takes them back."""
        arguments = given_arguments(self)
        parameters = _signature(type(self)).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        config = {}
        for name, attribute in self.live.items():
            if (takes_any or name in parameters) and hasattr(self, attribute):
                config[name] = getattr(self, attribute)
        config |= {n: v for n, v in arguments.items() if n not in config}
        return {n: serialize_object(v) for n, v in config.items()}

    @classmethod
    def from_config(cls: type[C], config: dict[str, Any]) -> C:
        """An object from what `get_config` returned; nested configs become objects first."""
        return cls(**{n: deserialize_object(v) for n, v in config.items()})

    def __repr__(self) -> str:
        parameters = _signature(type(self)).parameters
        shown = []
        for name, value in given_arguments(self).items():
            parameter = parameters.get(name)
            if parameter is None or not _same(parameter.default, value):
                shown.append(f"{name}={getattr(value, '__name__', None) or repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


def given_arguments(obj: Configurable) -> dict[str, Any]:
    """The arguments that `obj` was made with, by name, defaults filled in."""
    args, kwargs = obj._init_args
    signature = _signature(type(obj))
    bound = signature.bind(obj, *args, **kwargs)
    bound.apply_defaults()
    found: dict[str, Any] = {}
    for name, parameter in list(signature.parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= bound.arguments[name]
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            found[name] = bound.arguments[name]
    return found


def same_config(first: Any, second: Any) -> bool:
    """Whether two objects are of one class and have equal configs."""
    return type(first) is type(second) and _same(first.get_config(), second.get_config())


def _same(first: Any, second: Any) -> bool:
    left, tree = optree.tree_flatten(first, none_is_leaf=True)
    right, other = optree.tree_flatten(second, none_is_leaf=True)
    return tree == other and all(
        type(a) is type(b) and bool(np.all(a == b)) for a, b in zip(left, right, strict=True)
    )
