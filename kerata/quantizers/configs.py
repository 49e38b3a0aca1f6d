"""Configurations: which quantizers weights and inputs go through."""

from __future__ import annotations

from typing import Any

from kerata.core.config_object import Configurable
from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import serialize_object
from kerata.dtype_policies.policy import DTypePolicy
from kerata.dtype_policies.quantized import from_name
from kerata.quantizers.quantizer import AbsMaxQuantizer

MODES = ("int8", "int4", "float8")


class QuantizationConfig(Configurable):
    """The base of configurations.

    Args:
        weight_quantizer: of weights, a `Quantizer` or its name; None for that of the mode.
        activation_quantizer: of inputs; None to leave them as they are.

    Raises:
        ValueError: one of them is no quantizer, or gives other integers than int8.
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer = _checked(self, "weight_quantizer", weight_quantizer)
        self.activation_quantizer = _checked(self, "activation_quantizer", activation_quantizer)

    @property
    def mode(self) -> str:
        """The quantization mode; subclasses say which."""
        raise NotImplementedError(f"{type(self).__name__} must define mode")

    def policy(self, source: str) -> DTypePolicy:
        """The dtype policy of a layer quantized so, whose policy was `source`."""
        policy = from_name(f"{self.mode}_from_{source}")
        assert policy is not None
        return policy

    @property
    def usual(self) -> bool:
        """Whether the quantizers are those of the mode."""
        found, usual = self.get_config(), type(self)().get_config()
        return all(found[n] == usual[n] for n in found if n != "block_size")

    def get_config(self) -> dict[str, Any]:
        """The arguments, and the quantizers that they stand for."""
        return {n: serialize_object(getattr(self, n)) for n in super().get_config()}


def _checked(config: QuantizationConfig, name: str, identifier: Any) -> Any:
    quantizer = lookup(identifier, table_of(AbsMaxQuantizer), "quantizer")
    if quantizer is not None and getattr(quantizer, "output_dtype", None) != "int8":
        raise ValueError(
            f"{type(config).__name__}: {name} must be a Quantizer that gives int8; "
            f"got {quantizer!r}"
        )
    return quantizer


class Int8QuantizationConfig(QuantizationConfig):
    """Weights, and the inputs of products with them, in 8 bits.

    Args:
        weight_quantizer: None for an `AbsMaxQuantizer` of each column.
        activation_quantizer: "default" for an `AbsMaxQuantizer` of each row; None for floats.
    """

    mode = "int8"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        if activation_quantizer == "default":
            activation_quantizer = AbsMaxQuantizer()
        super().__init__(weight_quantizer, activation_quantizer)


class Int4QuantizationConfig(QuantizationConfig):
    """Weights in 4 bits, two in a byte.

    Args:
        weight_quantizer: for `block_size=-1`; None for an `AbsMaxQuantizer` of each column.
        activation_quantizer: of inputs, for `block_size=-1`; None and "default" for floats.
        block_size: how many rows share a scale and a zero point; None or -1 for one scale for each
            column, and no zero point.

    Raises:
        ValueError: `block_size` is something else, or the quantizers do not fit.
    """

    mode = "int4"

    def __init__(
        self,
        weight_quantizer: Any = None,
        activation_quantizer: Any = "default",
        block_size: int | None = 128,
    ) -> None:
        if activation_quantizer == "default":
            activation_quantizer = None
        super().__init__(weight_quantizer, activation_quantizer)
        if block_size not in (None, -1) and block_size < 1:
            raise ValueError(
                "Int4QuantizationConfig: block_size must be a positive integer, or -1 or None for "
                f"one scale for each column; got {block_size!r}"
            )
        own = self.weight_quantizer is not None or self.activation_quantizer is not None
        if own and block_size not in (None, -1):
            raise ValueError(
                "Int4QuantizationConfig: quantizers of your own need block_size=-1, one scale for "
                f"each column; got block_size={block_size}"
            )
        given = getattr(self.weight_quantizer, "value_range", (-8, 7))
        if tuple(given) != (-8, 7):
            raise ValueError(
                "Int4QuantizationConfig: the value_range of weight_quantizer must be (-8, 7), what "
                f"4 bits hold; got {given}"
            )
        self.block_size = block_size

    def policy(self, source: str) -> DTypePolicy:
        """That of the block size, `int4/<block_size>_from_<source>`."""
        policy = from_name(f"int4/{self.block_size or -1}_from_{source}")
        assert policy is not None
        return policy


class Float8QuantizationConfig(QuantizationConfig):
    """Training with the factors of matrix products, and their gradients, in 8-bit floats."""

    mode = "float8"

    def __init__(self) -> None:
        super().__init__()


_KINDS = {
    "int8": Int8QuantizationConfig,
    "int4": Int4QuantizationConfig,
    "float8": Float8QuantizationConfig,
}


def resolved(mode: str | None, config: Any) -> QuantizationConfig:
    """The configuration that `mode` and `config` of `quantize` stand for.

    Raises:
        ValueError: there is no such mode, the two contradict, or both are None.
    """
    if isinstance(config, str) and mode is None:
        mode, config = config, None
    if mode is None and config is None:
        raise ValueError("quantize: give a mode or a config")
    if mode is not None and mode not in MODES:
        raise ValueError(f"quantize: mode must be one of {', '.join(MODES)}; got {mode!r}")
    if config is None:
        return _KINDS[mode or ""]()
    if not isinstance(config, QuantizationConfig):
        raise ValueError(f"quantize: config must be a QuantizationConfig; got {config!r}")
    if mode is not None and config.mode != mode:
        raise ValueError(f"quantize: mode is {mode!r}, and that of config {config.mode!r}")
    return config
