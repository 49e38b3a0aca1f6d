"""Policies of quantized layers: names, modes, configs, as Keras has them."""

import numpy as np
import pytest

from kerata import dtype_policies, layers
from kerata.dtype_policies import (
    AWQDTypePolicy,
    DTypePolicy,
    DTypePolicyMap,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)

NAMES = [
    "int8_from_float32",
    "int8_from_mixed_bfloat16",
    "int4_from_mixed_float16",
    "int4/128_from_float32",
    "int4/-1_from_mixed_bfloat16",
    "float8_from_mixed_float16",
    "gptq/3/128_from_float32",
    "gptq/8/-1_from_bfloat16",
    "awq/4/64_from_mixed_bfloat16",
]
WRONG = [
    "int8_from_float16", "int8_from_foo", "int8_from_", "int8_from_float32_from_float32",
    "foo_from_float32", "INT8_from_float32", "float32_from_float32", "int4/a_from_float32",
    "int4/0_from_float32", "int4/2/3_from_float32", "gptq_from_float32", "gptq/5/8_from_float32",
    "gptq/4/0_from_float32", "gptq/4_from_float32", "awq_from_float32", "awq/8/8_from_float32",
    "awq/4/-2_from_float32", "int4/128", "gptq",
]  # fmt: skip


@pytest.fixture(autouse=True)
def restored():
    yield
    dtype_policies.set_dtype_policy(None)


@pytest.mark.oracle
@pytest.mark.parametrize("name", NAMES)
def test_names_as_in_keras(keras, name):
    ours, theirs = dtype_policies.get(name), keras.dtype_policies.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    for attribute in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    assert ours.get_config() == theirs.get_config()
    assert repr(ours) == repr(theirs)
    assert dtype_policies.get(keras.dtype_policies.serialize(theirs)) == ours


@pytest.mark.oracle
@pytest.mark.parametrize("name", WRONG)
def test_wrong_names_as_in_keras(keras, name):
    for get in (keras.dtype_policies.get, dtype_policies.get):
        with pytest.raises(ValueError):
            get(name)


@pytest.mark.parametrize("name", NAMES)
def test_configs(name):
    policy = dtype_policies.get(name)
    again = dtype_policies.deserialize(dtype_policies.serialize(policy))
    assert again == policy and len({again, policy}) == 1
    assert policy != DTypePolicy(policy.source_name)


def test_numbers_in_modes():
    assert Int4DTypePolicy("int4/128", "float32").block_size == 128
    policy = GPTQDTypePolicy("gptq/3/-1", "float32")
    assert (policy.mode, policy.weight_bits, policy.group_size) == ("gptq", 3, -1)
    assert not isinstance(AWQDTypePolicy("awq/4/8", "float32"), GPTQDTypePolicy)
    assert QuantizedDTypePolicy("int4", "float32") != Int4DTypePolicy("int4/-1", "float32")


def test_float8():
    policy = QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length=8)
    assert policy.amax_history_length == 8
    assert policy.get_config()["amax_history_length"] == 8
    assert policy != QuantizedFloat8DTypePolicy("float8", "float32")
    with pytest.raises(TypeError, match="amax_history_length"):
        QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length="a")
    with pytest.raises(ValueError, match="amax_history_length"):
        QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length=0)


@pytest.mark.parametrize("mode", ["foo", None, 8])
def test_wrong_modes(mode):
    with pytest.raises(ValueError, match="mode"):
        QuantizedDTypePolicy(mode, "float32")
    with pytest.raises(ValueError, match="int4/<block_size>"):
        Int4DTypePolicy(mode, "float32")


def test_the_source_is_the_global_policy():
    dtype_policies.set_dtype_policy("mixed_bfloat16")
    assert QuantizedDTypePolicy("int8").name == "int8_from_mixed_bfloat16"
    dtype_policies.set_dtype_policy("float8_from_mixed_float16")
    assert Int4DTypePolicy("int4/2").name == "int4/2_from_mixed_float16"
    assert DTypePolicy().name == "mixed_float16"
    assert layers.Dense(2).dtype_policy.name == "float8_from_mixed_float16"


def test_maps_hold_them():
    float8 = QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length=8)
    policies = DTypePolicyMap(float8, {"a": "int8_from_float32"})
    assert policies["a"].quantization_mode == "int8"
    assert policies.quantization_mode == "float8" and policies.source_name == "float32"
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again == policies and again["b"] == float8


def test_layers_without_a_quantized_form_say_so(backend):
    layer = layers.Conv1D(2, 1, name="head", dtype="int8_from_float32")
    assert layer.compute_dtype == "float32"
    for run in (lambda: layer.build((None, 4, 3)), lambda: layer(np.ones((1, 4, 3), "f"))):
        with pytest.raises(ValueError, match=r"'head' \(Conv1D\).*int8_from_float32"):
            run()
    assert not layer.built and not layer.weights
