"""`Sequential`: a stack of layers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.config_object import Configurable
from kerata.core.graph import Function
from kerata.core.symbolic import KerasTensor
from kerata.core.text import Text
from kerata.layers.core.input_layer import Input, InputLayer
from kerata.layers.layer import Layer
from kerata.layers.shapes import shapes_of
from kerata.models.model import Model


class Sequential(Model):
    """A stack of layers, each called on the output of the one before.

    Args:
        layers: the layers; the first may be a `kerata.Input(shape)`, else the stack is built when
            it is first called.
        trainable: whether its weights are trained.
        name: its name.

    Example:
        >>> model = Sequential([kerata.Input((4,)), layers.Dense(8, "relu"), layers.Dense(2)])
        >>> model.count_params()
        58
    """

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self.supports_masking = True
        self._stack: list[Layer] = []
        self._input_layer: InputLayer | None = None
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()

    def _layers(self) -> list[Any]:
        return list(self._stack)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top.

        Raises:
            ValueError: a layer of that name is in the stack.
            TypeError: it is no layer.
        """
        if isinstance(layer, KerasTensor) and layer.node is not None:
            layer = layer.node.operation
        if isinstance(layer, InputLayer):
            if self._stack or self._input_layer is not None:
                raise ValueError(f"Sequential {self.name!r}: an Input can only come first")
            self._input_layer = layer
            return
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Sequential {self.name!r}: only layers can be added; got {type(layer).__name__} "
                f"({layer!r})"
            )
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(
                f"Sequential {self.name!r}: two layers are named {layer.name!r}; "
                "names must be unique"
            )
        first_shape = getattr(layer, "_input_shape_arg", None)
        if not self._stack and self._input_layer is None and first_shape is not None:
            source: Any = Input(first_shape).node
            self._input_layer = source.operation
        self._stack.append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer away and return it."""
        layer = self._stack.pop()
        self._graph = None
        self.built = False
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        if self._input_layer is not None and self._stack:
            self._connect(self._input_layer.output)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape."""
        if self._graph is not None or input_shape is None:
            return
        if isinstance(input_shape, tuple):
            self._build_shape = input_shape
            self._connect(Input(batch_shape=input_shape, dtype=self.compute_dtype))
        self.built = True

    def _connect(self, inputs: KerasTensor) -> None:
        scopes, state.names = state.names, []
        try:
            x = inputs
            for layer in self._stack:
                x = layer(x)
        finally:
            state.names = scopes
        self._graph = Function(inputs, x, self.name)
        self.built = True

    def _build(self, spec: Any, args: Any, kwargs: Any) -> None:
        shape = shapes_of(args[0])
        self.built = True
        if isinstance(shape, tuple):
            text = isinstance(args[0], Text)
            dtype = "string" if text else (state.backend or ensure()).dtype_of(args[0])
            shape = (None, *shape[1:])
            self._build_shape = shape
            try:
                self._connect(Input(batch_shape=shape, dtype=dtype))
            finally:
                self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the stack."""
        x = inputs
        for layer in self._stack:
            x = layer(x)
        return x

    def get_config(self) -> dict[str, Any]:
        """Its layers' configs; of a subclass that makes its own layers, its arguments."""
        from kerata.core.serialization import serialize_object

        if "layers" not in inspect.signature(type(self).__init__).parameters:
            return {n: v for n, v in Configurable.get_config(self).items() if n != "dtype"}
        layers = ([self._input_layer] if self._input_layer is not None else []) + self._stack
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_object(self.dtype_policy),
            "layers": [serialize_object(layer) for layer in layers],
            "build_input_shape": self._graph.inputs[0].shape if self._graph is not None else None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        """A stack from what `get_config` returned."""
        from kerata.core.serialization import CustomObjectScope, deserialize_object

        with CustomObjectScope(custom_objects or {}):
            if "layers" not in config:
                return super(Model, cls).from_config(config)
            layers = [deserialize_object(layer) for layer in config["layers"]]
        takes = inspect.signature(cls.__init__).parameters
        named = {k: config[k] for k in ("trainable", "name") if k in config and k in takes}
        model = cls(layers, **named)
        shape = config.get("build_input_shape")
        if not model.built and shape:
            model.build(tuple(shape))
        return model
