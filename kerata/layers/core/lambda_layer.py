"""`Lambda`: any function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kerata.backends.registry import ensure
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.layers.layer import Layer


class Lambda(Layer):
    """`function(inputs, **arguments)`, without weights.

    A function that is registered (`kerata.saving.register_keras_serializable`) or given again as a
    custom object is saved by its name. A Python lambda is saved as code, which loads only where
    unsafe deserialization is allowed: prefer a subclass of `Layer`.

    Args:
        function: takes the inputs, and `mask` and `training` if it has parameters of these names.
        output_shape: the output's shape without the batch, or a function of the input's shape;
            needed only where it can't be found by running the function.
        mask: the mask of the output, or a function `(inputs, mask)`; None for none.
        arguments: more keyword arguments of the function.

    Input: any. Output: what the function returns.

    >>> Lambda(lambda x: x[..., :2]).compute_output_shape((None, 5))
    (None, 2)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda: function must be callable; got {function!r}")
        if output_shape is not None and not callable(output_shape):
            output_shape = tuple(output_shape)
        self.function = function
        self.arguments = arguments or {}
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        parameters = inspect.signature(function).parameters
        self._takes = [n for n in ("mask", "training") if n in parameters]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """`function(inputs, **arguments)`."""
        context = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{n: context[n] for n in self._takes})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape as given, or as found by running the function."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        return (input_shape[0], *self._output_shape)

    def _spec_by_engine(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._output_shape is None:
            return ensure().fallback_shape(self.__call__, args, kwargs)
        return super()._spec_by_engine(args, kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask as given, or what the given function returns."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The arguments; the code of a lambda in Keras' form."""
        return {n: _shown(v) for n, v in super().get_config().items()}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Lambda:
        """A layer from what `get_config` returned.

        Raises:
            ValueError: the config holds code, and neither is `safe_mode` False nor was
                `kerata.config.enable_unsafe_deserialization()` called.
        """
        plain = {n: _hidden(v) for n, v in config.items()}
        return cls(**deserialize_object(plain, custom_objects, safe_mode is not False))


_PARTS = ("code", "defaults", "closure")


def _shown(value: Any) -> Any:
    if isinstance(value, dict) and value.get("class_name") == "__lambda__":
        return {**value, "config": dict(zip(_PARTS, value["config"]["value"], strict=True))}
    return serialize_object(value)


def _hidden(value: Any) -> Any:
    if isinstance(value, dict) and value.get("class_name") == "__lambda__":
        return {**value, "config": {"value": tuple(value["config"].get(p) for p in _PARTS)}}
    return value
