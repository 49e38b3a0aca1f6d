"""Quantization: weights and inputs as small integers, products in 8-bit floats."""

from __future__ import annotations

import functools
from typing import Any

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.quantizers.configs import (
    Float8QuantizationConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
)
from kerata.quantizers.functions import (
    abs_max_quantize,
    abs_max_quantize_grouped_with_zero_point,
    compute_float8_amax_history,
    compute_float8_scale,
    fake_quant_with_min_max_vars,
    pack_int4,
    quantize_and_dequantize,
    unpack_int4,
)
from kerata.quantizers.model import quantize_model
from kerata.quantizers.quantizer import AbsMaxQuantizer, Quantizer

_TABLE = table_of(
    AbsMaxQuantizer, Quantizer, QuantizationConfig, Int8QuantizationConfig, Int4QuantizationConfig,
    Float8QuantizationConfig,
)  # fmt: skip


def get(identifier: Any, **kwargs: Any) -> Any:
    """The quantizer that a name (made with `kwargs`), config, class or object stands for."""
    table = {n: functools.partial(o, **kwargs) if kwargs else o for n, o in _TABLE.items()}
    found = lookup(identifier, table, "quantizer")
    return found() if isinstance(found, functools.partial) else found


def serialize(initializer: Any) -> Any:
    """The config of a quantizer, or of a quantization config."""
    return serialize_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The quantizer, or quantization config, that a config describes."""
    return deserialize_object(config, custom_objects, table=_TABLE)
