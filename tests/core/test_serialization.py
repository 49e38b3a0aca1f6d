"""Objects become configs and come back; configs run nothing."""

import json

import numpy as np
import pytest

from kerata import activations, config, initializers, losses, optimizers
from kerata.core import serialization
from kerata.core.serialization import (
    CustomObjectScope,
    deserialize_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_object,
)


class Thing:
    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {"size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def helper(x):
    return x + 1


@pytest.fixture
def registry():
    """The registry, left as it was found."""
    objects, names = dict(serialization._objects), dict(serialization._names)
    yield
    serialization._objects.clear()
    serialization._objects.update(objects)
    serialization._names.clear()
    serialization._names.update(names)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text",
        [1, [2, "a"]],
        {"a": {"b": [None, 1]}},
        b"bytes",
        slice(1, None, 2),
        ...,
    ],
)
def test_plain_values_survive_json(value):
    assert deserialize_object(json.loads(json.dumps(serialize_object(value)))) == value


def test_arrays_and_scalars():
    array = np.arange(6, dtype="int16").reshape(2, 3)
    again = deserialize_object(json.loads(json.dumps(serialize_object({"x": array}))))["x"]
    assert again.dtype == array.dtype and np.array_equal(again, array)
    assert serialize_object(np.float32(0.5)) == 0.5
    assert type(serialize_object(np.int64(3))) is int
    assert serialize_object(np.dtype("float32")) == "float32"
    assert deserialize_object(serialize_object(np.float32)) is np.float32


def test_tensors(backend):
    from kerata import ops

    config = serialize_object(ops.convert_to_tensor([1.0, 2.0]))
    assert config["config"] == {"value": [1.0, 2.0], "dtype": "float32"}
    assert ops.convert_to_numpy(deserialize_object(config)).tolist() == [1.0, 2.0]


def test_tuples_as_other_versions_wrote_them():
    assert deserialize_object({"class_name": "__tuple__", "items": [1, [2]]}) == (1, [2])


def test_library_objects_have_public_modules():
    described = serialize_object(optimizers.schedules.CosineDecay(0.1, 10))
    assert described["module"] == "kerata.optimizers.schedules"
    assert described["registered_name"] is None
    again = deserialize_object(described)
    assert type(again) is optimizers.schedules.CosineDecay


@pytest.mark.parametrize("module", ["keras.initializers", "keras.src.initializers.random"])
def test_keras_modules_are_ours(module):
    again = deserialize_object(
        {"module": module, "class_name": "HeNormal", "config": {"seed": 3}, "registered_name": None}
    )
    assert type(again) is initializers.HeNormal and again.seed == 3


def test_optimizers_of_keras_under_torch():
    """As Keras 3.15.1 names them there."""
    config = {"module": "keras.src.backend.torch.optimizers.torch_adam", "class_name": "Adam"}
    again = deserialize_object({**config, "config": {}, "registered_name": "Adam"})
    assert type(again) is optimizers.Adam


def test_functions():
    assert deserialize_object(serialize_object(activations.relu)) is activations.relu
    mse = losses.mean_squared_error
    assert serialize_object(mse) == {
        "module": "builtins",
        "class_name": "function",
        "config": "mean_squared_error",
        "registered_name": "function",
    }
    assert deserialize_object(serialize_object(mse)) is mse
    described = serialize_object(helper)
    with pytest.raises(TypeError, match=r"'helper'.*custom_objects"):
        deserialize_object(described)
    assert deserialize_object(described, {"helper": helper}) is helper


def test_custom_classes():
    described = serialize_object(Thing(4))
    assert described["class_name"] == described["registered_name"] == "Thing"
    with pytest.raises(TypeError, match=r"Thing, which is not known.*custom_objects.*register"):
        deserialize_object(described)
    assert deserialize_object(described, custom_objects={"Thing": Thing}).size == 4
    with CustomObjectScope({"Thing": Thing}):
        assert deserialize_object([described])[0].size == 4


def test_registration(registry):
    register_keras_serializable("mine")(Thing)
    register_keras_serializable("mine", "assistant")(helper)
    assert get_registered_name(Thing) == "mine>Thing"
    assert get_registered_object("mine>assistant") is helper
    assert get_custom_objects()["mine>Thing"] is Thing
    assert deserialize_object(serialize_object(Thing(2))).size == 2
    assert deserialize_object(serialize_object(helper)) is helper
    with pytest.raises(ValueError, match="get_config"):
        register_keras_serializable()(type("Bare", (), {}))


def test_passed_objects_come_before_registered_ones(registry):
    register_keras_serializable("mine")(Thing)
    other = type("Thing", (Thing,), {})
    assert type(deserialize_object(serialize_object(Thing()), {"Thing": other})) is other


def test_build_config_is_restored():
    class Built(Thing):
        built = False

        def get_build_config(self):
            return {"input_shape": (None, 3)}

        def build_from_config(self, config):
            self.shape = config["input_shape"]

    described = serialize_object(Built())
    assert deserialize_object(described, {"Built": Built}).shape == (None, 3)


@pytest.mark.parametrize(
    "module, name",
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("kerata.core.serialization", "_load"),
        ("kerata.config", "home"),
        ("keras.utils", "get_file"),
        ("kerata.layers", "Nope"),
        ("kerata.nope", "Nope"),
        (None, "Nope"),
    ],
)
def test_nothing_else_can_be_named(module, name):
    config = {"module": module, "class_name": name, "config": {}, "registered_name": None}
    with pytest.raises(TypeError, match=name):
        deserialize_object(config)
    with pytest.raises(TypeError):
        deserialize_object(
            {"module": module, "class_name": "function", "config": f"{module}.{name}"}
        )


def test_code_needs_permission(monkeypatch):
    offset = 2
    with pytest.warns(UserWarning, match="lambda"):
        described = serialize_object(lambda x, y=1: x + y + offset)
    described = json.loads(json.dumps(described))
    with pytest.raises(ValueError, match="safe_mode=False"):
        deserialize_object([{"a": described}])
    restored = deserialize_object([{"a": described}], safe_mode=False)[0]["a"]
    assert restored(3) == 6 and restored(3, 2) == 7
    with pytest.raises(ValueError, match="safe_mode=False"):
        deserialize_object(described)
    monkeypatch.setitem(config._settings, "unsafe_deserialization", True)
    assert deserialize_object(described)(3) == 6


def test_permission_reaches_nested_configs():
    with pytest.warns(UserWarning, match="lambda"):
        described = serialize_object(losses.LossFunctionWrapper(lambda t, p: t - p))
    with pytest.raises(ValueError, match="safe_mode=False"):
        losses.deserialize(described)
    assert deserialize_object(described, safe_mode=False, table={}).fn(3, 1) == 2


def test_failures_tell_what_was_made():
    config = serialize_object(initializers.RandomNormal())
    config["config"]["nope"] = 1
    with pytest.raises(TypeError) as caught:
        deserialize_object(config)
    assert "RandomNormal" in caught.value.__notes__[0]


def test_what_has_no_config_is_refused():
    with pytest.raises(TypeError, match="get_config"):
        serialize_object({"a": object()})
