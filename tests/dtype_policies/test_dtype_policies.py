"""Dtype policies: names, the global one, maps, inputs."""

import numpy as np
import pytest

from kerata import config, dtype_policies, layers, mixed_precision, ops
from kerata.dtype_policies import DTypePolicy, DTypePolicyMap


@pytest.fixture(autouse=True)
def restored():
    yield
    dtype_policies.set_dtype_policy(None)
    config.set_floatx("float32")


@pytest.mark.parametrize(
    "name, compute, variable",
    [
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
        ("int8", "int8", "int8"),
    ],
)
def test_names(name, compute, variable):
    policy = DTypePolicy(name)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (name, compute, variable)
    assert policy.quantization_mode is None
    assert policy.get_config() == {"name": name}
    assert dtype_policies.deserialize(dtype_policies.serialize(policy)) == policy
    assert policy != DTypePolicy("float16") and len({policy, DTypePolicy(name)}) == 1


@pytest.mark.parametrize("name", ["foo", "mixed_foo", "mixed_float32"])
def test_unknown_names(name):
    with pytest.raises(ValueError, match=name):
        DTypePolicy(name)
    with pytest.raises(ValueError, match=name):
        dtype_policies.set_dtype_policy(name)


def test_get():
    policy = DTypePolicy("float16")
    assert dtype_policies.get(policy) is policy
    assert dtype_policies.get(np.float16) == policy
    assert (
        dtype_policies.get({"class_name": "DTypePolicy", "config": {"name": "float16"}}) == policy
    )
    with pytest.raises(ValueError):
        dtype_policies.get(5)


def test_the_global_policy():
    assert dtype_policies.dtype_policy().name == "float32"
    config.set_floatx("float64")
    assert dtype_policies.get(None).name == DTypePolicy().name == "float64"
    mixed_precision.set_global_policy("mixed_bfloat16")
    assert mixed_precision.global_policy().name == "mixed_bfloat16"
    assert dtype_policies.get(None).name == DTypePolicy().name == "mixed_bfloat16"
    with pytest.raises(ValueError, match="DTypePolicy"):
        dtype_policies.set_dtype_policy(3)


def test_inputs(backend):
    policy = DTypePolicy("mixed_float16")
    x, i = ops.ones((2,)), ops.ones((2,), "int32")
    assert backend.dtype_of(policy.convert_input(x, True, "float16")) == "float16"
    assert policy.convert_input(x, False, "float16") is x
    assert policy.convert_input(i, True, "float16") is i
    array = policy.convert_input(np.ones(2, "float32"), True, "float16")
    assert backend.dtype_of(array) == "float16"
    for other in ([1.0], "a", 1.5, None):
        assert policy.convert_input(other, True, "float16") is other


def test_maps():
    policies = DTypePolicyMap("mixed_float16", {"a/b": "float32"})
    policies["a/(x|y)"] = DTypePolicy("bfloat16")
    named = {p: policies[p].name for p in ("a/b", "a/x", "a/b/c", "b/a/x")}
    assert named == {
        "a/b": "float32",
        "a/x": "bfloat16",
        "a/b/c": "mixed_float16",
        "b/a/x": "mixed_float16",
    }
    assert policies.name == "map_mixed_float16" and policies.compute_dtype == "float16"
    assert len(policies) == 2 and list(policies) == ["a/b", "a/(x|y)"]
    assert dtype_policies.deserialize(dtype_policies.serialize(policies)) == policies
    with pytest.raises(ValueError, match="already"):
        policies["a/b"] = "float16"
    del policies["a/b"]
    policies["a/.*"] = "float64"
    with pytest.raises(ValueError, match="several"):
        policies["a/x"]


def test_layers_follow_maps(backend):
    policies = DTypePolicyMap("mixed_bfloat16", {"block/a": "float32"})

    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.a = layers.Dense(3, name="a", dtype=self.dtype_policy)
            self.b = layers.Dense(3, name="b", dtype=self.dtype_policy)

        def call(self, x):
            self.seen = x, self.a(x), self.b(x)
            return self.seen[-1]

    block = Block(name="block", dtype=policies)
    x = np.full((1, 2), 1 + 2**-12, "float32")
    for _ in range(2):
        block(x)
        assert [backend.dtype_of(t) for t in block.seen] == ["bfloat16", "float32", "bfloat16"]
    assert (block.a.compute_dtype, block.b.compute_dtype) == ("float32", "bfloat16")
    assert {w.stored_dtype for w in block.weights} == {"float32"}
    assert dtype_policies.deserialize(block.a.get_config()["dtype"]) == policies

    head = layers.Dense(
        1, name="a", use_bias=False, dtype=DTypePolicyMap("float16", {"a": "float32"})
    )
    head.build((None, 2))
    assert head.kernel.stored_dtype == "float32"
    head.kernel.assign([[1.0], [0.0]])
    assert float(ops.convert_to_numpy(head(x))[0, 0]) == x[0, 0]  # not by way of float16


def test_wrong_maps():
    with pytest.raises(ValueError, match="default_policy"):
        DTypePolicyMap(DTypePolicyMap())
    with pytest.raises(TypeError, match="policy_map"):
        DTypePolicyMap(policy_map=["float32"])
    with pytest.raises(ValueError, match="foo"):
        DTypePolicyMap()["a"] = "foo"


@pytest.mark.oracle
def test_configs_are_exchanged(keras):
    policy = DTypePolicy("mixed_float16")
    assert (
        dtype_policies.get(keras.dtype_policies.serialize(keras.DTypePolicy(policy.name))) == policy
    )
