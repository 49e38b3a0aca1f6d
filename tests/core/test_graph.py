"""`Function`: recorded calls as one callable."""

from __future__ import annotations

import numpy as np
import pytest

from kerata import ops
from kerata.core.graph import Function
from kerata.core.symbolic import KerasTensor, Node, Operation
from kerata.core.variable import Variable


def given(shape, name: str, dtype: str = "float32") -> KerasTensor:
    """A symbolic input, as `kerata.Input` makes it."""
    x = KerasTensor(shape, dtype, name=name)
    Node(Operation(name), (), {}, x)
    return x


def numbers(tree) -> list:
    return ops.convert_to_numpy(tree).tolist()


def test_it_runs_on_every_backend(backend):
    x = given((None, 2), "x")
    f = Function(x, ops.sum(ops.exp(x) * 2.0, axis=-1), name="f")
    values = np.float32([[0, 1], [2, 3], [4, 5]])
    np.testing.assert_allclose(numbers(f(values)), (2 * np.exp(values)).sum(-1), rtol=1e-6)
    assert [op.op.name for op in f.operations] == ["exp", "multiply", "sum"]


def test_each_step_runs_once():
    calls = []

    class Counted(Operation):
        def call(self, x):
            calls.append(None)
            return x + 1.0

    x = given((2,), "x")
    shared = Counted()(x)
    f = Function(x, shared * shared + shared)
    calls.clear()
    assert numbers(f(np.float32([1, 2]))) == [6.0, 12.0]
    assert len(calls) == 1


def test_one_operation_called_twice_is_listed_once():
    double = type("Double", (Operation,), {"call": lambda self, x: x * 2.0})()
    x = given((1,), "x")
    f = Function(x, double(double(x)))
    assert f.operations == [double] and len(f.nodes) == 2
    assert numbers(f(np.float32([1]))) == [4.0]


@pytest.mark.parametrize(
    ("structure", "call"),
    [
        (lambda a, b: [a, b], ([1.0], [2.0])),
        (lambda a, b: (a, b), [[1.0], [2.0]]),
        (lambda a, b: {"first": a, "second": b}, {"second": np.float32([2]), "first": np.float32([1])}),
        (lambda a, b: [a, b], {"b": np.float32([2]), "a": np.float32([1])}),
        (lambda a, b: {"one": a, "two": {"three": b}}, {"one": np.float32([1]), "two": {"three": np.float32([2])}}),
    ],
    ids=["list", "tuple", "dict", "by-name", "nested"],
)  # fmt: skip
def test_structures_of_inputs(structure, call):
    a, b = given((1,), "a"), given((1,), "b")
    f = Function(structure(a, b), a - b)
    if isinstance(call, (list, tuple)):
        call = type(call)(np.float32(x) for x in call)
    assert numbers(f(call)) == [-1.0]


def test_structures_of_outputs():
    x = given((2,), "x")
    f = Function(x, {"sum": ops.sum(x), "parts": ops.split(x, 2)})
    result = f(np.float32([1, 2]))
    assert numbers(result["sum"]) == 3.0 and [numbers(p) for p in result["parts"]] == [[1.0], [2.0]]


def test_an_input_may_be_an_output():
    x = given((2,), "x")
    assert numbers(Function(x, [x, x * 2.0])(np.float32([1, 2]))[0]) == [1.0, 2.0]


def test_constants_variables_and_keywords_are_kept(backend):
    x, v = given((2,), "x"), Variable([10.0, 20.0])
    f = Function(x, ops.max(ops.stack([x, v, np.float32([3, 3])]), axis=0))
    assert numbers(f(np.float32([1, 25]))) == [10.0, 25.0]
    v.assign([0.0, 30.0])
    assert numbers(f(np.float32([1, 25]))) == [3.0, 30.0]


def test_a_function_of_a_function():
    x = given((None, 3), "x")
    inner = Function(x, ops.softmax(x))
    y = given((4, 3), "y")
    outer = Function(y, inner(y) * 3.0)
    assert outer.outputs[0].shape == (4, 3) and inner in outer.operations
    np.testing.assert_allclose(numbers(outer(np.zeros((4, 3), "float32"))), np.ones((4, 3)))


def test_part_of_a_graph():
    x = given((2,), "x")
    middle = ops.exp(x)
    end = ops.log(middle) + 1.0
    assert [o.op.name for o in Function(middle, end).operations] == ["log", "add"]


def test_order_of_a_long_chain():
    """No recursion: a thousand steps are fine."""
    x = y = given((1,), "x")
    for _ in range(1500):
        y = y + 1.0
    f = Function(x, y)
    assert len(f.nodes) == 1500 and numbers(f(np.float32([0]))) == [1500.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda a, b: Function(a, a + b), r"disconnected: an output depends on the input 'b'.*\(a\)"),
        (lambda a, b: Function([a, 3], a), "inputs must be symbolic tensors .*got int"),
        (lambda a, b: Function(a, [1.0]), "outputs must be symbolic tensors .*got float"),
        (lambda a, b: Function([], a), "inputs must hold at least one"),
        (lambda a, b: Function(a, []), "outputs must hold at least one"),
        (lambda a, b: Function([a, b], a + b, "f")([np.ones(1)]), r"'f' takes 2 input\(s\) \(a, b\), and got 1"),
        (lambda a, b: Function([a, b], a + b, "f")({"a": 1.0}), "takes the inputs .*without 'b'"),
        (lambda a, b: Function({"k": a, "l": b}, a + b, "f")({"k": 1.0}), "'l' is missing"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make(given((1,), "a"), given((1,), "b"))


def test_an_error_at_run_time_names_the_line_of_the_call(backend):
    class Failing(Operation):
        def call(self, x):
            if isinstance(x, backend.tensor_types):
                raise ZeroDivisionError("at run time")
            return x

    x = given((1,), "x")
    f = Function(x, Failing()(x))
    with pytest.raises(ZeroDivisionError) as caught:
        f(backend.convert(np.float32([1])))
    assert any(__file__ in note and "graph" in note for note in caught.value.__notes__)
