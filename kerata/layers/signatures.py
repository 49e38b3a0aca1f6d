"""What `Layer` knows about its subclasses' `call` and `build`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from kerata.backends.state import state
from kerata.layers.shapes import built_for


class CallSpec:
    """What a class's `call` takes, read off its signature once.

    Attributes:
        names: its parameters, without `self`.
        defaults: their default values, of those that have one.
        training: the default of `training`, or no such parameter (`absent`).
        masks: for each mask parameter the name of the argument it is the mask of.
    """

    absent = object()

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = inspect.signature(function).parameters
        self.names = [n for n in parameters if n != "self"]
        self.defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
        positional = [
            n
            for n, p in parameters.items()
            if n != "self" and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        self.positional = positional
        found = parameters.get("training")
        self.training = self.absent if found is None else found.default
        self.masks: dict[str, str] = {}
        first = positional[0] if positional else ""
        for name in self.names:
            if name == "mask":
                self.masks[name] = first
            elif name.endswith("_mask") and name.removesuffix("_mask") in self.names:
                self.masks[name] = name.removesuffix("_mask")


def call_spec(cls: Any) -> CallSpec:
    """The `CallSpec` of a layer class, kept in its `_call_spec`."""
    cls._call_spec = CallSpec(cls.call)
    found: CallSpec = cls._call_spec
    return found


def scoped(build: Callable[..., Any]) -> Callable[..., Any]:
    """A class's `build` as one that makes weights under the layer's path, whoever calls it."""

    @functools.wraps(build)
    def run(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._building:  # a subclass's build calls its parent's
            build(self, *args, **kwargs)
            return
        self._building, autocast = True, state.autocast
        state.autocast = None
        state.names.append(self.name)
        self._path = "/".join(state.names)
        try:
            self._refresh(self._path)
            build(self, *args, **kwargs)
        finally:
            state.names.pop()
            state.autocast = autocast
            self._building = False
        self.built = True
        given = inspect.signature(build).bind(self, *args, **kwargs).arguments
        shapes = {n: s for n, s in list(given.items())[1:] if s is not None}
        self._build_shape = built_for(shapes)

    return run
