"""What happens around a kernel: binding, conversion of arguments, errors."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from kerata import ops
from kerata.backends import registry
from kerata.backends.state import operations
from kerata.core.symbolic import KerasTensor
from kerata.core.variable import Variable
from kerata.ops.dispatch import composite, primitive


def values(x) -> list:
    return ops.convert_to_numpy(x).tolist()


def test_lists_arrays_and_variables_are_converted(backend):
    for x in ([1.0, 2.0], (1.0, 2.0), np.float32([1, 2]), Variable([1.0, 2.0])):
        y = ops.add(x, [1.0, 1.0])
        assert isinstance(y, backend.tensor_types)
        assert values(y) == [2.0, 3.0]


def test_lists_of_tensors_are_stacked(backend):
    x = ops.convert_to_tensor([1.0, 2.0])
    assert values(ops.multiply([x, x], 2)) == [[2.0, 4.0], [2.0, 4.0]]
    assert values(ops.sum([x, Variable([1.0, 1.0])])) == 5.0
    assert values(ops.convert_to_tensor([[1.0, 0.0], x])) == [[1.0, 0.0], [1.0, 2.0]]


def test_a_tensor_stands_for_a_list_of_its_slices(backend):
    x = ops.convert_to_tensor([[1.0], [2.0]])
    assert values(ops.concatenate(x)) == [1.0, 2.0]
    assert values(ops.stack(np.float32([[1], [2]]), -1)) == [[1.0, 2.0]]


@pytest.mark.parametrize("other", registry.backends())
def test_other_engines_tensors_are_converted(backend, other):
    with registry.use_backend(other):
        foreign = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
        half = ops.cast(foreign, "bfloat16")
    result = ops.matmul(foreign, foreign)
    assert isinstance(result, backend.tensor_types)
    assert values(result) == [[7.0, 10.0], [15.0, 22.0]]
    assert backend.dtype_of(ops.add(half, half)) == "bfloat16"


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(1, "int32"), (1.5, "float32"), (True, "bool"), ([1, 2], "int32"), ([], "float32"),
     (np.arange(2, dtype="uint8"), "uint8"), (np.float16(2), "float16"), ([[True]], "bool"),
     ([1, 2.5], "float32"), (np.zeros((2, 0), "int32"), "int32"), (range(3), "int32")],
)  # fmt: skip
def test_convert_to_tensor(backend, value, dtype):
    x = ops.convert_to_tensor(value)
    assert isinstance(x, backend.tensor_types)
    assert backend.dtype_of(x) == dtype
    assert ops.shape(x) == np.shape(value)
    assert backend.dtype_of(ops.convert_to_tensor(value, "float32")) == "float32"


def test_to_numpy_is_a_copy(backend):
    x = ops.convert_to_tensor([1.0, 2.0])
    y = backend.to_numpy(x)
    y[0] = 9.0
    assert values(x)[0] == 1.0


def test_shape(backend):
    assert ops.shape(np.zeros((2, 3))) == (2, 3)
    assert all(type(s) is int for s in ops.shape(ops.zeros((2, 3))))
    assert ops.shape(KerasTensor((None, 3))) == (None, 3)
    assert ops.shape(1.0) == ()


def test_positions_and_names(backend):
    x = np.float32([[1, 2], [3, 4]])
    assert values(ops.sum(x, 1, True)) == values(ops.sum(x=x, keepdims=True, axis=1))
    assert values(ops.subtract(x2=x, x1=1.0)) == (1 - x).tolist()
    assert values(ops.einsum("ij->i", x)) == [3.0, 7.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.add(1.0), "add: missing a required argument: 'x2'"),
        (lambda: ops.exp(), "exp: missing a required argument: 'x'"),
        (lambda: ops.exp(1.0, 2.0, 3.0), "exp: too many positional arguments"),
        (lambda: ops.sum([1.0], axes=0), "sum: got an unexpected keyword argument 'axes'"),
        (lambda: ops.concatenate(), "concatenate: missing a required argument: 'xs'"),
        (lambda: ops.add(1.0, 2.0, x1=3.0), "add: "),
    ],
)
def test_wrong_arguments_are_named(backend, call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("value", [object(), [1.0, None], {"a": 1.0}, print])
def test_what_is_no_tensor_is_refused(backend, value):
    for call in (ops.convert_to_tensor, ops.exp, lambda x: ops.add(x, 1.0)):
        with pytest.raises(TypeError, match="can't be made a tensor"):
            call(value)


def test_none_is_no_tensor(backend):
    with pytest.raises(TypeError, match="exp: x must be a tensor; got None"):
        ops.exp(None)
    with pytest.raises(TypeError, match="add: x2 must be a tensor; got None"):
        ops.add([1.0], None)
    with pytest.raises(TypeError, match="concatenate: xs must be a tensor"):
        ops.concatenate(None)
    assert values(ops.layer_normalization([[1.0, 1.0]], None, None)) == [[0.0, 0.0]]


def test_strings_can_be_no_operands(backend):
    with pytest.raises(TypeError):
        ops.add(np.array(["a", "b"]), 1)


def test_no_kernel_says_so():
    def undone(x: ops.dispatch.Tensor) -> None:
        """Nothing."""

    undone.__annotations__["x"] = "Tensor"
    op = primitive()(undone)
    try:
        with (
            registry.use_backend("numpy"),
            pytest.raises(RuntimeError, match="no kernel for 'undone'"),
        ):
            op([1.0])
    finally:
        operations.pop("undone")


def test_a_new_operation_needs_one_function(backend):
    """As `docs/architecture.md` says."""

    def cube_(x: ops.dispatch.Tensor) -> None:
        """`x³`."""
        return ops.multiply(ops.multiply(x, x), x)

    cube_.__annotations__["x"] = "Tensor"
    cube = composite(promote="float")(cube_)
    try:
        assert values(cube([1, 2])) == [1.0, 8.0]
        assert cube(KerasTensor((None, 3), "int32")).dtype == "float32"
    finally:
        operations.pop("cube_")


def test_without_overrides_ends(backend):
    kernels = backend.kernels
    with pytest.raises(ZeroDivisionError), ops.without_overrides():
        assert "softmax" not in backend.kernels
        assert set(ops.primitives()) <= set(backend.kernels)
        raise ZeroDivisionError
    assert backend.kernels is kernels


def test_the_public_function_keeps_signature_and_docs():
    import inspect

    assert list(inspect.signature(ops.sum).parameters) == ["x", "axis", "keepdims"]
    assert ops.sum.__doc__ and ops.sum.__name__ == "sum"
    assert all(f.__doc__ for f in operations.values())


def test_threads_run_operations_on_their_own_backends():
    names = registry.backends()
    found: dict[str, list] = {}

    def work(name: str) -> None:
        with registry.use_backend(name):
            for _ in range(5):
                total = ops.sum(ops.add([1.0, 2.0], 1))
            found[name] = [type(total), values(total)]

    threads = [threading.Thread(target=work, args=(n,)) for n in names]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for name in names:
        kind, total = found[name]
        assert issubclass(kind, registry.load(name).tensor_types) and total == 5.0
