"""Quantization from outside: of the layers of a model, by their paths."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from kerata.dtype_policies.policy_map import DTypePolicyMap
from kerata.quantizers.configs import QuantizationConfig, resolved


class Quantizing:
    """The part of `Layer` that is about quantization; here of layers that can't be quantized.

    Attributes:
        quantizable: the modes that it has.
    """

    quantizable: ClassVar[tuple[str, ...]] = ()
    name: str

    @property
    def quantization_mode(self: Any) -> str | None:
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


class QuantizingModel(Quantizing):
    """The part of `Model` that is about quantization."""

    _functions: dict[str, Any]
    _paces: dict[Any, Any]

    def quantize(  # type: ignore[override]
        self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs: Any
    ) -> None:
        """Quantize the layers that can be; see `kerata.quantizers.quantize_model`.

        Args:
            mode: "int8", "int4" or "float8"; None for that of `config`.
            config: a `QuantizationConfig`; None for that of the mode.
            filters: which layers: a regular expression that the name matches somewhere, a list of
                them, or a function of the layer; None for all.
            **kwargs: `type_check`, as `Layer.quantize` takes it.

        Raises:
            ValueError: there is no such mode, or a layer is quantized already.
        """
        patterns = [filters] if isinstance(filters, str) else filters
        if isinstance(patterns, (list, tuple)):
            search = re.compile("|".join(f"(?:{p})" for p in patterns)).search
            filters = lambda layer: search(layer.name) is not None  # noqa: E731
        _quantize(self, resolved(mode, config), filters, **kwargs)


def quantize_model(
    model: Any,
    mode: str | None = None,
    config: Any = None,
    where: str | Callable[[str], bool] | None = None,
    type_check: bool = True,
) -> list[Any]:
    """Quantize the layers in a model (or layer) that can be.

    Args:
        model: a built model or layer.
        mode: "int8": weights and inputs of products in 8 bits; "int4": weights in 4 bits;
            "float8": training with products in 8-bit floats.
        config: a `QuantizationConfig`; None for that of the mode.
        where: which layers: a regular expression that their path must match somewhere, or a
            function of the path; None for all that can.
        type_check: whether layers of classes of your own are left out.

    Returns:
        The layers that are quantized now.

    Raises:
        ValueError: there is no such mode, or a layer is quantized already.
    """
    matches = re.compile(where).search if isinstance(where, str) else where
    chosen = None if matches is None else lambda layer: matches(layer.path)
    return _quantize(model, resolved(mode, config), chosen, type_check)


def _quantize(
    model: Any,
    config: QuantizationConfig,
    chosen: Callable[[Any], Any] | None,
    type_check: bool = True,
) -> list[Any]:
    done = [
        each
        for each in model._flatten_layers()
        if config.mode in each.quantizable
        and not (type_check and is_custom(each))
        and (chosen is None or chosen(each))
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
    inner = [x for x in layer._flatten_layers() if x is not layer and any(x is d for d in done)]
    if isinstance(layer, QuantizingModel) or not inner:
        return
    config = str(layer.get_config())
    made = [x for x in inner if f"'name': {x.name!r}" not in config]
    if not made:
        return
    own = [x.name for x in made if not x.quantization_config.usual]
    if own:
        warnings.warn(
            f"Layer {layer.name!r} makes {', '.join(own)} itself: a file of the model keeps their "
            "weights and modes, and not which quantizers they have",
            stacklevel=5,
        )
    policy = layer.dtype_policy
    known = dict(policy) if isinstance(policy, DTypePolicyMap) else {}
    default = policy.default_policy if isinstance(policy, DTypePolicyMap) else policy
    known |= {x.path: x.dtype_policy.at(x.path) for x in made}
    layer.dtype_policy = DTypePolicyMap(default, known)
