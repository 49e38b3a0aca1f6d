"""Every layer through everything: backends, open sizes, precision, configs."""

import json

import numpy as np
import optree
import pytest

from kerata import layers, ops
from kerata.backends.abstract.backend import strict
from kerata.backends.abstract.tensor import STAND_INS, AbstractTensor, Size
from kerata.backends.registry import use_backend, using
from kerata.backends.scope import Recorder
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.core.transforms import grad, jit
from tests.layers.cases import CASES
from tests.layers.common import arrays, close, fill, made, open_shape, policy, reset, result

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
        found = optree.tree_leaves(case.run(layer, symbolic, **_opened(case, _symbolic)))
        values = result(case, layer, active)
    assert [str(v.dtype) for v in values] == [x.dtype for x in found]
    for value, x in zip(values, found, strict=True):
        assert len(x.shape) == value.ndim
        assert x.shape[0] is None
        assert all(s in (None, n) for s, n in zip(x.shape, value.shape, strict=True))


@each([c for c in CASES if not c.call and not c.spread and not c.name.endswith(CALLS_STATE)])
def test_output_spec_of_a_layer_not_called(case):
    dtype = "int32" if case.top else "float32"
    with use_backend("numpy"):
        inputs = [layers.Input(batch_shape=open_shape(case, s), dtype=dtype) for s in case.shapes]
        layer = case.make(layers)
        called = case.run(layer, inputs)
        found = case.run(case.make(layers).compute_output_spec, inputs)
        built = case.make(layers)
        shapes = [x.shape for x in inputs]
        built.build(shapes if len(shapes) > 1 else shapes[0])
    specs = [[(x.shape, x.dtype) for x in optree.tree_leaves(t)] for t in (called, found)]
    assert specs[0] == specs[1]
    assert built.count_params() == layer.count_params()


def _opened(case, make):
    """The case's keyword arguments, their arrays with an open batch."""
    arguments = {k: v for k, v in case.arguments().items() if _holds_arrays(v)}
    return optree.tree_map(lambda v: make((None, *v.shape[1:]), str(v.dtype)), arguments)


def _holds_arrays(value):
    return any(isinstance(v, np.ndarray) for v in optree.tree_leaves(value))


def _symbolic(shape, dtype):
    return layers.Input(batch_shape=shape, dtype=dtype)


def _abstract(shape, dtype):
    return AbstractTensor(tuple(Size(*STAND_INS) if s is None else s for s in shape), dtype)


@each([c for c in CASES if not c.name.endswith(CALLS_STATE)])
def test_branches_on_no_open_size(case):
    layer = made(case)
    dtype = "int32" if case.top else "float32"
    inputs = [_abstract(open_shape(case, shape), dtype) for shape in case.shapes]
    with using(strict()), Recorder():
        for x in optree.tree_leaves(case.run(layer, inputs, **_opened(case, _abstract))):
            assert isinstance(x, AbstractTensor)
            assert isinstance(x.shape[0], Size)


@each(CASES)
def test_mixed_precision(case, backend):
    # NumPy makes float32 of bfloat16 and a Python float.
    half = "float16" if np.ndarray in backend.tensor_types else "bfloat16"
    with policy(f"mixed_{half}"):
        layer = case.make(layers)
    inputs = [backend.convert(x) for x in case.inputs()]
    found = jit(lambda *x: case.run(layer, list(x)))(*inputs)
    assert {backend.dtype_of(x) for x in optree.tree_leaves(found)} == {half}
    assert {w.stored_dtype for w in layer.weights} <= {"float32", "int32"}


@each(CASES)
def test_config_round_trip(case):
    layer = made(case)
    kept = json.loads(json.dumps(serialize_object(layer)))
    again = deserialize_object(kept)
    assert json.loads(json.dumps(serialize_object(again))) == kept
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


@each(CASES)
def test_compiled(case, backend):
    layer = made(case)
    compiled = jit(lambda *inputs: case.run(layer, list(inputs)))
    with use_backend("numpy") as reference:
        expected = result(case, layer, reference)
        averages = layer.get_weights()
        fill(layer)
    inputs = [backend.convert(x) for x in case.inputs()]
    close(arrays(backend, compiled(*inputs)), expected)
    close(layer.get_weights(), averages)


def _loss(case, layer, inputs):
    """The outputs, each element times a number of its own, added up."""
    total = 0.0
    for y in optree.tree_leaves(case.run(layer, inputs)):
        factors = np.cos(np.arange(np.prod(y.shape))).reshape(y.shape)
        total = ops.add(total, ops.sum(ops.multiply(y, ops.cast(factors, layer.compute_dtype))))
    return total


@each([c for c in CASES if c.smooth and not c.top])
def test_gradients(case, backend):
    """Against the difference quotient along one direction, in NumPy's float64."""
    if not backend.trains:
        pytest.skip("does not differentiate")
    layer = made(case)
    with policy("float64"):
        exact = case.make(layers)
    points = [*case.inputs(), *(v.numpy() for v in layer.trainable_variables)]
    directions = [np.sin(np.arange(p.size) + 1).reshape(p.shape) for p in points]
    count = len(case.shapes)

    def value(step):
        moved = [p + step * d for p, d in zip(points, directions, strict=True)]
        for variable, v in zip(exact.trainable_variables, moved[count:], strict=True):
            variable.assign(v)
        reset(exact)
        return float(_loss(case, exact, moved[:count]))

    with use_backend("numpy"):
        case.run(exact, case.inputs())
        exact.set_weights(layer.get_weights())
        expected = (value(1e-6) - value(-1e-6)) / 2e-6
    variables, inputs = layer.trainable_variables, [backend.convert(x) for x in case.inputs()]

    @jit
    def gradients(*x):
        found = grad(lambda *x: _loss(case, layer, list(x)), None, tuple(range(count)))(*x)
        reset(layer)
        return found, grad(lambda: _loss(case, layer, x), variables)() if variables else []

    found = sum(
        float(np.sum(g * d))
        for g, d in zip(arrays(backend, gradients(*inputs)), directions, strict=True)
    )
    assert found == pytest.approx(expected, rel=2e-3, abs=2e-3)
