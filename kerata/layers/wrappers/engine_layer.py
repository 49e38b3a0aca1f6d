"""`EngineLayer`: the base of layers that run what is written for one engine."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, ClassVar, Self

from kerata.backends.registry import ensure, load, using
from kerata.backends.state import state
from kerata.core.serialization import (
    CustomObjectScope,
    code_may_run,
    deserialize_object,
    serialize_object,
)
from kerata.layers.layer import Layer


class EngineLayer(Layer):
    """The base of layers that compute under one backend alone.

    Shapes are found by that engine too, so a model can be built while another backend is active.

    Attributes:
        engine: the name of the backend.
    """

    engine: ClassVar[str] = ""

    def _on_engine(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`function` of the arguments under the engine, or the shapes and dtypes of its result.

        Raises:
            RuntimeError: another backend is active.
        """
        active = state.backend or ensure()
        if active.name == self.engine:
            return function(*args, **kwargs)
        if active.name != "abstract":
            raise RuntimeError(
                f"Layer {self.name!r} ({type(self).__name__}) computes under the {self.engine} "
                f"backend alone, and the active one is {active.name}. Use "
                f"kerata.set_backend({self.engine!r}), or 'with "
                f"kerata.use_backend({self.engine!r}):'"
            )
        self._show_state()
        engine, scope = load(self.engine), state.scope
        state.scope = None
        try:
            with using(engine):
                return engine.fallback_shape(function, args, kwargs)
        finally:
            state.scope = scope

    def _show_state(self) -> None:
        """Let a scope that looks for a function's state see what this layer reads and writes."""
        trained = {id(v) for v, trainable in self._made if trainable}
        if state.scope is not None:
            for variable in self.variables:
                value = state.scope.read(variable)
                if id(variable) not in trained:
                    state.scope.write(variable, value)

    def _settings(self) -> dict[str, Any]:
        """The part of the config that all layers have."""
        return {n: serialize_object(getattr(self, a)) for n, a in self.live.items()}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Self:
        """A layer from what `get_config` returned, here or in Keras.

        Raises:
            ValueError: the config holds what could run code, and neither is `safe_mode` False nor
                was `kerata.config.enable_unsafe_deserialization()` called.
        """
        load(cls.engine)
        with CustomObjectScope(custom_objects):
            given = cls._arguments_of(dict(config), safe_mode)
            return cls(**{n: deserialize_object(v) for n, v in given.items()})

    @classmethod
    def _arguments_of(cls, config: dict[str, Any], safe_mode: bool | None) -> dict[str, Any]:
        """The config with what stands in it as text made again."""
        return config


def as_text(data: bytes) -> str:
    """Bytes as a string that JSON can hold."""
    return base64.b64encode(data).decode("ascii")


def trusted_bytes(text: str, what: str, safe_mode: bool | None) -> bytes:
    """The bytes that `as_text` made a string of, where what they hold may run."""
    check_trust(what, safe_mode)
    return base64.b64decode(text)


def check_trust(what: str, safe_mode: bool | None) -> None:
    """Raise a `ValueError` unless code that comes with a config may run."""
    if safe_mode is not False and not code_may_run():
        raise ValueError(
            f"The config holds {what}, which could do anything when it is loaded. If you trust "
            "where it comes from, load it with safe_mode=False, or call "
            "kerata.config.enable_unsafe_deserialization()."
        )
