"""The TensorFlow backend: its kernels against NumPy's, and what is its own."""

import inspect

import ml_dtypes
import numpy as np
import pytest

from kerata import ops
from kerata.backends.abstract.tensor import AbstractTensor
from kerata.backends.registry import use_backend
from kerata.backends.scope import Scope
from kerata.backends.state import operations
from kerata.core.transforms import jit
from kerata.core.variable import Variable

tf = pytest.importorskip("tensorflow")

_random = np.random.default_rng(0)


def _f(*shape):
    return _random.standard_normal(shape).astype("float32")


def _i(*values, dtype="int32"):
    return np.array(values, dtype)


X, Y, M = _f(3, 4), _f(3, 4), _f(2, 3, 4)
POSITIVE, HALF, BF16 = np.abs(X) + 0.1, X.astype("float16"), X.astype(ml_dtypes.bfloat16)
NAN = np.array([[1.0, np.nan, 3.0], [4.0, 2.0, np.inf]], "float32")
INTS, SIGNED = _i(5, -5, 7, -7), _i(3, 3, -2, -2)
SMALL, TIES = _i(200, 100, 3, dtype="uint8"), _i([1, 3, 3, 0], [2, 2, 2, 2])
WORD = np.array([True, False, True])
IMAGE, VOLUME, LINE = _f(2, 7, 6, 4), _f(2, 5, 6, 4, 2), _f(2, 9, 4)
CHANNELS_FIRST, SEED, NONE = np.moveaxis(IMAGE, -1, 1), _i(7, 1), slice(None)

CASES = [
    *((n, (X, Y)) for n in ("add", "subtract", "multiply", "true_divide", "maximum", "minimum")),
    *((n, (X, 2.5)) for n in ("add", "subtract", "floor_divide", "mod", "equal", "less_equal")),
    *((n, (2.5, X)) for n in ("add", "subtract", "true_divide", "floor_divide", "mod", "greater")),
    *((n, (INTS, SIGNED)) for n in ("add", "floor_divide", "mod", "less", "maximum", "not_equal")),
    *((n, (INTS, _i(0, 1, 0, 2))) for n in ("floor_divide", "mod", "logical_and", "logical_or")),
    *((n, (SMALL, SMALL)) for n in ("add", "subtract", "multiply", "maximum", "greater_equal")),
    *((n, (WORD, WORD[::-1])) for n in ("add", "multiply", "logical_or", "maximum", "less")),
    *((n, (NAN, NAN[::-1])) for n in ("maximum", "minimum", "equal")),
    *((n, (HALF, 2.5)) for n in ("add", "multiply", "power", "greater")),
    ("power", (POSITIVE, Y)), ("power", (SMALL, 2)), ("add", (X, Y[0])),
    ("floor_divide", (_i(1.0, -1, 7, 1, dtype="float32"), _i(0.1, np.inf, -2, 0, dtype="float32"))),
    *((n, (x,)) for n in ("negative", "absolute", "sign") for x in (X, INTS, BF16, NAN)),
    *((n, (SMALL,)) for n in ("absolute", "sign", "logical_not", "isnan", "floor")),
    *((n, (X * 3,)) for n in ("floor", "ceil", "round", "exp", "expm1", "tanh", "erf", "sin")),
    *((n, (POSITIVE,)) for n in ("log", "log1p", "sqrt", "rsqrt", "cos")),
    ("erfinv", (np.tanh(X),)), ("isnan", (NAN,)), ("logical_not", (INTS,)), ("cast", (X, "bool")),
    ("round", (_i(0.5, 1.5, -2.5, dtype="float32"),)), ("round", (X, 2)),
    ("round", (_i(15, 25), -1)), ("where", (X > 0, X, 1.0)), ("where", (INTS, INTS, SIGNED)),
    ("cast", (X * 3, "int32")), ("cast", (INTS, "bfloat16")), ("stop_gradient", (X,)),
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
    ("arange", (5,)), ("arange", (1, 7, 2)), ("arange", (0.0, 1.0, 0.1)),
    ("arange", (3, None, None, "uint8")), ("full", ((2, 3), 2.5)), ("full", ((2,), 3, "bfloat16")),
    ("full", ((2, 2), _i(1, 2))), ("matmul", (X, Y.T)), ("matmul", (M, Y.T)),
    ("matmul", (M, _f(2, 4, 5))), ("matmul", (SMALL[None], SMALL[:, None])),
    ("matmul", (X[0], _f(2, 4, 5))), ("matmul", (M, X[0])), ("matmul", (X[0], Y[1])),
    ("einsum", ("ij,kj->ik", X, Y)), ("einsum", ("bij,jk", M, Y.T)), ("einsum", ("...i->...", M)),
    ("einsum", ("i,i->", SMALL, SMALL)),
    *(("conv", (x, _f(*k), *rest)) for x, k, *rest in (
        (IMAGE, (3, 3, 4, 5)), (IMAGE, (3, 2, 4, 5), 2, "same"), (IMAGE, (3, 3, 2, 6), 1, "same"),
        (IMAGE, (3, 3, 1, 8), 2, "same"), (IMAGE, (2, 2, 1, 4), (1, 2)),
        (IMAGE, (2, 2, 4, 3), 1, "valid", None, 2), (IMAGE, (3, 3, 1, 4), 1, "same", None, (2, 1)),
        (LINE, (3, 4, 5), 2, "same"), (LINE, (3, 1, 8), 2), (LINE, (2, 2, 4), 1, "valid", None, 3),
        (VOLUME, (2, 2, 2, 2, 3), 2, "same"), (VOLUME, (2, 2, 2, 1, 4)),
        (VOLUME, (2, 2, 2, 2, 3), 1, "same", None, 2),
        (CHANNELS_FIRST, (3, 3, 2, 6), 2, "same", "channels_first"),
        (IMAGE.astype("float64"), (2, 2, 2, 4), 1, "same", None, 2))),
    *((n, (x, 2, *rest)) for n in ("max_pool", "average_pool") for x, *rest in (
        (IMAGE,), (IMAGE, 1, "same"), (LINE, 3, "same"), (VOLUME,), (VOLUME, 1, "same"),
        (CHANNELS_FIRST, 2, "same", "channels_first"), (VOLUME.astype("float64"),))),
    ("max_pool", (INTS.reshape(1, 4, 1), 2)), ("average_pool", (HALF[None, :, :, None], (2, 1), 1)),
    ("scan", (lambda c, x: (c + x["a"], (c, x["a"] * 2)), np.zeros(4, "float32"), {"a": X})),
    ("call_with_gradient", (lambda x, y: (x * y, lambda g: (g, g)), (X, X))),
    ("scan", (lambda c, x: (c * 2, None), 1.0, None, 3)),
    ("scan", (lambda c, x: (c + x, c), X[0], X, None, True)),
    ("while_loop", (lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, X))),
    ("while_loop", (lambda x: x < 100, lambda x: x * 2, 1.0, 3)),
    *(("cond", (p, lambda: [ops.ones(2), None], lambda: [ops.zeros(2), None])) for p in (True, 0)),
]  # fmt: skip
COMPOSITES = [
    *((n, (x,)) for n in ("relu", "relu6", "softplus", "sigmoid", "selu", "softsign", "square",
                          "leaky_relu", "elu", "softmax", "log_softmax", "reciprocal", "isinf",
                          "isfinite") for x in (X * 4, HALF)),
    ("elu", (X, 0.3)), ("softmax", (M, 1)), ("log_softmax", (M, (0, 1))), ("relu", (INTS,)),
    ("clip", (X, -0.5, 0.5)), ("clip", (INTS, -6, 6)), ("clip", (X, Y, 2.0)), ("square", (WORD,)),
    ("divide", (X, 2)), ("divide_no_nan", (X, np.maximum(Y, 0))), ("isfinite", (INTS,)),
    ("one_hot", (_i(1, -1, 5, 0), 3)), ("one_hot", (X, 2)), ("one_hot", (TIES, 4, 1, "bool")),
    *(("batch_normalization_training", a) for a in ((LINE, -1), (IMAGE, 3, _f(4), _f(4)), (X, -1))),
]  # fmt: skip


def _check(found, wanted, exact=1e-6):
    assert (found is None) == (wanted is None)
    if wanted is None or isinstance(wanted, (list, tuple)):
        return [_check(a, b, exact) for a, b in zip(found or (), wanted or (), strict=True)]
    found = ops.convert_to_numpy(found)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    if wanted.dtype.itemsize < 4 and wanted.dtype.kind not in "iub":
        exact = 2e-2 if wanted.dtype == ml_dtypes.bfloat16 else 2e-3
    found, wanted = found.astype("float64"), wanted.astype("float64")
    scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0)
    return np.testing.assert_allclose(found, wanted, exact, exact * float(scale))


@pytest.fixture
def tensorflow():
    with use_backend("tensorflow") as backend:
        yield backend


@pytest.mark.parametrize(
    ("name", "arguments"), CASES + COMPOSITES, ids=[name for name, _ in CASES + COMPOSITES]
)
def test_kernels_agree_with_numpy(name, arguments, tensorflow):
    exact = 1e-6 if name in ops.primitives() else 3e-6
    with use_backend("numpy"):
        wanted = operations[name](*arguments)
    _check(operations[name](*arguments), wanted, exact)
    _check(tensorflow.jit(lambda: operations[name](*arguments))(), wanted, exact)


@pytest.mark.parametrize("name", ["relu", "relu6", "elu", "leaky_relu", "sigmoid", "tanh"])
def test_nan_survives_what_graphs_fuse(name, tensorflow):
    run = tensorflow.jit(lambda x: operations[name](ops.matmul(x, ops.ones((2, 8))) + ops.ones(8)))
    assert np.isnan(ops.convert_to_numpy(run(NAN[:1, 1:]))).all()


def test_kernels_take_what_their_operations_take(tensorflow):
    for name, op in (ops.primitives() | ops.composites()).items():
        if name not in tensorflow.kernels:
            continue
        parameters = list(inspect.signature(tensorflow.kernels[name]).parameters.values())
        assert len(parameters) == len(op.parameters), name
        defaults = {
            p: k.default for p, k in zip(op.parameters, parameters) if k.default is not k.empty
        }
        # Operations, which no backend can name, are always given.
        wanted = {p: None if callable(d) else d for p, d in op.defaults.items()}
        assert defaults == wanted, name


def test_open_sizes_stay_open(tensorflow):
    @tf.function(input_signature=[tf.TensorSpec([None, None, 4])], autograph=False)
    def run(x):
        batch, length, width = ops.shape(x)
        flat = ops.reshape(x, (batch * length, width))
        wide = ops.concatenate([ops.repeat(flat, 2, 0), ops.zeros((batch, width))])
        drawn = operations["random_bernoulli"]((batch, 3), 1.0, [1, 2])
        total = ops.scan(lambda c, r: (c + r, r), 0 * x[0], x)[0]
        return ops.matmul(x, ops.ones((4, 2))), ops.take(wide, ops.arange(batch), 0), total, drawn

    wanted = [M @ np.ones((4, 2), "float32"), np.repeat(M.reshape(6, 4), 2, 0)[:2], M.sum(0)]
    _check(run(M), [*wanted, np.ones((2, 3), bool)])


def test_draws_have_their_distributions(tensorflow):
    draws = [("uniform", (40, 500), SEED), ("uniform", (40, 500), [7, 2])]
    draws += [("normal", (40, 500), SEED, "float64"), ("randint", (999,), 3, 6, SEED, "uint8")]
    draws += [("bernoulli", (40, 501), p, SEED) for p in (0, 0.3, 1)]
    found = [ops.convert_to_numpy(operations[f"random_{n}"](*rest)) for n, *rest in draws]
    uniform, other, normal, ints, none, some, every = found
    assert uniform.min() >= 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.01
    assert normal.dtype == "float64" and abs(normal.mean()) < 0.03 and abs(normal.std() - 1) < 0.03
    assert ints.dtype == "uint8" and set(ints) == {3, 4, 5} and (uniform != other).any()
    assert not none.any() and abs(some.mean() - 0.3) < 0.02 and every.all()


def test_gradients_eager_compiled_and_in_a_scope(tensorflow):
    w, b, x = Variable(_f(4, 2)), Variable(_f(2)), ops.convert_to_tensor(X)
    count = Variable(0, dtype="int32", trainable=False)

    def loss(x):
        count.assign_add(1)
        y = ops.tanh(ops.matmul(x, w) + b)
        return ops.sum(y * y), y

    differentiated = tensorflow.value_and_grad(loss, [w, b], 0)
    gradients = [ops.convert_to_numpy(g) for g in differentiated(x)[1]]
    for variable, gradient in zip((w, b), gradients, strict=True):
        start, ends = variable.numpy(), []
        for step in (1e-3, -1e-3):
            variable.assign(start + step * np.sign(gradient))
            ends.append(float(loss(x)[0]))
        variable.assign(start)
        assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(np.abs(gradient).sum(), 1e-2)
    count.assign(0)
    again = tensorflow.value_and_grad(lambda x: tensorflow.checkpoint(loss)(x), [w, b], 0)
    for f in (again, tensorflow.jit(differentiated), tensorflow.jit(again)):
        _check(f(x)[1], gradients)
    _check(tensorflow.jit(differentiated, jit_compile=True)(x)[1], gradients, 1e-5)
    assert int(count) == 4
    with Scope([(v, v.value) for v in (w, b, count)]) as scope:
        w.storage().assign(w.value * 0)
        _check(differentiated(x)[1], gradients)
        assert int(scope.read(count)) == 5


def test_gradients_of_arguments_of_gradients_and_where_nothing_is_connected(tensorflow):
    x, table, count = ops.ones((2,)), Variable(_f(5, 2)), Variable(3, trainable=False)
    twelve = np.full(2, 12.0, "float32")
    cubed = tensorflow.value_and_grad(lambda a, b: (ops.sum(a["x"] ** 3 * b), None), None, (0, 1))
    found = cubed({"x": x * 2}, x)[1]
    _check([found[0]["x"], found[1]], [twelve, twelve / 1.5])
    slope = tensorflow.value_and_grad(lambda x: (ops.sum(x**3), None), None, 0)
    curve = tensorflow.value_and_grad(lambda x: (ops.sum(slope(x)[1]), None), None, 0)
    _check(curve(x * 2)[1], twelve)
    looked_up = lambda: (ops.sum(table[[0, 0, 2]]), None)  # noqa: E731
    found = tensorflow.value_and_grad(looked_up, [table, count], 0)()[1]
    _check(found, [np.outer([2, 0, 1, 0, 0], [1, 1]).astype("float32"), np.int32(0)])


def test_a_program_follows_shapes_static_values_and_moved_variables(tensorflow):
    total, drawn = Variable(np.zeros(2)), Variable("ones", shape=(2,), dtype="float64")

    def step(x, scale, double=False):
        total.assign_add(ops.sum(x, 0) * scale * (2 if double else 1) * drawn)
        return {"total": total.value, "name": "step", "none": None}

    compiled, version = tensorflow.jit(step), total.version
    for rows, scale in ((3, 1.0), (3, 2.0), (4, 1.0)):
        result = compiled(np.ones((rows, 2), "float32"), scale)
    assert total.numpy().tolist() == [13, 13] == result["total"].numpy().tolist()
    assert (result["name"], result["none"], len(compiled.compilations)) == ("step", None, 2)
    assert compiled.compilations[1] == "(4, 2) float32, () float32" and total.version > version
    with use_backend("numpy"):
        total.assign(total.value * 0)
    compiled(np.ones((3, 2), "float32"), 1.0)
    assert total.numpy().tolist() == [3, 3] and len(compiled.compilations) == 2
    compiled(np.ones((3, 2), "float32"), 1.0, double=True)
    assert total.numpy().tolist() == [9, 9] and len(compiled.compilations) == 3


def test_repeat_runs_every_row_and_returns_the_last_result(tensorflow):
    total = Variable(np.zeros(4, "float32"))

    def step(row):
        total.assign(total.value * 0.5 + row["x"])
        return ops.sum(total.value)

    wanted = X[0] / 4 + X[1] / 2 + X[2]
    for run in (tensorflow.repeat, tensorflow.jit(lambda f, rows: tensorflow.repeat(f, rows))):
        total.assign(np.zeros(4))
        _check(run(step, {"x": ops.convert_to_tensor(X)}), wanted.sum())
        _check(total.value, wanted)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov", "adam"])
def test_fused_updates_agree_with_the_composites(rule, tensorflow):
    def run(transform):
        gradients = [ops.convert_to_tensor(g) for g in (X, Y)]
        w, m, v = ([Variable(a), Variable(b)] for a, b in (M, 0 * M, 0 * M))

        def update(step):
            if rule == "adam":
                operations["adam_update"](w, gradients, m, v, [], step, 0.1, 0.9, 0.99, 1e-7)
            else:
                momentum = 0.0 if rule == "sgd" else 0.9
                operations["sgd_update"](w, gradients, m, 0.1, momentum, rule == "nesterov")

        for call in [transform(update)] * 3:
            call(ops.ones((), "int32"))
        return [x.numpy() for x in (*w, *m, *v)]

    with ops.without_overrides():
        wanted = run(lambda f: f)
    _check([*run(lambda f: f), *run(tensorflow.jit)], wanted * 2)


def test_tensorflows_own_calls_take_variables(tensorflow):
    v = Variable(_f(3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(v) + tf.constant([1.0, 2.0, 3.0]) * v)
    _check(tape.gradient(loss, v.storage()), 2 * v.numpy() + _i(1, 2, 3, dtype="float32"))
    assert tensorflow.dtype_of(tf.constant([1, 2, 3]) * v) == "float32"
    given = (AbstractTensor((5, 3), "float32"),)
    found = tensorflow.fallback_shape(lambda x: tf.sin(x) + v, given, {})
    assert (found.shape, found.dtype) == ((5, 3), "float32")


@pytest.mark.parametrize("compiled", [False, True])
def test_tensorflows_own_tape_takes_variables(compiled, tensorflow):
    tf = pytest.importorskip("tensorflow")
    variable = Variable([1.0, 2.0])

    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(variable.value**2)
        return tape.gradient(loss, [variable])[0]

    found = (jit(gradient) if compiled else gradient)()
    assert found.numpy().tolist() == [2.0, 4.0]


def _sequences():
    draw = np.random.default_rng(0).standard_normal
    shapes = [(3, 4, 2), (3, 3), (3, 3), (2, 12), (3, 12), (12,)]
    return [tf.constant(draw(s) * 0.5, tf.float32) for s in shapes]


@pytest.mark.parametrize("mask", [None, np.array([[1, 0, 1, 1], [1, 1, 0, 0], [0] * 4], bool)])
def test_an_lstm_is_one_kernel_that_can_be_differentiated_twice(mask, tensorflow):
    def slopes(*given):
        with tf.GradientTape() as outer:
            outer.watch(given)
            with tf.GradientTape() as tape:
                tape.watch(given)
                last, outputs, states = ops.lstm(*given, mask=mask)
                loss = tf.reduce_sum(outputs**2) + tf.reduce_sum(last * states[1])
            first = tape.gradient(loss, given)
            total = tf.add_n([tf.reduce_sum(tf.sin(g)) for g in first])
        return outer.gradient(total, given)

    given = _sequences()
    with ops.without_overrides():
        wanted = slopes(*given)
    for run in (slopes, tf.function(slopes, autograph=False)):
        for found, expected in zip(run(*given), wanted, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    graph = tf.function(lambda *a: ops.lstm(*a, mask=mask), autograph=False)
    kinds = {op.type for op in graph.get_concrete_function(*given).graph.get_operations()}
    assert "BlockLSTM" in kinds
    assert "While" not in kinds


def test_an_lstm_of_open_sizes(tensorflow):
    inputs, h, c, *weights = _sequences()
    specs = [tf.TensorSpec(s) for s in ((None, None, 2), (None, 3), (None, 3))]
    run = tf.function(lambda *a: ops.lstm(*a, *weights)[1], specs, autograph=False)
    np.testing.assert_allclose(run(inputs, h, c), ops.lstm(inputs, h, c, *weights)[1])
    assert run(inputs[:0], h[:0], c[:0]).shape == (0, 4, 3)


def test_xla_takes_an_lstm_as_a_loop(tensorflow):
    given = _sequences()
    for run in (
        tf.function(lambda *a: ops.lstm(*a)[1], jit_compile=True, autograph=False),
        tensorflow.jit(lambda *a: ops.lstm(*a)[1], jit_compile=True),
    ):
        np.testing.assert_allclose(run(*given), ops.lstm(*given)[1], atol=1e-6)


def test_rows_of_an_lstm_are_mapped(tensorflow):
    inputs, *rest = _sequences()
    many = tf.stack([inputs, 2 * inputs])
    found = ops.vectorized_map(lambda x: ops.lstm(x, *rest)[1], many)
    np.testing.assert_allclose(found, [ops.lstm(x, *rest)[1] for x in many], atol=1e-6)


@pytest.mark.parametrize("xla", [False, True])
def test_gradients_of_relu(xla, tensorflow):
    @tf.function(jit_compile=xla, autograph=False)
    def slopes(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = ops.relu(x) ** 3
            first = tape.gradient(y, x)
        return ops.relu(x), first, outer.gradient(first, x)

    x = tf.constant([-1.0, 0.0, 2.0, np.nan, np.inf, -np.inf])
    wanted = [[0, 0, 2, np.nan, np.inf, 0], [0, 0, 12, np.nan, np.inf, 0]]
    for found, expected in zip(slopes(x), [*wanted, wanted[1]], strict=True):
        np.testing.assert_array_equal(found, expected)
