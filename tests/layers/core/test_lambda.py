import numpy as np
import pytest

from kerata import config, layers, ops
from kerata.core.serialization import deserialize_object, register_keras_serializable

X = np.array([[1.0, -2.0]], "float32")


@register_keras_serializable("tests")
def halve(x):
    return x / 2


def plain(x, factor=1.0):
    return x * factor


def test_arguments_and_context(backend):
    layer = layers.Lambda(plain, arguments={"factor": 3.0})
    assert backend.to_numpy(layer(backend.convert(X))).tolist() == [[3.0, -6.0]]
    trains = layers.Lambda(lambda x, training: x if training else -x)
    assert backend.to_numpy(trains(backend.convert(X), training=True)).tolist() == [[1.0, -2.0]]
    assert backend.to_numpy(trains(backend.convert(X))).tolist() == [[-1.0, 2.0]]


def test_shapes():
    assert layers.Lambda(ops.sum, arguments={"axis": 1}).compute_output_shape((None, 3)) == (None,)
    assert layers.Lambda(plain, output_shape=(7,)).compute_output_shape((None, 3)) == (None, 7)
    by_function = layers.Lambda(plain, output_shape=lambda s: (s[0], 2 * s[1]))
    assert by_function.compute_output_shape((None, 3)) == (None, 6)


def test_saved_by_name(backend):
    for function, known in ((halve, None), (plain, {"plain": plain}), (ops.negative, None)):
        saved = layers.Lambda(function).get_config()
        again = layers.Lambda.from_config(saved, custom_objects=known)
        assert again.function is function
    with pytest.raises(TypeError, match="'plain', which is not known"):
        layers.Lambda.from_config(layers.Lambda(plain).get_config())


@pytest.mark.filterwarnings("ignore:The code of a lambda")
def test_code_runs_only_where_that_is_allowed(backend, monkeypatch):
    shift = 2.0
    saved = layers.Lambda(lambda x, a=1.0: x * a + shift).get_config()
    assert saved["function"]["class_name"] == "__lambda__"
    assert set(saved["function"]["config"]) == {"code", "defaults", "closure"}
    described = {"module": "kerata.layers", "class_name": "Lambda", "config": saved}
    for load in (
        lambda: layers.Lambda.from_config(saved),
        lambda: layers.Lambda.from_config(saved, safe_mode=True),
        lambda: deserialize_object(described),
    ):
        with pytest.raises(ValueError, match="safe_mode=False"):
            load()
    for again in (
        layers.Lambda.from_config(saved, safe_mode=False),
        deserialize_object(described, safe_mode=False),
    ):
        assert backend.to_numpy(again(backend.convert(X))).tolist() == [[3.0, 0.0]]
    monkeypatch.setitem(config._settings, "unsafe_deserialization", True)
    assert layers.Lambda.from_config(saved)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_code_is_exchanged_with_keras(backend, keras):
    ours, theirs = layers.Lambda(lambda x: x * 2), keras.layers.Lambda(lambda x: x * 3)
    read = layers.Lambda.from_config(theirs.get_config(), safe_mode=False)
    assert backend.to_numpy(read(backend.convert(X))).tolist() == [[3.0, -6.0]]
    saved = {k: v for k, v in ours.get_config().items() if k != "dtype"}
    written = keras.layers.Lambda.from_config(saved, safe_mode=False)
    assert np.asarray(written(X)).tolist() == [[2.0, -4.0]]
