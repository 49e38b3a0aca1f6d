"""Symbolic tensors: what calls on them return and record."""

from __future__ import annotations

import numpy as np
import pytest

from kerata import ops
from kerata.backends.abstract.tensor import STAND_INS
from kerata.core.masks import get_mask, set_mask
from kerata.core.symbolic import KerasTensor, OpCall, Operation, any_symbolic, public_size


def spec(x) -> tuple:
    return x.shape, x.dtype


def test_attributes():
    x = KerasTensor((None, 3), "bfloat16", name="x")
    assert (x.shape, x.dtype, x.ndim, x.name, x.node) == ((None, 3), "bfloat16", 2, "x", None)
    assert repr(x) == "<KerasTensor shape=(None, 3), dtype=bfloat16, name=x>"
    assert KerasTensor([2, 3]).shape == (2, 3)
    assert KerasTensor(()).name.startswith("keras_tensor")


X, Y = KerasTensor((None, 4), name="x"), KerasTensor((4,), "int32")


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda: X + Y, ((None, 4), "float32")),
        (lambda: 1 - X, ((None, 4), "float32")),
        (lambda: X * np.float32([1, 2, 3, 4]), ((None, 4), "float32")),
        (lambda: np.ones((4,), "float32") * X, ((None, 4), "float32")),
        (lambda: Y / 2, ((4,), "float32")),
        (lambda: Y // 2, ((4,), "int32")),
        (lambda: Y % 2, ((4,), "int32")),
        (lambda: 2**X, ((None, 4), "float32")),
        (lambda: -abs(X), ((None, 4), "float32")),
        (lambda: X @ np.ones((4, 2), "float32"), ((None, 2), "float32")),
        (lambda: X > 0, ((None, 4), "bool")),
        (lambda: X == Y, ((None, 4), "bool")),
        (lambda: ~(X != 0), ((None, 4), "bool")),
        (lambda: (X > 0) & (X < 1) | (X == 2), ((None, 4), "bool")),
        (lambda: X[0], ((4,), "float32")),
        (lambda: X[:, 1:3, None], ((None, 2, 1), "float32")),
        (lambda: X[..., ::-1], ((None, 4), "float32")),
        (lambda: X[1:], ((None, 4), "float32")),
        (lambda: X.reshape((-1, 2, 2)), ((None, 2, 2), "float32")),
        (lambda: ops.expand_dims(X, 1).squeeze(1), ((None, 4), "float32")),
    ],
)
def test_operators(f, wanted):
    assert spec(f()) == wanted


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda: len(X), TypeError),
        (lambda: list(X), TypeError),
        (lambda: bool(X), TypeError),
        (lambda: np.asarray(X), ValueError),
        (lambda: np.exp(X), TypeError),
    ],
)
def test_what_a_symbolic_tensor_is_not(f, error):
    with pytest.raises(error):
        f()


def test_comparison_with_none_is_plain():
    assert (X == None) is False and (X != None) is True  # noqa: E711
    assert len({X, Y}) == 2


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (lambda x: ops.reshape(x, (-1,)), (None,)),
        (lambda x: ops.reshape(x, (-1, 12)), (None, 12)),
        (lambda x: x[:, : x.shape[1] // 2], (None, 3, 2)),
        (lambda x: ops.concatenate([x, x], 0), (None, 6, 2)),
        (lambda x: ops.sum(x, 0), (6, 2)),
        (lambda x: ops.repeat(x, 3, 0), (None, 6, 2)),
        (lambda x: ops.zeros_like(x), (None, 6, 2)),
        (lambda x: ops.broadcast_to(x[:1], (5, 6, 2)), (5, 6, 2)),
    ],
)
def test_open_sizes_follow(f, shape):
    assert f(KerasTensor((None, 6, 2))).shape == shape


def test_several_open_sizes():
    x = KerasTensor((None, None, 3))
    assert ops.transpose(x, (1, 0, 2)).shape == (None, None, 3)
    assert ops.mean(x, 1).shape == (None, 3)
    assert ops.matmul(x, ops.transpose(x, (0, 2, 1))).shape == (None, None, None)


class Quarter(Operation):
    """Computes with sizes in plain Python."""

    def call(self, x):
        length = ops.shape(x)[1] // 4
        return ops.reshape(x, (-1, length, 4))


def test_a_body_calculates_with_sizes():
    assert Quarter()(KerasTensor((None, None))).shape == (None, None, 4)
    assert Quarter()(KerasTensor((2, 12))).shape == (2, 3, 4)
    assert ops.shape(Quarter()(np.ones((2, 12), "float32"))) == (2, 3, 4)


def test_errors_show_open_sizes_as_none():
    with pytest.raises(ValueError, match="the last axis of x1 has 4 entries") as caught:
        ops.matmul(X, np.ones((3, 2), "float32"))
    assert "(None, 4)" in str(caught.value)
    assert all(str(s) not in str(caught.value) for s in STAND_INS)


def test_the_number_of_axes_may_not_follow_an_open_size():
    class Odd(Operation):
        def call(self, x):
            return x if x.shape[0] == STAND_INS[0] else x[0]

    with pytest.raises(ValueError, match="number of axes depends on an open size"):
        Odd()(X)


def test_nodes_record_the_call():
    y = ops.sum(X, axis=1, keepdims=True)
    node = y.node
    assert isinstance(node.operation, OpCall) and node.operation.op.name == "sum"
    assert node.inputs == [X] or node.inputs[0] is X
    assert node.kwargs == {"axis": 1, "keepdims": True}
    assert node.outputs[0] is y and y.index == 0
    assert node.where[0] == __file__ and node.where[2] == "test_nodes_record_the_call"
    first, second = ops.split(X, 2, 1)
    assert first.node is second.node and (first.index, second.index) == (0, 1)


def test_an_operation_s_input_and_output():
    quarter = Quarter()
    with pytest.raises(AttributeError, match="has not been called on a symbolic tensor"):
        quarter.output  # noqa: B018
    x = KerasTensor((2, 8))
    y = quarter(x)
    assert quarter.input is x and quarter.output is y
    quarter(x)
    with pytest.raises(AttributeError, match="was called 2 times, so its output is ambiguous"):
        quarter.output  # noqa: B018


def test_names_of_operations_count():
    first, second = OpCall(ops.exp.op), OpCall(ops.exp.op)
    assert first.name != second.name and first.name.startswith("exp")
    assert repr(first) == "<operation exp>"
    assert first.get_config() == {"op": "exp", "name": first.name}


def test_an_operation_must_define_call():
    with pytest.raises(NotImplementedError, match="must define call"):
        Operation()(1.0)


def test_masks_reach_the_body():
    seen = []

    class Masked(Operation):
        def call(self, x):
            seen.append(get_mask(x))
            return x

    x = KerasTensor((None, 3))
    set_mask(x, KerasTensor((None, 3), "bool"))
    Masked()(x)
    assert [m.shape for m in seen] == [(s, 3) for s in STAND_INS]
    assert all(m.dtype == "bool" for m in seen)


def test_nested_results_keep_their_structure():
    class Nested(Operation):
        def call(self, x):
            return {"a": x, "b": [ops.sum(x), None, 3]}

    result = Nested()(X)
    assert result["a"].shape == (None, 4) and result["b"][0].shape == ()
    assert result["b"][1:] == [None, 3]


def test_any_symbolic():
    assert any_symbolic((1, [X]), {}) and any_symbolic((), {"x": {"y": X}})
    assert not any_symbolic((1, [2, np.ones(3)]), {"x": None})


def test_public_size():
    assert public_size(STAND_INS[0]) is None and public_size(2 * STAND_INS[0]) is None
    assert public_size(0) == 0 and public_size(128) == 128


def test_symbolic_calls_need_no_engine(tmp_path):
    import subprocess
    import sys

    program = (
        "import sys; from kerata import ops; from kerata.core.symbolic import KerasTensor\n"
        "assert ops.softmax(KerasTensor((None, 3))).shape == (None, 3)\n"
        "found = {'jax', 'torch', 'tensorflow', 'openvino', 'onnx'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
