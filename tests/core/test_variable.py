"""`Variable`: its values, operators and moves, on every backend and between all of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kerata import ops
from kerata.backends import registry
from kerata.backends.state import operations, state
from kerata.core.names import name_scope
from kerata.core.stateless import StatelessScope
from kerata.core.variable import Variable
from tests.conftest import BACKENDS

A = np.float32([[1.5, -2.0], [3.0, 0.25]])
B = np.float32([[2.0, 4.0], [-1.0, 0.5]])


def test_value_is_the_backend_s_tensor(backend):
    v = Variable(A)
    assert isinstance(v.value, backend.tensor_types)
    np.testing.assert_array_equal(ops.convert_to_numpy(v.value), A)
    np.testing.assert_array_equal(ops.convert_to_numpy(v), A)
    np.testing.assert_array_equal(np.asarray(v), A)
    assert np.asarray(v, "float64").dtype == np.float64


@pytest.mark.parametrize(
    ("value", "dtype", "wanted"),
    [(1.0, None, "float32"), ([1.0, 2.0], None, "float32"), (A.astype("float64"), None, "float64"),
     (3, None, "int32"), (True, None, "bool"), (np.uint8([1]), None, "uint8"), (3, "float32", "float32"),
     (A, "bfloat16", "bfloat16"), (1.5, "int32", "int32"), (np.int64([5]), None, "int64")],
)  # fmt: skip
def test_dtype(backend, value, dtype, wanted):
    v = Variable(value, dtype=dtype)
    assert v.dtype == v.stored_dtype == wanted
    assert v.numpy().dtype.name == wanted
    assert v.shape == np.shape(value) and v.ndim == np.ndim(value) and v.size == np.size(value)


def test_changing_a_copy_changes_nothing(backend):
    given = A.copy()
    v = Variable(given)
    v.assign(v.value)
    given[:] = 0
    v.numpy()[:] = 0
    np.testing.assert_array_equal(v.numpy(), A)
    w = Variable(A)
    w.assign(v)
    v.assign(B)
    np.testing.assert_array_equal(w.numpy(), A)


def test_a_value_that_was_read_stays(backend):
    v = Variable(A)
    before = ops.multiply(v.value, 1)
    v.assign_add(B)
    np.testing.assert_array_equal(ops.convert_to_numpy(before), A)


@pytest.mark.parametrize("kind", ["array", "list", "tensor", "variable", "other dtype"])
def test_assign(backend, kind):
    v = Variable(A)
    given = {
        "array": B,
        "list": B.tolist(),
        "tensor": backend.convert(B),
        "variable": Variable(B),
        "other dtype": backend.convert(B.astype("float16")),
    }[kind]
    version = v.version
    assert v.assign(given) is v
    np.testing.assert_array_equal(v.numpy(), B)
    assert v.dtype == "float32" and v.version > version


def test_assign_before_the_first_read(backend):
    v = Variable("glorot_uniform", (2, 2))
    v.assign(backend.convert(B))
    np.testing.assert_array_equal(v.numpy(), B)


@pytest.mark.parametrize("value", [2.0, 2, B, B[0]], ids=["float", "int", "array", "row"])
def test_assign_add_and_sub(backend, value):
    v = Variable(A)
    assert v.assign_add(value) is v
    np.testing.assert_allclose(v.numpy(), A + value)
    assert v.assign_sub(value) is v
    np.testing.assert_allclose(v.numpy(), A, rtol=1e-6)
    v.assign_add(backend.convert(np.asarray(value, "float32")))
    np.testing.assert_allclose(v.numpy(), A + value)


def test_assign_keeps_the_dtype(backend):
    v = Variable(np.int32([1, 2]))
    v.assign_add(1)
    v.assign(ops.multiply(v, 2.5))
    assert v.dtype == "int32" and v.numpy().tolist() == [5, 7]
    half = Variable(A, dtype="bfloat16")
    half.assign_add(0.5)
    assert half.dtype == "bfloat16" and half.numpy().dtype.name == "bfloat16"


@pytest.mark.parametrize("change", ["assign", "assign_add", "assign_sub"])
@pytest.mark.parametrize("value", [np.zeros(3, "float32"), np.zeros((2, 2, 2), "float32")])
def test_another_shape_is_refused(backend, change, value):
    v = Variable(A, name="w")
    for given in (value, backend.convert(value)):
        with pytest.raises(Exception):  # noqa: B017 - where they don't broadcast, the engine's own
            getattr(v, change)(given)
    np.testing.assert_array_equal(v.numpy(), A)
    with pytest.raises(ValueError, match=r"Variable 'w'.*has the shape \(2,\), and the variable"):
        v.assign([1.0, 2.0])


BINARY = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "//": lambda a, b: a // b, "%": lambda a, b: a % b,
    "**": lambda a, b: abs(a) ** b, "@": lambda a, b: a @ b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


@pytest.mark.parametrize("sign", BINARY)
def test_operators(backend, sign):
    f = BINARY[sign]
    v, w = Variable(A), Variable(B)
    pairs = ((v, w), (v, backend.convert(B)), (backend.convert(A), w), (v, B), (A, w))
    # abs(v) is the engine's tensor, whose operators are its own: torch's take no arrays
    for a, b in pairs[:3] if sign == "**" else pairs:
        result = ops.convert_to_numpy(f(a, b))
        np.testing.assert_allclose(result, f(A, B), rtol=1e-6, err_msg=f"{type(a)} {type(b)}")
    if sign != "@":
        np.testing.assert_allclose(ops.convert_to_numpy(f(v, 2.0)), f(A, 2.0), rtol=1e-6)
        if sign != "**":
            np.testing.assert_allclose(ops.convert_to_numpy(f(2.0, v)), f(2.0, A), rtol=1e-6)


def test_unary_operators_and_items(backend):
    v = Variable(A)
    np.testing.assert_array_equal(ops.convert_to_numpy(-v), -A)
    np.testing.assert_array_equal(ops.convert_to_numpy(abs(v)), abs(A))
    np.testing.assert_array_equal(ops.convert_to_numpy(v[1, ::-1]), A[1, ::-1])
    np.testing.assert_array_equal(ops.convert_to_numpy(~Variable([True, False])), [False, True])
    both = Variable([True, False]) & Variable([True, True])
    assert ops.convert_to_numpy(both).tolist() == [True, False]
    assert [float(ops.convert_to_numpy(x)) for x in v[0]] == [1.5, -2.0]


def test_python_s_conversions(backend):
    assert float(Variable(2.5)) == 2.5 and int(Variable(3)) == 3 and bool(Variable(1.0))
    assert [10, 20, 30][Variable(1)] == 20
    assert len(Variable(A)) == 2
    with pytest.raises(TypeError, match=r"len\(\) of the scalar variable"):
        len(Variable(1.0))


def test_identity_as_keys():
    v, w = Variable(1.0), Variable(1.0)
    assert len({v, w}) == 2 and {v: 1}[v] == 1
    assert (v == None) is False and (v != None) is True  # noqa: E711


def test_moves_between_all_backends_and_back():
    v = Variable(A, name="moving")
    for first, second in itertools.permutations(BACKENDS, 2):
        for name in (first, second, first):
            with registry.use_backend(name) as active:
                assert isinstance(v.value, active.tensor_types)
                v.assign_add(1.0)
    turns = 3 * len(BACKENDS) * (len(BACKENDS) - 1)
    np.testing.assert_allclose(v.numpy(), A + turns)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int32", "uint8", "bool"])
def test_dtypes_survive_moves(dtype):
    v = Variable(np.abs(A), dtype=dtype)
    wanted = v.numpy()
    for name in (*BACKENDS, *reversed(BACKENDS)):
        with registry.use_backend(name) as active:
            assert active.dtype_of(v.value) == dtype
    assert v.numpy().dtype == wanted.dtype
    np.testing.assert_array_equal(v.numpy(), wanted)


def test_numpy_does_not_move_it(backend):
    v = Variable(A)
    v.value  # noqa: B018
    home = v._home
    with registry.use_backend("numpy"):
        v.numpy()
    assert v._home is home


def test_drawn_when_first_read(backend):
    drawn = []

    def initializer(shape, dtype):
        drawn.append(shape)
        return np.ones(shape, dtype)

    Variable(initializer, (2,))
    lazy = Variable("ones", (3, 2))
    assert lazy._home is None and "not drawn yet" in repr(lazy)
    assert lazy.shape == (3, 2) and lazy.dtype == "float32"
    np.testing.assert_array_equal(lazy.numpy(), np.ones((3, 2)))
    assert "not drawn yet" not in repr(lazy)


def test_the_same_first_value_on_every_backend():
    from kerata.core.seeds import set_random_seed

    values = []
    for name in BACKENDS:
        set_random_seed(3)
        with registry.use_backend(name):
            v = Variable("glorot_uniform", (4, 4))
            v.value  # noqa: B018
            values.append(v.numpy())
    assert all(np.array_equal(values[0], x) for x in values)
    assert values[0].std() > 0.1


def test_drawn_once_whatever_reads_first(backend):
    v = Variable("random_normal", (3,))
    first = v.numpy()
    np.testing.assert_array_equal(ops.convert_to_numpy(v.value), first)
    with StatelessScope():
        np.testing.assert_array_equal(ops.convert_to_numpy(v.value), first)


def test_trainable_flag(training_backend):
    v = Variable(A)
    assert v.trainable
    v.value  # noqa: B018
    v.trainable = False
    assert not v.trainable
    np.testing.assert_array_equal(v.numpy(), A)
    v.assign_add(1.0)
    v.trainable = True
    np.testing.assert_array_equal(v.numpy(), A + 1)
    assert not Variable(A, trainable=False).trainable


def test_paths():
    with name_scope("outer"), name_scope("inner"):
        v = Variable(1.0, name="kernel")
    assert (v.name, v.path) == ("kernel", "outer/inner/kernel")
    assert Variable(1.0, name="alone").path == "alone"
    first, second = Variable(1.0), Variable(1.0)
    assert first.name != second.name and first.name.startswith("variable")


def test_autocast(backend):
    v, counter = Variable(A), Variable(3)
    fixed = Variable(A, autocast=False)
    state.autocast = "bfloat16"
    try:
        assert v.dtype == "bfloat16" and v.stored_dtype == "float32"
        assert backend.dtype_of(v.value) == "bfloat16"
        assert backend.dtype_of(ops.add(v, v)) == "bfloat16"
        assert counter.dtype == "int32" and backend.dtype_of(counter.value) == "int32"
        assert fixed.dtype == "float32" and backend.dtype_of(fixed.value) == "float32"
        v.assign(ops.multiply(v, 2))
        assert v.numpy().dtype == np.float32
    finally:
        state.autocast = None
    np.testing.assert_array_equal(v.numpy(), 2 * A)
    assert backend.dtype_of(v.value) == "float32"


def test_on_host(training_backend):
    counter = Variable(np.int32([1, 2]), trainable=False, on_host=True)
    counter.assign_add(1)
    assert counter.numpy().tolist() == [2, 3]
    assert ops.convert_to_numpy(ops.add(counter, 1)).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Variable("ones"), "shape must be given with the initializer 'ones'"),
        (
            lambda: Variable(A, (3,)),
            r"the initial value has the shape \(2, 2\), and shape is \(3,\)",
        ),
        (lambda: Variable(A, name="a/b"), "name must be a string without '/'; got 'a/b'"),
        (lambda: Variable(A, name=3), "name must be a string"),
        (lambda: Variable(A, aggregation="most"), "aggregation must be one of"),
        (lambda: Variable(A, dtype="float31"), "dtype must be one of"),
        (lambda: Variable("onse", (2,)), "Did you mean 'one"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_abstract_reads_need_a_scope():
    v = Variable(A, name="w")
    with registry.use_backend("abstract"), pytest.raises(RuntimeError, match="'w' can't be read"):
        v.value  # noqa: B018


def test_operations_take_variables(backend):
    v = Variable(A)
    for name in ("exp", "sum", "transpose", "softmax", "ravel"):
        found = ops.convert_to_numpy(operations[name](v))
        np.testing.assert_array_equal(
            found, ops.convert_to_numpy(operations[name](backend.convert(A)))
        )
    assert ops.shape(v) == (2, 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.stack([v, v]))[1], A)
