"""Layers whose weights can be quantized: a stand-in takes the place of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata.core.serialization import deserialize_object
from kerata.core.stand_in import StandIn
from kerata.core.variable import Variable
from kerata.layers.lora import LoraLayer
from kerata.quantizers.configs import resolved
from kerata.quantizers.model import is_custom
from kerata.quantizers.weights import Float8Weight, Layout, QuantizedWeight, block_of


class QuantizableLayer(LoraLayer):
    """A layer that `quantize` can be called on; a quantized dtype policy does so in `build`.

    Subclasses compute with `_product`, and say in `_layout` how their weights are matrices.
    """

    quantizable: ClassVar[tuple[str, ...]] = ("int8", "int4", "float8")
    live: ClassVar[Mapping[str, str]] = {
        **LoraLayer.live, "quantization_config": "quantization_config"
    }  # fmt: skip

    def __init__(self, *, quantization_config: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        config = deserialize_object(quantization_config)
        self.quantization_config = config if config is None else resolved(None, config)
        self._stand_ins: dict[str, StandIn] = {}

    def _layout(self, name: str, shape: tuple[int, ...]) -> Layout | None:
        """How the weight of this name is a matrix; None where it is not quantized."""
        return Layout(shape) if name == self.adapted else None

    def _weight(
        self, name: str, shape: tuple[Any, ...], prefix: str | None = None, **more: Any
    ) -> Any:
        layout = None if self.quantization_mode is None else self._layout(name, shape)
        if layout is None or None in shape:
            return super()._weight(name, shape, prefix, **more)
        return self._stand_in(
            name, layout, lambda: super(QuantizableLayer, self)._weight(name, shape, prefix, **more)
        )

    def _stand_in(self, name: str, layout: Layout, weight: Any) -> StandIn:
        """What holds the weight under the layer's dtype policy."""
        policy = self.dtype_policy.at(self.path)
        mode, config = policy.quantization_mode, self.quantization_config
        if config is None or config.mode != mode:
            config = resolved(mode, None)
        if mode == "float8":
            found: Any = Float8Weight(self, name, policy.amax_history_length, weight)
        else:
            groups = getattr(self, "g_idx", None)
            found = QuantizedWeight(self, name, layout, block_of(policy), config, groups)
        self._stand_ins[name] = found
        return found

    def quantize(
        self, mode: str | None = None, type_check: bool = True, config: Any = None
    ) -> None:
        own, text = self.quantization_config, f"Layer {self.name!r} ({type(self).__name__})"
        if config is None and own is not None and mode in (None, own.mode):
            config = own
        config = resolved(mode, config)
        if config.mode not in self.quantizable:
            modes = ", ".join(self.quantizable)
            raise NotImplementedError(f"{text} has the modes {modes}; got {config.mode!r}")
        if type_check and is_custom(self):
            raise NotImplementedError(
                f"{text} may compute otherwise than the layer that it inherits from. Call quantize "
                "with type_check=False if its weights may be quantized"
            )
        if not self.built:
            raise ValueError(f"{text} must be built to be quantized: call it on data")
        if self.quantization_mode is not None:
            raise ValueError(f"{text} is quantized already: {self.dtype_policy.name!r}")
        self.dtype_policy = config.policy(self.dtype_policy.at(self.path).name)
        self.quantization_config = config
        for weight in [v for v, _ in self._made]:
            layout = self._layout(weight.name, weight.shape)
            if layout is not None:
                self._replace(weight, layout, config.mode == "float8")

    def _replace(self, weight: Variable, layout: Layout, kept: bool) -> None:
        """Put what stands in for `weight` in its place; `kept` among the layer's variables."""
        if not kept:
            self._made = [made for made in self._made if made[0] is not weight]
        found = self._stand_in(weight.name, layout, lambda: weight)
        if not kept:
            found.assign(weight)
        if self.lora is not None and self.lora.weight is weight:
            self.lora.weight = found
        else:
            setattr(self, weight.name, found)

    def quantized_build(self, input_shape: Any, mode: str) -> None:
        self.dtype_policy = resolved(mode, None).policy(self.dtype_policy.at(self.path).source_name)
        self.build(input_shape)

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        if self.quantization_mode is None:
            raise NotImplementedError(self._has_none("quantized weights"))
        return self.call(*args, **kwargs)

    def _saved(self) -> list[Variable]:
        """In the order of Keras' files: the weight, those that are not quantized, its scales."""
        own, first = super()._saved(), self._stand_ins.get(self.adapted)
        if first is None:
            return own
        kept = [v for each in self._stand_ins.values() for v in each.variables]
        plain = [v for v in own if not any(v is k for k in kept)]
        return [kept[0], *plain, *kept[1:]]
