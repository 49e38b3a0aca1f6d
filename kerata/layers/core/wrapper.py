"""`Wrapper`: the base of layers that do something with one other layer."""

from __future__ import annotations

from typing import Any, Self

from kerata.core.serialization import CustomObjectScope
from kerata.layers.layer import Layer


class Wrapper(Layer):
    """A layer that holds another, builds it, and has its weights.

    Subclasses define `call`.

    Args:
        layer: the layer, kept as `layer`.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__}: layer must be a layer; got {layer!r}")
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """A wrapper from what `get_config` returned."""
        with CustomObjectScope(custom_objects):
            found: Self = super().from_config(config)
            return found
