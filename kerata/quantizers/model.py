"""Quantization from outside: of the layers of a model, by their paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from kerata.dtype_policies.policy_map import DTypePolicyMap
from kerata.quantizers.configs import resolved


class Quantizing:
    """The part of `Layer` that is about quantization; here of layers that can't be quantized.

    Attributes:
        quantizable: the modes that it has.
    """

    quantizable: ClassVar[tuple[str, ...]] = ()
    name: str
    path: str
    dtype_policy: Any

    @property
    def quantization_mode(self) -> str | None:
        """How its weights are quantized ("int8", "int4", "float8"); None for not at all."""
        mode: str | None = self.dtype_policy.at(self.path).quantization_mode
        return mode

    def quantize(
        self, mode: str | None = None, type_check: bool = True, config: Any = None
    ) -> None:
        """Quantize its weights; see `kerata.quantizers.quantize_model`.

        Args:
            mode: "int8", "int4" or "float8"; None for that of `config`.
            type_check: whether layers of classes of your own, which may compute otherwise than
                the layer that they inherit from, are refused.
            config: a `QuantizationConfig`; None for that of the mode.

        Raises:
            NotImplementedError: it can't be quantized.
            ValueError: there is no such mode, it is not built, or quantized already.
        """
        resolved(mode, config)
        raise NotImplementedError(self._has_none("weights to quantize"))

    def quantized_build(self, input_shape: Any, mode: str) -> None:
        """`build` with quantized weights."""
        raise NotImplementedError(self._has_none("weights to quantize"))

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """`call` with quantized weights."""
        raise NotImplementedError(self._has_none("quantized weights"))

    def _has_none(self, what: str) -> str:
        return (
            f"Layer {self.name!r} ({type(self).__name__}) has no {what}. Dense, EinsumDense, "
            "Embedding and ReversibleEmbedding can have, and the layers that are made of these"
        )


class QuantizingModel:
    """The part of `Model` that is about quantization."""

    _functions: dict[str, Any]
    _paces: dict[Any, Any]

    def quantize(
        self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs: Any
    ) -> None:
        """Quantize the layers that can be; see `kerata.quantizers.quantize_model`.

        Args:
            mode: "int8", "int4" or "float8"; None for that of `config`.
            config: a `QuantizationConfig`; None for that of the mode.
            filters: which layers: a regular expression that the path or name matches somewhere, a
                list of them, or a function of the layer; None for all.
            **kwargs: `type_check`, as `Layer.quantize` takes it.

        Raises:
            ValueError: there is no such mode, or a layer is quantized already.
        """
        chosen = filters
        if isinstance(filters, (str, list, tuple)):
            patterns = [filters] if isinstance(filters, str) else filters

            def chosen(layer: Any) -> bool:
                return any(
                    re.search(p, text) for p in patterns for text in (layer.path, layer.name)
                )

        quantize_model(self, mode, config, chosen, **kwargs)


def quantize_model(
    model: Any,
    mode: str | None = None,
    config: Any = None,
    where: Callable[[Any], bool] | None = None,
    type_check: bool = True,
) -> list[Any]:
    """Quantize the layers in a model (or layer) that can be.

    Args:
        model: a built model or layer.
        mode: "int8": weights and inputs of products in 8 bits; "int4": weights in 4 bits;
            "float8": training with products in 8-bit floats.
        config: a `QuantizationConfig`; None for that of the mode.
        where: which layers: a function of the layer (its `path`, its shapes); None for all.
        type_check: whether layers of classes of your own are left out.

    Returns:
        The layers that are quantized now.

    Raises:
        ValueError: there is no such mode, or a layer is quantized already.
    """
    config = resolved(mode, config)
    done = [
        each
        for each in model._flatten_layers()
        if config.mode in each.quantizable
        and not (type_check and is_custom(each))
        and (where is None or where(each))
    ]
    for each in done:
        each.quantize(config=config, type_check=type_check)
    _note(model, done)
    for each in model._flatten_layers():
        if isinstance(each, QuantizingModel):
            each._functions, each._paces = {}, {}
    return done


def is_custom(layer: Any) -> bool:
    """Whether the layer's class is a user's."""
    return type(layer).__module__.split(".")[0] != __name__.split(".")[0]


def _note(layer: Any, done: Sequence[Any]) -> None:
    """Put the policies of quantized layers into those of the layers that make them.

    A layer that makes others gives them its own policy; so it makes them quantized when it is read
    from its config.
    """
    for each in layer._layers():
        _note(each, done)
    if isinstance(layer, QuantizingModel):
        return
    policy = layer.dtype_policy
    known = dict(policy) if isinstance(policy, DTypePolicyMap) else {}
    inner = [x for x in layer._flatten_layers() if x is not layer and any(x is d for d in done)]
    if inner:
        default = policy.default_policy if isinstance(policy, DTypePolicyMap) else policy
        known |= {x.path: x.dtype_policy.at(x.path) for x in inner}
        layer.dtype_policy = DTypePolicyMap(default, known)
