"""`openvino`: every operation against NumPy, and what its `jit` promises."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("openvino")
pytest.importorskip("onnx")

from kerata import ops
from kerata.backends.dtypes import numpy_dtype
from kerata.backends.registry import load, use_backend
from kerata.backends.scope import Scope
from kerata.core.variable import Variable
from tests.backends.onnx_cases import CASES, X, Y, assert_near

DRAW = ops.primitives()["random_uniform"].call


@pytest.fixture
def backend() -> Iterator[Any]:
    with use_backend("openvino") as active, warnings.catch_warnings():
        warnings.filterwarnings("error", "NumPy ran")
        yield active


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_operations_agree_with_numpy(case: Any, backend: Any) -> None:
    with use_backend("numpy"):
        want = case.function(*case.args)
    function = backend.jit(case.function)
    assert_near(function(*case.args), want, case.tolerance)
    assert len(function.compilations) == 1


@pytest.mark.parametrize("name", ["expm1", "log1p"])
def test_small_arguments_keep_their_digits(name: str, backend: Any) -> None:
    x = np.array([-1e-7, 1e-30, 1e-10, 1e-5, 0.01, -0.3, 0.5], "float32")
    got = backend.jit(ops.primitives()[name].call)(x)
    np.testing.assert_allclose(got, getattr(np, name)(x), rtol=1e-6)


def test_one_program_serves_every_batch(backend: Any) -> None:
    function = backend.jit(lambda x, y: (ops.matmul(x, Y.T), ops.mean(x * y, 0), x.shape[1]))
    for n in (1, 5, 32, 0, 3):
        x, y = np.ones((n, 4), "float32"), np.full((n, 4), 2.0, "float32")
        product, mean, width = function(x, y)
        np.testing.assert_allclose(product, x @ Y.T, rtol=1e-5)
        assert width == 4
        if n:
            np.testing.assert_allclose(mean, 2.0)
    assert function.compilations == ["float32[?,4] float32[?,4]"]
    function(np.ones((2, 4), "int32"), np.ones((2, 4), "float32"))
    assert function.compilations[1:] == ["int32[?,4] float32[?,4]"]


def test_sizes_that_differ_or_are_branched_on_are_fixed(backend: Any) -> None:
    function = backend.jit(lambda x, y: ops.matmul(x, y))
    function(X, Y.T)
    function(X[:2], Y.T)
    assert function.compilations == ["float32[3,4] float32[4,3]", "float32[2,4] float32[4,3]"]
    branching = backend.jit(lambda x: x + 1 if x.shape[0] > 2 else x - 1)
    np.testing.assert_array_equal(branching(X), X + 1)
    np.testing.assert_array_equal(branching(X[:2]), X[:2] - 1)
    assert branching.compilations == ["float32[3,4]", "float32[2,4]"]


@pytest.mark.parametrize(
    "dtype", ["bool", "int32", "int64", "uint8", "float16", "bfloat16", "float32"]
)
def test_dtypes_of_arguments(dtype: str, backend: Any) -> None:
    x = np.array([[0, 1], [3, 2]]).astype(numpy_dtype(dtype))
    number = np.array(2).astype(numpy_dtype(dtype))
    function = backend.jit(
        lambda x, n: (x, ops.where(ops.equal(x, n), n, x), ops.cast(x, "float32"))
    )
    for got, want in zip(function(x, number), (x, x, x.astype("float32")), strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


def test_float64_is_taken_to_be_cast(backend: Any) -> None:
    function = backend.jit(lambda x: ops.cast(x, "float32") * 2)
    np.testing.assert_array_equal(function(X.astype("float64")), X * 2)
    assert function.compilations == ["float64[?,4]"]


def test_other_arguments_are_constants(backend: Any) -> None:
    function = backend.jit(lambda x, scale, mode=None: x * scale if mode == "up" else x / scale)
    np.testing.assert_allclose(function(X, 2.0, mode="up"), X * 2)
    np.testing.assert_allclose(function(X, 4.0), X / 4)
    np.testing.assert_allclose(function(X[:1], 4.0), X[:1] / 4)
    assert len(function.compilations) == 2


def test_variables_written_are_updated(backend: Any) -> None:
    total, count = Variable(0.0, name="total"), Variable(0, dtype="int32", name="count")
    weight = Variable(2.0, name="weight")

    @backend.jit
    def update(x: Any) -> Any:
        total.assign_add(ops.sum(x) * weight)
        count.assign(count + ops.shape(x)[0])
        return total.value

    for n in (3, 5):
        result = update(np.ones((n,), "float32"))
    assert (float(total), int(count), float(result)) == (16.0, 8, 16.0)
    assert len(update.compilations) == 1
    weight.assign(1.0)  # a scalar is handed over with each call
    update(np.ones((2,), "float32"))
    assert (float(total), int(count)) == (18.0, 10)
    assert len(update.compilations) == 1


def test_it_is_built_again_when_a_variable_changes(backend: Any) -> None:
    weight = Variable(np.ones((4, 2), "float32"), name="weight")
    function = backend.jit(lambda x: ops.matmul(x, weight))
    before = function(X)
    function(X)
    assert len(function.compilations) == 1
    weight.assign(weight.numpy() * 3)
    np.testing.assert_allclose(function(X), before * 3, rtol=1e-6)
    assert len(function.compilations) == 2
    with use_backend("numpy"):
        weight.assign_add(np.ones((4, 2), "float32"))
    np.testing.assert_allclose(function(X), before * 4, rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: DRAW((2,), np.array([1, 2])) + x[0, :2], "random"),
        (lambda x: ops.cast(x, "float64") + 1, "float64"),
        (lambda x: np.sin(x), "ufunc"),
        (lambda x: x if ops.sum(x) > 100 else -x, "value"),
    ],
    ids=["random", "float64", "numpy", "branch"],
)  # fmt: skip
def test_what_onnx_lacks_runs_on_numpy_with_one_warning(function: Any, reason: str) -> None:
    with use_backend("numpy"):
        want = function(X)
    with use_backend("openvino") as backend:
        compiled = backend.jit(function)
        with pytest.warns(RuntimeWarning, match=reason):
            np.testing.assert_array_equal(compiled(X), want)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(compiled(X), want)
    assert compiled.compilations == []


def test_errors_of_the_function_are_raised_as_they_are(backend: Any) -> None:
    with pytest.raises(ValueError, match="matmul"):
        backend.jit(lambda x: ops.matmul(x, x))(X)


def test_arguments_that_cannot_be_hashed_are_refused(backend: Any) -> None:
    with pytest.raises(TypeError, match="got set"):
        backend.jit(lambda x, s: x)(X, {1, 2})


def test_integers_beyond_24_bits_are_exact(backend: Any) -> None:
    x = np.array([2**24 + 1, -(2**31), 2**40 + 1])
    np.testing.assert_array_equal(backend.jit(ops.negative)(x), -x)


def test_it_steps_aside_in_scopes_and_under_other_backends(backend: Any) -> None:
    v = Variable(1.0, name="v")
    function = backend.jit(lambda x: x + v)
    with Scope([(v, np.float32(5.0).reshape(()))]):
        np.testing.assert_allclose(function(X), X + 5)
    with use_backend("numpy"):
        np.testing.assert_allclose(function(X), X + 1)
    assert function.compilations == []
    outer = backend.jit(lambda x: function(x) * 2)
    np.testing.assert_allclose(outer(X), (X + 1) * 2)
    assert len(outer.compilations) == 1


def test_eager_operations_and_variables_are_numpy(backend: Any) -> None:
    v = Variable([1.0, 2.0], name="v")
    assert isinstance(ops.exp(v), np.ndarray)
    assert backend.home is load("numpy") and v.storage() is v.tensor()
    assert not backend.trains and backend.computes
    with pytest.raises(RuntimeError, match="does not differentiate"):
        backend.value_and_grad(lambda: None, None, 0)


def test_threads_share_a_program(backend: Any) -> None:
    function = backend.jit(lambda x: ops.tanh(ops.matmul(x, Y.T)))
    wrong: list[int] = []

    def work(n: int) -> None:
        with use_backend("openvino"):
            x = np.full((n, 4), n / 10, "float32")
            for _ in range(50):
                if not np.allclose(function(x), np.tanh(x @ Y.T), atol=1e-6):
                    wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(function.compilations) == 1
