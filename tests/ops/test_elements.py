"""What the table can't express of operations on each element: kinks, bits, bounds, refusals."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from kerata import ops
from kerata.backends import dtypes
from kerata.backends.registry import load, use_backend
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import grad
from kerata.core.variable import Variable
from tests.ops.deviations import kept_dtype

# At x = -1, 0, 0, 6: the gradients of the sum, whichever engine differentiates.
KINKS = {
    "absolute": [-1, 0, 0, 1],
    "relu": [0, 0, 0, 1],
    "relu6": [0, 0, 0, 0],
    "sign": [0, 0, 0, 0],
    "cbrt": [1 / 3, 1, 1, 6 ** (-2 / 3) / 3],
    "sinc": [1, 0, 0, 1 / 6],
    "i0": [-0.5651591, 0, 0, 61.341937],
    "round": [0, 0, 0, 0],
    "angle": [0, 0, 0, 0],
    "trunc": [0, 0, 0, 0],
    "elu": [np.exp(-1), 1, 1, 1],
    "softplus": [0.2689414, 0.5, 0.5, 0.9975274],
}


def gradients(function: Any, *arrays: np.ndarray) -> list[np.ndarray]:
    """The gradients of the sum of `function` with respect to each array."""
    tensors = [ops.convert_to_tensor(a) for a in arrays]
    places = tuple(range(len(arrays)))
    found = grad(lambda *xs: ops.sum(function(*xs)), argnums=places)(*tensors)
    return [ops.convert_to_numpy(g) for g in found]


@pytest.mark.parametrize("name", KINKS)
def test_gradients_at_kinks(training_backend, name):
    x = np.array([-1, 0, -0.0, 6], "float32")
    with use_backend(training_backend):
        (found,) = gradients(getattr(ops, name), x)
    np.testing.assert_allclose(found, KINKS[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin", "logaddexp"])
def test_equal_operands_share_the_gradient(training_backend, name):
    x = np.array([0.0, 2.0, -3.0], "float32")
    with use_backend(training_backend):
        first, second = gradients(getattr(ops, name), x, x)
    np.testing.assert_allclose(first, [0.5] * 3)
    np.testing.assert_allclose(second, [0.5] * 3)


def test_gradients_of_the_bounds_of_clip(training_backend):
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0], "float32")
    with use_backend(training_backend):
        (by_numbers,) = gradients(lambda x: ops.clip(x, -1.0, 1.0), x)
        by_tensors = gradients(ops.clip, x, np.full(5, -1, "float32"), np.full(5, 1, "float32"))
    np.testing.assert_array_equal(by_numbers, [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(by_tensors, [[0, 1, 1, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]])


def test_gradient_of_hypot_is_finite(training_backend):
    with use_backend(training_backend):
        found = gradients(ops.hypot, np.zeros(1, "float32"), np.zeros(1, "float32"))
    np.testing.assert_array_equal(found, [[0], [0]])


def test_gradients_through_complex_numbers(training_backend):
    """Of the real part of `z³` and of the imaginary part of the conjugate's exponential."""
    x, y = np.array([0.5, -1.0], "float32"), np.array([2.0, 0.25], "float32")
    z = x + 1j * y

    def cube(a: Any, b: Any) -> Any:
        z = ops.view_as_complex(ops.stack([a, b], -1))
        return ops.real(z * z * z) + ops.imag(ops.exp(ops.conj(z)))

    with use_backend(training_backend):
        by_x, by_y = gradients(cube, x, y)
    np.testing.assert_allclose(by_x, (3 * z**2).real - np.exp(x) * np.sin(y), rtol=1e-5)
    np.testing.assert_allclose(by_y, (3j * z**2).real - np.exp(x) * np.cos(y), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_nextafter_is_one_bit_away(backend, dtype):
    kind = dtypes.numpy_dtype(kept_dtype(backend.name, dtype))
    x = np.array([1.0, -1.0, 0.0, -0.0, 3.0, np.inf, 2.5], kind)
    y = np.array([2.0, -2.0, 1.0, -1.0, 3.0, 0.0, np.nan], kind)
    wanted = np.nextafter(x, y)
    results = [ops.nextafter(x, y)]
    if "numpy" not in backend.home.name or dtype != "bfloat16":  # in which NumPy runs no bodies
        with ops.without_overrides():
            results.append(ops.nextafter(x, y))
    for found in map(backend.to_numpy, results):
        same = found.view(f"i{kind.itemsize}") == wanted.view(f"i{kind.itemsize}")
        assert same[:-1].all() and np.isnan(found[-1])


def test_view_keeps_the_bits_of_nan(backend):
    bits = np.array([0x7FC01234, 0x7F800000], "int32")
    again = ops.view(ops.view(backend.convert(bits), "float32"), "int32")
    np.testing.assert_array_equal(backend.to_numpy(again), bits)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64"])
def test_saturate_cast_reaches_the_bounds(backend, dtype):
    kept = kept_dtype(backend.name, dtype)
    x = backend.convert(np.array([-1e30, 1e30, np.nan, 7.9], "float32"))
    found = backend.to_numpy(ops.saturate_cast(x, dtype)).tolist()
    assert found == [*dtypes.bounds(kept), 0, 7]


def test_nan_to_num_takes_the_bounds_of_the_dtype(backend):
    x = np.array([np.inf, -np.inf, np.nan, 1.0])
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        kept = kept_dtype(backend.name, dtype)
        low, high = dtypes.bounds(kept)
        y = ops.nan_to_num(backend.convert(x.astype(dtypes.numpy_dtype(kept))))
        assert backend.to_numpy(y).astype("float64").tolist() == [high, low, 0.0, 1.0]


def test_negative_powers_of_integers(backend):
    x = backend.convert(np.array([1, -1, 2, -1], "int32"))
    assert backend.to_numpy(ops.power(x, -3)).tolist() == [1, -1, 0, -1]
    assert backend.to_numpy(ops.power(2, x)).tolist() == [2, 0, 4, 0]


def test_python_zero_divides_integers(backend):
    x = backend.convert(np.array([7, -7], "int32"))
    for divide in (ops.floor_divide, ops.mod, ops.fmod):
        assert backend.to_numpy(divide(x, 0)).tolist() == [0, 0]


def test_windows_take_tensors_and_floatx(backend, monkeypatch):
    assert backend.to_numpy(ops.bartlett(backend.convert(5))).tolist() == [0, 0.5, 1, 0.5, 0]
    with pytest.raises(
        TypeError, match=r"hamming: x must be an int, the number of points; got 2.5"
    ):
        ops.hamming(2.5)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ops.bitwise_and(1.5, 2), TypeError, "bitwise_and is not defined for anything but"),
        (lambda: ops.bitwise_invert(1.5), TypeError, "bitwise_invert: x must be an integer or bool"),
        (lambda: ops.bitwise_left_shift(1, 2.0), TypeError, "bitwise_left_shift is not defined"),
        (lambda: ops.gcd(1.5, 2), TypeError, "gcd: x1 and x2 must be integers; got float32"),
        (lambda: ops.lcm(True, False), TypeError, "lcm: x1 and x2 must be integers; got bool"),
        (lambda: ops.ldexp(1.0, 2.0), TypeError, "ldexp: x2 must be integers; got float32"),
        (lambda: ops.floor_divide(1j, 2), TypeError, "floor_divide is not defined for complex"),
        (lambda: ops.arctan2(1j, 2), TypeError, "arctan2 is not defined for complex numbers"),
        (lambda: ops.erfc(1j), TypeError, "erfc is not defined for complex numbers"),
        (lambda: ops.hypot(1j, 2), TypeError, "hypot is not defined for complex numbers"),
        (lambda: ops.signbit(1j), TypeError, "signbit is not defined for complex numbers"),
        (lambda: ops.polar(1j, 2), TypeError, "polar is not defined for complex numbers"),
        (lambda: ops.subtract(True, False), TypeError, "subtract is not defined for booleans"),
        (lambda: ops.negative(True), TypeError, "negative is not defined for booleans"),
        (lambda: ops.view_as_complex([1.0, 2.0, 3.0]), ValueError,
         r"view_as_complex: the last axis of x must have two entries; got \(3,\) float32"),
        (lambda: ops.view_as_complex([1j, 2j]), TypeError, "view_as_complex: x must be real"),
        (lambda: ops.view(1.0, "uint8"), ValueError, "view: a tensor without axes keeps its size"),
        (lambda: ops.view(np.zeros((2, 3), "uint8"), "int16"), ValueError,
         r"view: the 1-byte entries of the last axis of \(2, 3\) uint8 don't divide into 2 bytes"),
        (lambda: ops.hypot(np.zeros(2), np.zeros(3)), ValueError, r"the shapes .* don't broadcast"),
    ],
)  # fmt: skip
def test_refusals(backend, call, error, text):
    with pytest.raises(error, match=text):
        call()


INTEGERS = np.array([12, -7, 3], "int32")
TRUTHS = np.array([True, False, True])
OPERATORS = {
    "and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b,
    "left": lambda a, b: a << b, "right": lambda a, b: a >> b, "invert": lambda a, b: ~a,
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_on_bits(backend, name):
    """Of variables with the engine's tensors, as NumPy's of its arrays."""
    f, other = OPERATORS[name], np.array([10, 2, 1], "int32")
    variable = Variable(INTEGERS, dtype="int32", trainable=False)
    found = f(variable, backend.convert(other))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), f(INTEGERS, other))
    if name not in ("left", "right"):
        variable = Variable(TRUTHS, dtype="bool", trainable=False)
        found = f(variable, backend.convert(~TRUTHS[::-1]))
        np.testing.assert_array_equal(ops.convert_to_numpy(found), f(TRUTHS, ~TRUTHS[::-1]))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_on_bits_are_symbolic(name):
    x, y = KerasTensor((None, 3), "int32"), KerasTensor((3,), "int8")
    found = OPERATORS[name](x, y)
    assert (found.shape, found.dtype) == ((None, 3), "int32")
    if name not in ("left", "right"):
        assert OPERATORS[name](KerasTensor((3,), "bool"), KerasTensor((3,), "bool")).dtype == "bool"
    assert (2 | x).dtype == (2 ^ x).dtype == (1 << x).dtype == "int32"


def test_bodies_in_float32_keep_other_dtypes():
    """NumPy's backend runs bodies for bfloat16 in float32, whose results need not be floats."""
    x = np.array([1.0, 2.0], ml_dtypes.bfloat16)
    with use_backend("numpy"):
        assert ops.isclose(x, x).dtype == bool
        assert ops.polar(x, x).dtype == np.complex64
        assert ops.hypot(x, x).dtype == ml_dtypes.bfloat16


def test_work_is_counted():
    from kerata.backends.abstract.backend import AbstractTensor, counting
    from kerata.backends.registry import using

    with using(load("abstract")), counting() as counts:
        ops.tan(AbstractTensor((4, 5), "float32"))
        ops.view(AbstractTensor((4, 5), "float32"), "int32")
    assert counts.flops == 20
