"""Every layer through everything: backends, open sizes, precision, configs."""

import json

import numpy as np
import optree
import pytest

from kerata import config, layers
from kerata.backends.abstract_backend import strict
from kerata.backends.abstract_tensor import STAND_INS, AbstractTensor, Size
from kerata.backends.registry import use_backend, using
from kerata.backends.scope import Recorder
from kerata.core.serialization import deserialize_object, serialize_object
from tests.layers.cases import CASES
from tests.layers.common import close, fill, made, open_shape, reset, result

CALLS_STATE = ("stateful", "unroll")


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda c: c.name)


@each(CASES)
def test_equals_numpy(case, backend):
    layer = made(case)
    with use_backend("numpy") as reference:
        expected = result(case, layer, reference)
        fill(layer)  # training moved the running averages
    close(result(case, layer, backend), expected)


@each([c for c in CASES if not c.name.endswith(CALLS_STATE)])
def test_open_sizes(case):
    dtype = "int32" if case.top else "float32"
    layer = case.make(layers)
    with use_backend("numpy") as active:
        symbolic = [layers.Input(batch_shape=open_shape(case, s), dtype=dtype) for s in case.shapes]
        found = optree.tree_leaves(case.run(layer, symbolic))
        values = result(case, layer, active)
    assert [str(v.dtype) for v in values] == [x.dtype for x in found]
    for value, x in zip(values, found, strict=True):
        assert len(x.shape) == value.ndim
        assert all(s in (None, n) for s, n in zip(x.shape, value.shape, strict=True))
        if not any(v is not None for v in case.arguments().values()):
            assert x.shape[0] is None


@each([c for c in CASES if c.name != "Lambda" and not c.name.endswith(CALLS_STATE)])
def test_branches_on_no_open_size(case):
    layer = made(case)
    dtype = "int32" if case.top else "float32"
    inputs = [
        AbstractTensor(tuple(Size(*STAND_INS) if s is None else s for s in open_shape(case, shape)), dtype)
        for shape in case.shapes
    ]
    arrays = {k: v for k, v in case.arguments().items() if _holds_arrays(v)}
    if arrays:
        pytest.skip("its arguments have known sizes")
    with using(strict()), Recorder():
        for x in optree.tree_leaves(case.run(layer, inputs)):
            assert isinstance(x, AbstractTensor)


def _holds_arrays(value):
    return any(isinstance(v, np.ndarray) for v in optree.tree_leaves(value))


@each([c for c in CASES if "RNN" not in c.name])
def test_mixed_precision(case, backend):
    layer = case.make(layers)
    again = type(layer).from_config(layer.get_config() | {"dtype": "mixed_bfloat16"})
    inputs = [backend.convert(x) for x in case.inputs()]
    found = case.run(again, inputs)
    assert {backend.dtype_of(x) for x in optree.tree_leaves(found)} == {"bfloat16"}
    assert {w.stored_dtype for w in again.weights} <= {"float32"}


@each(CASES)
def test_config_round_trip(case):
    layer = made(case)
    kept = serialize_object(layer)
    config.enable_unsafe_deserialization()
    try:
        again = deserialize_object(json.loads(json.dumps(kept)), {"negative": np.negative})
    finally:
        config._settings["unsafe_deserialization"] = False
    assert again.get_config() == layer.get_config() or case.name.startswith("RNN")
    assert [w.path for w in again.weights] == [w.path for w in layer.weights]
    again.set_weights(layer.get_weights())
    with use_backend("numpy") as active:
        reset(again)
        close(result(case, again, active), result(case, layer, active))


@each([c for c in CASES if "BatchNormalization" not in c.name and "stateful" not in c.name])
def test_stateless_call_equals_call(case):
    layer = made(case)
    with use_backend("numpy") as active:
        expected = result(case, layer, active)

        def pure(*inputs, **arguments):
            trained = [v.numpy() for v in layer.trainable_variables]
            others = [v.numpy() for v in layer.non_trainable_variables]
            return layer.stateless_call(trained, others, *inputs, **arguments)[0]

        close(result(case, pure, active), expected)
