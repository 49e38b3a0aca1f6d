"""The TensorFlow backend: its kernels against NumPy's, and what is its own."""

import inspect

import ml_dtypes
import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from kerata import ops
from kerata.backends.registry import load, use_backend
from kerata.backends.state import operations, state
from kerata.core.variable import Variable

_random = np.random.default_rng(0)


def _f(*shape, dtype="float32"):
    return _random.standard_normal(shape).astype(dtype)


def _i(*values, dtype="int32"):
    return np.array(values, dtype)


X, Y, M = _f(3, 4), _f(3, 4), _f(2, 3, 4)
POSITIVE = np.abs(X) + 0.1
NAN = np.array([[1.0, np.nan, 3.0], [4.0, 2.0, np.inf]], "float32")
INTS, SIGNED = _i(5, -5, 7, -7), _i(3, 3, -2, -2)
SMALL = _i(200, 100, 3, dtype="uint8")
TIES = _i([1, 3, 3, 0], [2, 2, 2, 2])
WORD = np.array([True, False, True])
IMAGE, VOLUME, LINE = _f(2, 7, 6, 4), _f(2, 5, 6, 4, 2), _f(2, 9, 4)
BF16 = X.astype(ml_dtypes.bfloat16)
SEED = _i(7, 1)
NONE = slice(None)

CASES = [
    *((n, (X, Y)) for n in ("add", "subtract", "multiply", "true_divide", "maximum", "minimum")),
    *((n, (X, 2.5)) for n in ("add", "subtract", "floor_divide", "mod", "equal", "less_equal")),
    *((n, (2.5, X)) for n in ("add", "subtract", "true_divide", "floor_divide", "mod", "greater")),
    *((n, (INTS, SIGNED)) for n in ("add", "floor_divide", "mod", "less", "maximum", "not_equal")),
    *((n, (INTS, _i(0, 1, 0, 2))) for n in ("floor_divide", "mod", "logical_and", "logical_or")),
    *((n, (SMALL, SMALL)) for n in ("add", "subtract", "multiply", "maximum", "greater_equal")),
    *((n, (WORD, WORD[::-1])) for n in ("add", "multiply", "logical_or", "maximum", "less")),
    *((n, (NAN, NAN[::-1])) for n in ("maximum", "minimum", "equal")),
    *((n, (X.astype("float16"), 2.5)) for n in ("add", "multiply", "power", "greater")),
    ("power", (POSITIVE, Y)), ("power", (SMALL, 2)), ("add", (X, Y[0])),
    ("floor_divide", (_i(1.0, -1, 7, 1, dtype="float32"), _i(0.1, np.inf, -2, 0, dtype="float32"))),
    *((n, (x,)) for n in ("negative", "absolute", "sign") for x in (X, INTS, BF16, NAN)),
    *((n, (SMALL,)) for n in ("absolute", "sign", "logical_not", "isnan", "floor")),
    *((n, (X * 3,)) for n in ("floor", "ceil", "round", "exp", "expm1", "tanh", "erf", "sin", "cos")),
    *((n, (POSITIVE,)) for n in ("log", "log1p", "sqrt", "rsqrt")),
    ("erfinv", (np.tanh(X),)), ("isnan", (NAN,)), ("logical_not", (INTS,)),
    ("round", (_i(0.5, 1.5, -2.5, dtype="float32"),)), ("round", (X, 2)), ("round", (_i(15, 25), -1)),
    ("where", (X > 0, X, 1.0)), ("where", (INTS, INTS, SIGNED)), ("cast", (X * 3, "int32")),
    ("cast", (X, "bool")), ("cast", (INTS, "bfloat16")), ("stop_gradient", (X,)),
    *((n, (M, a, k)) for n in ("sum", "prod", "mean", "max", "min", "any", "all")
      for a, k in ((None, False), (1, True), ((0, -1), False), ([1], False))),
    *((n, (SMALL,)) for n in ("sum", "prod", "max", "mean", "any")), ("sum", (WORD,)),
    ("sum", (BF16, 0)), ("max", (NAN, 1)), ("min", (NAN, 0)), ("max", (WORD,)), ("sum", (X, ())),
    ("max", (np.zeros((0, 2), "float32"), 0, False, 1.0)), ("prod", (INTS, None, False, "float32")),
    *((n, (x, a)) for n in ("argmax", "argmin") for x in (M, TIES, NAN) for a in (None, -1, 0)),
    ("argmax", (M, 1, True)), ("argmax", (M, None, True)), ("cumsum", (M,)), ("cumsum", (SMALL, 0)),
    ("cumsum", (M, -1)), ("reshape", (M, (4, -1))), ("reshape", (M, 24)), ("transpose", (M,)),
    ("transpose", (M, (1, -1, 0))), ("broadcast_to", (X, (2, 3, 4))), ("expand_dims", (X, -1)),
    ("expand_dims", (X, (0, 2))), ("squeeze", (X[None, :, None],)), ("squeeze", (X[None], 0)),
    ("squeeze", (X, ())), ("concatenate", ([X, Y], -1)), ("concatenate", ([X],)),
    ("stack", ([X, Y], 1)), ("stack", ([X[0, 0], 1.0],)), ("unstack", (M, None, 1)),
    ("split", (M, 2, -1)), ("split", (M, [1, 3], -1)), ("split", (M, [-1], 1)),
    *(("getitem", (M, k)) for k in (
        1, (0, -1), (NONE, slice(None, None, -1)), (Ellipsis, 1), (None, NONE, 2), slice(0, 9, 2),
        _i(1, 0, -1), (NONE, _i(2, 0)), (_i([0], [1]), _i(1, 2)), (0, NONE, _i(1, 3)), M > 0,
        (Ellipsis, slice(3, 0, -2)), (_i(0, 1), NONE, _i(3, -1)), (NONE, WORD), [0, 1])),
    ("pad", (X, 1)), ("pad", (X, ((1, 0), (0, 2)), "constant", 3)), ("pad", (X, (1, 2), "reflect")),
    ("pad", (X, ((1, 1), (2, 2)), "symmetric")), ("flip", (M,)), ("flip", (M, (0, -1))),
    ("repeat", (X, 2)), ("repeat", (M, 3, -2)), ("tile", (X, 2)), ("tile", (X, (2, 1, 3))),
    ("tile", (M, (2, 1))), ("take", (M, _i(0, -1, 5, -9))), ("take", (M, _i([0, -1], [9, -9]), 1)),
    ("take_along_axis", (M, _i([[0, -1, 9, -9]], [[1, 1, 2, 0]]), 1)),
    ("take_along_axis", (X, _i([0], [-1], [2]))), ("take_along_axis", (X, _i([0, 1]), 1)),
    ("arange", (5,)), ("arange", (1, 7, 2)), ("arange", (0.0, 1.0, 0.1)), ("arange", (3, None, None, "uint8")),
    ("full", ((2, 3), 2.5)), ("full", ((2,), 3, "bfloat16")), ("full", ((2, 2), _i(1, 2))),
    ("matmul", (X, Y.T)), ("matmul", (M, Y.T)), ("matmul", (M, _f(2, 4, 5))), ("matmul", (X[0], Y[1])),
    ("matmul", (X[0], _f(2, 4, 5))), ("matmul", (M, X[0])), ("matmul", (SMALL[None], SMALL[:, None])),
    ("einsum", ("ij,kj->ik", X, Y)), ("einsum", ("bij,jk", M, Y.T)), ("einsum", ("...i->...", M)),
    ("einsum", ("i,i->", SMALL, SMALL)),
    *(("conv", (x, _f(*k), *rest)) for x, k, *rest in (
        (IMAGE, (3, 3, 4, 5)), (IMAGE, (3, 2, 4, 5), 2, "same"), (IMAGE, (3, 3, 2, 6), 1, "same"),
        (IMAGE, (3, 3, 1, 8), 2, "same"), (IMAGE, (2, 2, 1, 4), (1, 2)), (IMAGE, (2, 2, 4, 3), 1, "valid", None, 2),
        (IMAGE, (3, 3, 1, 4), 1, "same", None, (2, 1)), (LINE, (3, 4, 5), 2, "same"),
        (LINE, (3, 1, 8), 2), (LINE, (2, 2, 4), 1, "valid", None, 3), (VOLUME, (2, 2, 2, 2, 3), 2, "same"),
        (VOLUME, (2, 2, 2, 2, 3), 1, "same", None, 2), (VOLUME, (2, 2, 2, 1, 4)),
        (np.moveaxis(IMAGE, -1, 1), (3, 3, 2, 6), 2, "same", "channels_first"),
        (IMAGE.astype("float64"), (2, 2, 2, 4), 1, "same", None, 2))),
    *((n, (x, 2, *rest)) for n in ("max_pool", "average_pool") for x, *rest in (
        (IMAGE,), (IMAGE, 1, "same"), (LINE, 3, "same"), (VOLUME,), (VOLUME, 1, "same"),
        (np.moveaxis(IMAGE, -1, 1), 2, "same", "channels_first"), (VOLUME.astype("float64"),))),
    ("max_pool", (INTS.reshape(1, 4, 1), 2)), ("average_pool", (BF16[None, :, :, None], (2, 1), 1)),
    ("scan", (lambda c, x: (c + x["a"], (c, x["a"] * 2)), np.zeros(4, "float32"), {"a": X})),
    ("scan", (lambda c, x: (c * 2, None), 1.0, None, 3)), ("scan", (lambda c, x: (c + x, c), X[0], X, None, True)),
    ("while_loop", (lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, X))),
    ("while_loop", (lambda x: x < 100, lambda x: x * 2, 1.0, 3)),
    ("cond", (True, lambda: X * ops.full((), 2.0), lambda: X)), ("cond", (0, lambda: [ops.full((), 1.0)], lambda: [ops.full((), 2.0)])),
]  # fmt: skip
COMPOSITES = [
    *((n, (x,)) for n in ("relu", "relu6", "softplus", "sigmoid", "selu", "softsign", "square",
                          "leaky_relu", "elu", "softmax", "log_softmax", "reciprocal", "isinf", "isfinite")
      for x in (X * 4, X.astype("float16"))),
    ("elu", (X, 0.3)), ("softmax", (M, 1)), ("log_softmax", (M, (0, 1))), ("relu", (INTS,)),
    ("clip", (X, -0.5, 0.5)), ("clip", (INTS, -6, 6)), ("clip", (X, Y, 2.0)), ("square", (WORD,)),
    ("divide", (X, 2)), ("divide_no_nan", (X, np.maximum(Y, 0))), ("isfinite", (INTS,)),
    ("one_hot", (_i(1, -1, 5, 0), 3)), ("one_hot", (X, 2)), ("one_hot", (TIES, 4, 1, "bool")),
    ("batch_normalization", (IMAGE, _f(4), np.abs(_f(4)), -1, _f(4), _f(4))),
    ("batch_normalization", (IMAGE, _f(7), np.abs(_f(7)), 1)), ("batch_normalization_training", (LINE, -1)),
    ("batch_normalization_training", (IMAGE, 3, _f(4), _f(4))), ("batch_normalization_training", (X, -1)),
]  # fmt: skip


def _names(cases):
    return [f"{i}-{name}" for i, (name, _) in enumerate(cases)]


def _check(found, wanted, exact=1e-6):
    if isinstance(wanted, (list, tuple)):
        for a, b in zip(found, wanted, strict=True):
            _check(a, b, exact)
    elif wanted is None:
        assert found is None
    else:
        found = ops.convert_to_numpy(found)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        rough = wanted.dtype.itemsize < 4 and wanted.dtype.kind not in "iub"
        exact = 2e-2 if rough else exact
        scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0) if wanted.dtype.kind == "f" else 1
        np.testing.assert_allclose(
            found.astype("float64"), wanted.astype("float64"), exact, exact * float(scale)
        )


@pytest.fixture
def tensorflow():
    with use_backend("tensorflow") as backend:
        yield backend


def _both(name, arguments):
    with use_backend("numpy"):
        wanted = operations[name](*arguments)
    with use_backend("tensorflow"):
        return operations[name](*arguments), wanted


@pytest.mark.filterwarnings("ignore:.*(divide|invalid|overflow)")
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=_names(CASES))
def test_primitives_agree_with_numpy(name, arguments):
    _check(*_both(name, arguments))


@pytest.mark.parametrize(("name", "arguments"), COMPOSITES, ids=_names(COMPOSITES))
def test_native_composites_agree_with_their_bodies(name, arguments, tensorflow):
    _check(*_both(name, arguments), 3e-6)


def test_every_primitive_has_a_kernel_with_its_signature(tensorflow):
    tested = {name for name, _ in CASES}
    for name, op in ops.primitives().items():
        parameters = list(inspect.signature(tensorflow.kernels[name]).parameters.values())
        assert [p.name for p in parameters] == list(op.parameters), name
        defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        assert defaults == op.defaults, name
        assert name in tested or name.startswith("random_"), name
