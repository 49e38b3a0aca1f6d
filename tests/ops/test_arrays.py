"""Statistics, creation and shaping: what the table of cases can't say."""

from __future__ import annotations

import numpy as np
import pytest

from kerata import ops
from kerata.backends.registry import load
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import grad
from kerata.core.variable import Variable

# NumPy warns of means of nothing.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
HOLES = np.array([[1.0, np.nan, 2.0, -3.0], [4.0, 5.0, 3.5, np.nan]], "float32")
FULL = np.array([[1.0, 2.0, -3.0], [4.0, 5.0, 3.5]], "float32")
CUBE = np.ones((2, 3, 4), "float32")
NONE = np.zeros((0, 3), "float32")


def values(x) -> list:
    return ops.convert_to_numpy(x).tolist()


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "max", "min", "median"])
def test_gradients_pass_by_nan(training_backend, name):
    """Those of a nan-operation are those of the plain one on what is left, and 0 at NaN."""
    convert = load(training_backend).convert

    def gradient(x, prefix):
        function = getattr(ops, prefix + name)
        return values(grad(lambda t: ops.sum(ops.square(function(t, axis=1))))(convert(x)))

    found = np.array(gradient(HOLES, "nan"))
    np.testing.assert_array_equal(found[np.isnan(HOLES)], 0.0)
    left = found[~np.isnan(HOLES)].reshape(FULL.shape)
    np.testing.assert_allclose(left, gradient(FULL, ""), rtol=1e-5)


def test_what_a_tensor_is(backend):
    x = ops.array([[1, 2, 3]])
    assert (ops.dtype(x), ops.ndim(x), ops.size(x)) == ("int32", 2, 3)
    assert (ops.dtype(2.5), ops.ndim(1), ops.size([1, 2])) == ("float32", 0, 2)
    assert ops.dtype(ops.array([1], dtype="float16")) == "float16"
    assert ops.is_tensor(x)
    symbolic = KerasTensor((None, 3), "uint8")
    assert not any(map(ops.is_tensor, ([1], 1.0, Variable([1.0]), symbolic)))
    assert (ops.dtype(symbolic), ops.ndim(symbolic)) == ("uint8", 2)
    count = ops.size(symbolic)
    assert (count.shape, count.dtype) == ((), "int32")
    assert ops.size(KerasTensor((2, 3))) == 6


def test_ragged_is_accepted(backend):
    assert values(ops.convert_to_tensor([1, 2], ragged=False)) == [1, 2]


def test_the_functions_with_open_argument_lists(backend):
    first, second = ops.meshgrid([1, 2], [3, 4, 5], indexing="ij")
    assert values(first) == [[1, 1, 1], [2, 2, 2]]
    assert values(second) == [[3, 4, 5]] * 2
    assert ops.meshgrid() == []
    x = ops.rearrange(ops.arange(6), "(a b) -> b a", a=2)
    assert values(x) == [[0, 3], [1, 4], [2, 5]]
    assert ops.rearrange(KerasTensor((None, 6)), "b (h w) -> b w h", h=2).shape == (None, 3, 2)


def test_repeats_and_shifts_as_tensors(backend):
    x = ops.array([1, 2, 3])
    assert values(ops.repeat(x, ops.array([2, 0, 1]))) == [1, 1, 3]
    assert values(ops.repeat(x, np.array([2, 0, 1]))) == [1, 1, 3]
    assert values(ops.roll(x, ops.array(1), 0)) == [3, 1, 2]


def test_statistics_of_nothing(backend):
    x = ops.array(NONE)
    for found in (ops.median(x, 0), ops.quantile(x, 0.5, 0), ops.nanmedian(x, 0), ops.mean(x, 0)):
        assert np.isnan(values(found)).all() and found.shape == (3,)
    assert values(ops.logsumexp(x, 0)) == [-np.inf] * 3


REFUSED = [
    (lambda: ops.max(NONE), "max: there is no element to find over axis None"),
    (lambda: ops.argmin(NONE, 0), "argmin: there is no element to find over axis 0"),
    (lambda: ops.sum(CUBE, (0, 0)), "sum: axis .0, 0. names one axis twice"),
    (lambda: ops.prod(CUBE, (0, -3)), "prod: axis .0, -3. names one axis twice"),
    (lambda: ops.cumprod(CUBE, 7), "cumprod: axis 7 is out of range"),
    (lambda: ops.quantile(CUBE, 1.5), "quantile: q must be between 0 and 1; got 1.5"),
    (lambda: ops.percentile(CUBE, -1), "percentile: q must be between 0 and 100; got -1"),
    (lambda: ops.quantile(CUBE, 0.5, method="hazen"), "quantile: method must be one of linear"),
    (lambda: ops.average(CUBE, weights=[1.0]), "average: weights must have the 3 axes of x"),
    (lambda: ops.histogram(CUBE, 0), "histogram: bins must be a positive int; got 0"),
    (lambda: ops.histogram(CUBE, 2, (3, 1)), "histogram: range must not fall"),
    (lambda: ops.correlate(CUBE, CUBE), "correlate: both tensors must have one axis; got 3, 3"),
    (lambda: ops.diff(CUBE, -1), "diff: n must not be negative; got -1"),
    (lambda: ops.diagonal(CUBE, 0, 1, 1), "diagonal: axis1 and axis2 must differ"),
    (lambda: ops.tril([1.0]), "tril: x must have two axes or more"),
    (lambda: ops.pad(CUBE, 1, "x"), "pad: mode must be one of constant, empty, .*got 'x'"),
    (lambda: ops.pad(CUBE, 1, "wrap", 2.0), "pad: constant_values are for the mode 'constant'"),
    (lambda: ops.pad(CUBE, -1), "pad: pad_width must not be negative; got -1"),
    (lambda: ops.pad(CUBE, ((1, 1), (1, 1))), "pad: pad_width must .* for each of 3 axes"),
    (lambda: ops.pad(NONE, ((1, 0), (0, 0)), "edge"), "pad: the mode 'edge' can't extend"),
    (lambda: ops.repeat(CUBE, [1, 2], 2), "repeat: repeats must have one number or 4; got 2"),
    (lambda: ops.roll(CUBE, (1, 2), (0, 1, 2)), "roll: shift must have one number for each"),
    (lambda: ops.rot90(CUBE, axes=(1, 1)), "rot90: axes must be two different ones"),
    (lambda: ops.linspace(0, 1, -1), "linspace: num must be an int, not negative; got -1"),
    (lambda: ops.geomspace(0, 1), "geomspace: start and stop must not be 0"),
    (lambda: ops.meshgrid([1], indexing="x"), "meshgrid: indexing must be 'xy' or 'ij'"),
    (lambda: ops.rearrange(CUBE, "a b c"), "rearrange: pattern must be 'from -> to'"),
    (lambda: ops.rearrange(CUBE, "a b c -> a b"), "rearrange: 'c' is on one side only"),
    (lambda: ops.rearrange(CUBE, "a (b c -> a b c"), "rearrange: a parenthesis is left open"),
    (lambda: ops.rearrange(CUBE, "a b (c d) -> a b c d"), "rearrange: give all lengths but one"),
    (lambda: ops.rearrange(CUBE, "a b (c d) -> a b c d", c=3), "rearrange: an axis of 4 is not"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[m.split(":")[0] for _, m in REFUSED])
def test_refused(backend, call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


@pytest.mark.parametrize("name", ["max", "argmin", "median", "histogram"])
def test_complex_numbers_have_no_order(backend, name):
    with pytest.raises(TypeError, match=f"^{name}: complex numbers have no order"):
        getattr(ops, name)(np.array([1j, 2.0], "complex64"))
