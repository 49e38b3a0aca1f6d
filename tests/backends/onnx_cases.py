"""Calls of every operation that `onnx` writes, as data: name, function, arguments, tolerance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import optree

from kerata import ops
from kerata.backends.geometry import PAD_MODES
from kerata.backends.state import operations

_draw = np.random.default_rng(7)
X = _draw.standard_normal((3, 4)).astype("float32")
Y = _draw.standard_normal((3, 4)).astype("float32")
CUBE = _draw.standard_normal((3, 4, 6)).astype("float32")
POSITIVE = (np.abs(X) + 0.1).astype("float32")
SMALL = np.array([[-0.99, -0.4, -1e-4, 0.0], [1e-7, 1e-3, 0.49, 0.51], [0.9, 2, 20, 80]], "float32")
INTS = _draw.integers(-9, 9, (3, 4)).astype("int32")
OTHERS = np.where(INTS == 0, 5, -INTS[::-1] + 12).astype("int32")
BOOLS = X > 0
ODD = np.array([[np.nan, np.inf, -np.inf, 1.0]] * 3, "float32")
IMAGE = _draw.standard_normal((2, 9, 8, 4)).astype("float32")
SIGNAL = _draw.standard_normal((2, 11, 4)).astype("float32")
VOLUME = _draw.standard_normal((2, 5, 6, 7, 2)).astype("float32")


class Case(NamedTuple):
    """A call to run in two ways: `function(*args)`, the arrays in `args` being its inputs."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    tolerance: float = 1e-6

    def __repr__(self) -> str:
        return self.name


def assert_near(got: Any, want: Any, tolerance: float) -> None:
    """The same structure, shapes and dtypes, and values within `tolerance` of the largest."""
    ours, tree = optree.tree_flatten(got)
    theirs, other = optree.tree_flatten(want)
    assert tree == other
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, int):
            assert a == b
            continue
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        half = b.dtype.itemsize == 2 and b.dtype.kind not in "iu"
        finite = b.astype("float64")[np.isfinite(b.astype("float64"))]
        scale = np.abs(finite).max(initial=0.0)
        np.testing.assert_allclose(
            a.astype("float64"), b.astype("float64"), atol=(1e-2 if half else tolerance) * scale
        )


def _calls() -> list[Case]:
    cases = []
    for name in ("add", "subtract", "multiply", "maximum", "minimum", "equal", "not_equal", "less"):
        for args in ((X, Y), (INTS, OTHERS), (X, INTS), (X, Y[:1])):
            cases.append(Case(name, operations[name], args))
    for name in ("less_equal", "greater", "greater_equal", "true_divide", "floor_divide", "mod"):
        for args in ((X, Y), (INTS, OTHERS), (X, 0.3)):
            cases.append(Case(name, operations[name], args))
    for name in (
        "negative", "absolute", "sign", "floor", "ceil", "round", "exp", "expm1", "sin", "cos",
        "tanh", "erf", "isnan", "isfinite", "isinf", "relu", "relu6", "leaky_relu", "elu", "selu",
        "sigmoid", "hard_sigmoid", "silu", "softplus", "softsign", "gelu", "softmax", "log_softmax",
        "logsumexp", "square", "reciprocal", "stop_gradient", "normalize", "tan", "arctan", "sinh",
        "cosh", "arcsinh", "erfc", "trunc", "exp2", "cbrt", "sinc", "i0", "deg2rad",
    ):  # fmt: skip
        cases.append(Case(name, operations[name], (X * 3,)))
    for name in ("negative", "absolute", "sign", "floor", "ceil", "round", "exp", "relu"):
        cases.append(Case(name, operations[name], (INTS,)))
    for name in ("isnan", "isfinite", "isinf"):
        cases.append(Case(name, operations[name], (ODD,)))
    for name in ("log", "sqrt", "rsqrt", "log1p", "log2", "log10"):
        cases.append(Case(name, operations[name], (POSITIVE,)))
    for name in ("arcsin", "arccos", "arctanh"):
        cases.append(Case(name, operations[name], (np.tanh(X),)))
    cases.append(Case("arccosh", operations["arccosh"], (POSITIVE + 1,)))
    for name in ("arctan2", "hypot", "logaddexp", "fmax", "isclose", "heaviside"):
        cases.append(Case(name, operations[name], (X, Y)))
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        for args in ((INTS, OTHERS), (BOOLS, BOOLS[::-1].copy())):
            cases.append(Case(name, operations[name], args))
    cases += [Case("bitwise_invert", operations["bitwise_invert"], (v,)) for v in (INTS, BOOLS)]
    cases.append(Case("logical_xor", operations["logical_xor"], (X, BOOLS)))
    for name in ("sum", "prod", "mean", "max", "min", "var", "std", "any", "all", "logsumexp"):
        for options in ((), (0,), (-1, True), ((0, 2), False)):
            cases.append(Case(name, lambda x, f=operations[name], o=options: f(x, *o), (CUBE,)))
    for name in ("sum", "prod", "max", "min", "any", "all", "cumsum", "argmax", "argmin"):
        for x in (INTS, INTS.astype("uint8") % 3, BOOLS):
            if x.dtype != bool or name not in ("argmax", "argmin", "max", "min"):
                cases.append(Case(name, lambda x, f=operations[name]: f(x, 1), (x,)))
    return cases


def _own() -> list[Case]:
    far = np.array([[0, 3, -1], [9, -9, 1], [2, 2, 2]], "int32")
    return [
        Case("expm1", ops.expm1, (SMALL,)),
        Case("log1p", ops.log1p, (SMALL,)),
        Case("erfinv", ops.erfinv, (np.tanh(X * 2),)),
        Case("erfinv", ops.erfinv, (np.array([-1, 1, 0, 1e-5, 0.9999], "float32"),)),
        Case("power", ops.power, (POSITIVE, Y)),
        Case("power", ops.power, (INTS, np.abs(INTS) % 4)),
        Case("power", ops.power, (X, 2)),
        Case("round", lambda x: ops.round(x, 2), (X,)),
        Case("floor_divide", ops.floor_divide, (np.float32([7.5, -7.5, 1]), np.float32([2, 2, 0]))),
        Case("add", ops.add, (INTS.astype("uint8"), np.uint8(250))),
        Case("multiply", ops.multiply, (BOOLS, BOOLS[::-1])),
        Case("logical_and", ops.logical_and, (BOOLS, X)),
        Case("logical_or", ops.logical_or, (BOOLS, INTS)),
        Case("logical_not", ops.logical_not, (INTS,)),
        Case("where", ops.where, (BOOLS, X, Y)),
        Case("where", lambda c, x: ops.where(c, x, 0.0), (BOOLS, X)),
        Case("clip", lambda x: ops.clip(x, -0.5, 0.5), (X,)),
        Case("clip", lambda x, low: ops.clip(x, low, 1), (X, Y)),
        Case("divide_no_nan", ops.divide_no_nan, (X, INTS)),
        Case("max", lambda x: ops.max(x, 1, initial=0.25), (X,)),
        Case("min", lambda x: ops.min(x, initial=-0.25), (X,)),
        Case("argmax", lambda x: (ops.argmax(x), ops.argmax(x, -1, True)), (X,)),
        Case("argmax", lambda x: ops.argmax(x, None, True), (X,)),
        Case("argmin", lambda x: (ops.argmin(x), ops.argmin(x, 0)), (X,)),
        Case("cumsum", lambda x: (ops.cumsum(x), ops.cumsum(x, -2)), (CUBE,)),
        Case("cumprod", lambda x: (ops.cumprod(x), ops.cumprod(x, -2)), (CUBE,)),
        Case("norm", lambda x: [ops.norm(x, o, -1) for o in (2, 1, 3, np.inf, 0)], (X,)),
        Case("average", lambda x, w: ops.average(x, 1, w), (X, POSITIVE)),
        Case("count_nonzero", lambda x: ops.count_nonzero(x, 0), (INTS,)),
        *(Case("cast", lambda x, d=d: ops.cast(x, d), (x,))
          for d in ("int32", "float16", "bool", "bfloat16", "int8") for x in (X * 3, INTS, BOOLS)),
        Case("take", lambda x, i: ops.take(x, i, 1), (X, far)),
        Case("take", ops.take, (X, far)),
        Case("take_along_axis", lambda x, i: ops.take_along_axis(x, i, 1), (X, far)),
        Case("take_along_axis", lambda x, i: ops.take_along_axis(x, i, 1), (CUBE, far[:, :, None])),
        Case("take_along_axis", ops.take_along_axis, (X, far)),
    ]  # fmt: skip


def _shapes() -> list[Case]:
    i, j = np.array([0, 2, -1], "int32"), np.array([1, 1, 3], "int64")

    def sizes(x: Any) -> Any:
        n, m, _ = ops.shape(x)
        return (
            ops.reshape(x, (n * m, -1)), ops.reshape(x, (n, -1)), ops.reshape(x, (-1, 3, 2)),
            ops.reshape(x, (n, 2, m // 2, 6)), ops.zeros((n, 2)), ops.full((m, n + 1), x[0, 0, 0]),
            ops.arange(n), ops.arange(1, 2 * n, 2), ops.broadcast_to(x[:1], (n, m, 6)),
            ops.divide(ops.arange(n), n), x[:, : m - 1], x * n, ops.tile(x[0], (n, 1)),
            7 % (n + 1), -(-n // 2), (n * 5 + 3) // 4,
        )  # fmt: skip

    forms: dict[str, list[Callable[[Any], Any]]] = {
        "reshape": [sizes, ops.ravel],
        "transpose": [
            ops.transpose, lambda x: ops.transpose(ops.transpose(x, (1, 2, 0)), (2, 0, 1)),
        ],
        "broadcast_to": [lambda x: ops.broadcast_to(x[:, :1], (2, 3, 5, 6))],
        "expand_dims": [lambda x: ops.expand_dims(x, 1), lambda x: ops.expand_dims(x, (0, -1))],
        "squeeze": [
            lambda x: ops.squeeze(x[:, :1], 1), lambda x: ops.squeeze(x[:1, :, :1], (0, -1)),
        ],
        "concatenate": [
            lambda x: ops.concatenate([x, x + 1], 0), lambda x: ops.concatenate([x, x], -1),
        ],
        "stack": [lambda x: ops.stack([x, x * 2]), lambda x: ops.stack([x, x * 2], -1)],
        "unstack": [lambda x: ops.unstack(x, axis=1), lambda x: ops.unstack(x, 6, -1)],
        "split": [lambda x: ops.split(x, 3, 2), lambda x: ops.split(x, [1, -2], -1)],
        "flip": [ops.flip, lambda x: ops.flip(x, 1), lambda x: ops.flip(x, (0, 2))],
        "repeat": [
            lambda x: ops.repeat(x, 2), lambda x: ops.repeat(x, 3, 0),
            lambda x: ops.repeat(x, 2, 2), lambda x: ops.repeat(x, [1, 0, 2, 3], 1),
        ],
        "tile": [lambda x: ops.tile(x, 2), lambda x: ops.tile(x, (2, 1, 1, 3))],
        "pad": [
            *(lambda x, m=m: ops.pad(x, ((1, 2), (0, 1), (2, 0)), m) for m in PAD_MODES),
            lambda x: ops.pad(x, ((0, 0), (7, 9), (0, 0)), "reflect"),
            lambda x: ops.pad(x, 1, constant_values=2.5),
            lambda x: ops.pad(x > 0, ((0, 0), (1, 1), (0, 0))),
        ],
        "getitem": [
            lambda x: x[0], lambda x: x[-1, 1:], lambda x: x[..., 2], lambda x: x[:, ::2, ::-1],
            lambda x: x[:, None, -2:, ..., None], lambda x: x[:, 3:0:-2], lambda x: x[1:2, 2, None],
            lambda x: x[i], lambda x: x[:, i], lambda x: x[i, j], lambda x: x[:, i, j],
            lambda x: x[i, :, j], lambda x: x[0, :, i], lambda x: x[:, 1, i, None],
            lambda x: x[None, i[:, None], j], lambda x: x[i, None, j], lambda x: x[i[:, None], 1:],
            lambda x: x[:, ops.cast(x[0, 0, 0] > 9, "int32")],
        ],
        "full": [lambda x: ops.full((2, 3), 4), ops.ones_like, lambda x: ops.full_like(x, 2.5)],
        "arange": [
            lambda x: ops.add(ops.arange(2, 9, 3), x[0, 0, :3]),
            lambda x: ops.arange(0.0, 1.0, 0.25),
        ],
        "eye": [lambda x: ops.eye(3, 4, 1) + x[0, :3, :4]],
        "moveaxis": [lambda x: ops.moveaxis(x, 0, -1), lambda x: ops.swapaxes(x, 0, 2)],
    }  # fmt: skip
    return [Case(name, f, (CUBE,)) for name, functions in forms.items() for f in functions]


def _products() -> list[Case]:
    a, b = CUBE, _draw.standard_normal((3, 6, 5)).astype("float32")
    cases = [
        Case("matmul", ops.matmul, (a, b)),
        Case("matmul", ops.matmul, (a, b[0])),
        Case("matmul", ops.matmul, (a, b[0, :, 0])),
        Case("matmul", ops.matmul, (X[0], a)),
        Case("matmul", ops.matmul, (X[0], X[1])),
        Case("matmul", ops.matmul, (INTS, OTHERS.T)),
        Case("dot", ops.dot, (a, b)),
        Case("tensordot", lambda x, y: ops.tensordot(x, y, ((2, 0), (1, 0))), (a, b)),
    ]
    cases += [
        Case("fft", lambda x, y: ops.fft((x, y)), (X, Y)),
        Case("fft2", lambda x, y: ops.fft2((x, y)), (a, a[::-1].copy())),
        Case("rfft", ops.rfft, (X,)),
        Case("rfft", lambda x: ops.rfft(x, 3), (X,)),
        Case("rfft", lambda x: ops.rfft(x, 7), (INTS,)),
        Case("irfft", lambda x, y: ops.irfft((x, y)), (X, Y)),
        Case("irfft", lambda x, y: ops.irfft((x, y), 5), (X, Y)),
        Case("irfft", lambda x, y: ops.irfft((x, y), 12), (X, Y)),
        Case("stft", lambda x: ops.stft(x, 5, 3, 8), (SIGNAL[..., 0].copy(),)),
        Case("istft", lambda x, y: ops.istft((x, y), 5, 3, 6), (X, Y)),
    ]
    for text, operands in (
        ("bij,bjk->bik", (a, b)), ("bij,cjk->bcik", (a, b)), ("bij,bjk", (a, b)), ("bij->b", (a,)),
        ("bij->jib", (a,)), ("...j,...jk->...k", (a[:, 0], b)), ("bij,j->bi", (a, b[0, :, 0])),
        ("i,j->ij", (X[0], X[1])), ("bqhd,bkhd->bhqk", (IMAGE, IMAGE[:, :3])),
        ("ii->i", (X[:, :3],)), ("ij,jk,kl->il", (X, a[0], b[0])), ("abc,dbc->ad", (a, a[:2])),
        ("ab,ab->ab", (X, Y)),
        ("abc,cde->abde", (a, VOLUME[0, 0, :, :, :])), ("...i,i->...", (a, b[0, :, 1])),
    ):  # fmt: skip
        cases.append(Case("einsum", lambda *xs, t=text: ops.einsum(t, *xs), operands))
    return [case._replace(tolerance=1e-5) for case in cases]


def _windows() -> list[Case]:
    cases = []
    for x, window in ((SIGNAL, (3,)), (IMAGE, (3, 2)), (VOLUME, (2, 3, 2))):
        depth = x.shape[-1]
        first = np.moveaxis(x, -1, 1)
        for groups in (1, 2):
            kernel = _draw.standard_normal((*window, depth // groups, 4)).astype("float32")
            for strides, rate in ((1, 1), (2, 1), (1, 2)):
                for padding in ("valid", "same"):
                    for y, order in ((x, "channels_last"), (first, "channels_first")):
                        options = (strides, padding, order, rate)
                        call = lambda v, k, o=options: ops.conv(v, k, *o)  # noqa: E731
                        cases.append(Case("conv", call, (y, kernel), 1e-5))
        kernel = _draw.standard_normal((*window, 3, depth)).astype("float32")
        for strides, more in ((1, None), (3, None), (2, 0)):
            for padding in ("valid", "same"):
                options = (strides, padding, more)
                call = lambda v, k, o=options: ops.conv_transpose(v, k, *o)  # noqa: E731
                cases.append(Case("conv_transpose", call, (x, kernel), 1e-5))
        for name in ("max_pool", "average_pool"):
            for strides in (None, 1, 2):
                for padding in ("valid", "same"):
                    for y, order in ((x, "channels_last"), (first, "channels_first")):
                        options = (2, strides, padding, order)
                        call = lambda v, f=operations[name], o=options: f(v, *o)  # noqa: E731
                        cases.append(Case(name, call, (y,)))
    return cases


def _networks() -> list[Case]:
    mean, scale = X[0], POSITIVE[0]
    labels = np.array([0, 3, 2], "int32")
    chances = (POSITIVE / POSITIVE.sum(1, keepdims=True)).astype("float32")
    q = _draw.standard_normal((2, 5, 4, 6)).astype("float32")
    k = _draw.standard_normal((2, 7, 2, 6)).astype("float32")
    seen = _draw.random((2, 1, 5, 7)) > 0.3
    seen[0, 0, 1] = False
    attention = ops.dot_product_attention
    return [
        Case("relu", ops.relu, (BOOLS.astype("int8") * -3,)),
        Case("leaky_relu", lambda x: ops.leaky_relu(x, 0.1), (X,)),
        Case("leaky_relu", lambda x: ops.leaky_relu(x, negative_slope=0.3), (X,)),
        Case("elu", lambda x: ops.elu(x, alpha=0.5), (X,)),
        Case("gelu", lambda x: ops.gelu(x, approximate=False), (X * 3,)),
        Case("softplus", ops.softplus, (np.array([-200, -20, 0, 20, 50, 200], "float32"),)),
        Case("softmax", lambda x: (ops.softmax(x, 1), ops.softmax(x, (0, 2))), (CUBE,)),
        Case("log_softmax", lambda x: (ops.log_softmax(x, 0), ops.log_softmax(x * 50)), (CUBE,)),
        Case("moments", lambda x: (ops.moments(x, (0, 1)), ops.moments(x, [2], True)), (CUBE,)),
        Case("batch_normalization",
             lambda x: ops.batch_normalization(x, mean, scale, -1, mean, scale), (X,)),
        Case("batch_normalization_training",
             lambda x: operations["batch_normalization_training"](x, 1, mean, scale), (CUBE,)),
        Case("group_normalization",
             lambda x: operations["group_normalization"](x, 2, mean, scale), (CUBE[..., :4],)),
        Case("l2_normalization", lambda x: operations["l2_normalization"](x, (1, 2)), (CUBE,)),
        Case("layer_normalization",
             lambda x: ops.layer_normalization(x, CUBE[0], CUBE[1], (1, 2)), (CUBE,)),
        Case("layer_normalization", lambda x: ops.layer_normalization(x, mean, None, 1), (CUBE,)),
        Case("layer_normalization", ops.layer_normalization, (CUBE,)),
        Case("one_hot", lambda x: (ops.one_hot(x, 4), ops.one_hot(x, 5, 0, "int32")), (labels,)),
        Case("categorical_crossentropy", ops.categorical_crossentropy, (chances, chances[::-1])),
        Case("categorical_crossentropy",
             lambda t, x: ops.categorical_crossentropy(t, x, True), (chances, X)),
        Case("sparse_categorical_crossentropy",
             ops.sparse_categorical_crossentropy, (labels, chances)),
        Case("sparse_categorical_crossentropy",
             lambda t, x: ops.sparse_categorical_crossentropy(t, x, True), (labels[:, None], X)),
        Case("binary_crossentropy", ops.binary_crossentropy, (BOOLS, chances)),
        Case("binary_crossentropy",
             lambda t, x: ops.binary_crossentropy(t, x, True), (BOOLS, X * 5)),
        Case("dot_product_attention", attention, (q, k, k), 1e-5),
        Case("dot_product_attention",
             lambda q, k, m: attention(q, k, k, mask=m), (q, k, seen), 1e-5),
        Case("dot_product_attention",
             lambda q, k: attention(q, k, k, bias=0.5, is_causal=True, attn_logits_soft_cap=2.0),
             (q, k), 1e-5),
        Case("masked_softmax",
             operations["masked_softmax"], (q[:, :, :1], seen[:, 0, :, None, :6])),
    ]  # fmt: skip


def _recurrent() -> list[Case]:
    x = _draw.standard_normal((2, 5, 3)).astype("float32")
    h, c = (_draw.standard_normal((2, 4)).astype("float32") for _ in range(2))
    draw = lambda *shape: _draw.standard_normal(shape).astype("float32")  # noqa: E731
    mask = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1]], bool)
    cases = []
    for options in (
        {}, {"mask": mask}, {"go_backwards": True}, {"mask": mask, "zero_output_for_mask": True}
    ):  # fmt: skip
        k, r, b = draw(3, 16), draw(4, 16), draw(16)
        lstm = lambda x, h, c, k=k, r=r, b=b, o=options: ops.lstm(x, h, c, k, r, b, **o)  # noqa: E731
        cases.append(Case("lstm", lstm, (x, h, c), 2e-6))
        for after in (True, False):
            k, r, b = draw(3, 12), draw(4, 12), draw(2, 12) if after else draw(12)
            o = {**options, "reset_after": after}
            gru = lambda x, h, k=k, r=r, b=b, o=o: ops.gru(x, h, k, r, b, **o)  # noqa: E731
            cases.append(Case("gru", gru, (x, h)))
    step = lambda x, s: (x + s[0] * 0.5, [x + s[0] * 0.5])  # noqa: E731
    cases.append(Case("rnn", lambda x: ops.rnn(step, x, [ops.zeros_like(x[:, 0])]), (x,)))
    return cases


def _control() -> list[Case]:
    def nested(x: Any) -> Any:
        """Every row's running products, by a scan in a scan."""
        step = lambda c, v: (c * v, {"c": c, "v": v})  # noqa: E731
        return ops.map(lambda row: ops.scan(step, ops.ones(()), row), x)

    def until(x: Any) -> Any:
        start = ops.full((), 0, "int32"), x
        step = lambda i, v: (i + 1, v * 1.5 + 1)  # noqa: E731
        return ops.while_loop(lambda i, v: ops.sum(v) < 50.0, step, start)

    def limited(x: Any) -> Any:
        return ops.while_loop(lambda v: ops.max(v) < 1e9, lambda v: v + 1, x, 4)

    def counted(x: Any) -> Any:
        return ops.fori_loop(0, 5, lambda i, v: v * 0.5 + ops.cast(i, "float32"), x)

    def branch(x: Any) -> Any:
        return ops.cond(ops.sum(x) > 0, lambda: (x + 1, ops.max(x)), lambda: (x - 1, ops.min(x)))

    return [
        Case("scan", lambda x: ops.scan(lambda c, v: (c + v, c * v), x[0], x), (X,)),
        Case("scan", lambda x: ops.scan(lambda c, v: (c + v, c * v), x[0], x, reverse=True), (X,)),
        Case("scan", lambda x: ops.scan(lambda c, _: (c * 2, None), x, None, 3)[0], (X,)),
        Case("scan", lambda x: ops.scan(lambda c, v: ((v, c[0]), c), (x[0], x[1]), x), (X,)),
        Case("map", nested, (X,)),
        Case("while_loop", until, (X,)),
        Case("while_loop", limited, (X,)),
        Case("fori_loop", counted, (X,)),
        Case("call_with_gradient", ops.custom_gradient(lambda x: (x * x, lambda g: g)), (X,)),
        Case("scan", lambda x: ops.vectorized_map(lambda v: ops.sum(v * v), x), (X,)),
        Case("while_loop", lambda x: ops.associative_scan(lambda a, b: a * b, x), (X,)),
        Case("cond", branch, (POSITIVE,)),
        Case("cond", branch, (-POSITIVE,)),
    ]  # fmt: skip


def _indexed() -> list[Case]:
    ids = np.array([[0], [2], [-2], [5]], "int32")
    rows = _draw.standard_normal((4, 4)).astype("float32")
    start, steps = np.array([1, 9], "int32"), np.array([-3, 0, 0, 4], "int32")
    pairs = np.array([[0, 1], [2, -1], [3, 0]], "int64")
    return [
        Case("argsort", lambda x: [ops.argsort(x, a) for a in (-1, 0, None)], (INTS,)),
        Case("argsort", ops.argsort, (X,)),
        Case("sort", ops.sort, (X,)),
        Case("top_k", lambda x: ops.top_k(x, 3), (INTS % 3,)),
        Case("top_k", lambda x: ops.top_k(x, 2), (X,)),
        Case("searchsorted", ops.searchsorted, (steps, INTS)),
        Case("searchsorted", lambda s, v: ops.searchsorted(s, v, "right"), (steps, INTS)),
        Case("digitize", ops.digitize, (X, np.float32([-1, 0, 0.5]))),
        Case("nonzero", ops.nonzero, (INTS % 2,)),
        Case("where", ops.where, (BOOLS,)),
        Case("slice", lambda x: ops.slice(x, (1, -2), (2, -1)), (X,)),
        Case("slice", lambda x, s: ops.slice(x, s, (2, 3)), (X, start)),
        Case("slice_update", lambda x, y: ops.slice_update(x, (1, -2), y), (X, Y[:2, :2])),
        Case("slice_update", lambda x, s, y: ops.slice_update(x, s, y), (X, start, Y[:2])),
        *(Case("scatter_update", lambda x, i, y, r=r: ops.scatter_update(x, i, y, r), (X, i, y))
          for r in (None, "add", "max", "min", "mul") for i, y in ((ids[:3] - 1, rows[:3]), (pairs, rows[:3, 0]))),
        Case("scatter_update", lambda x, i, y: ops.scatter_update(x, i, y, "add"), (BOOLS, ids, rows > 0)),
        Case("segment_sum", lambda x, i: ops.segment_sum(x, i, 3), (rows, ids[:, 0])),
        Case("unique", lambda x: ops.unique(x, return_counts=True, size=5), (INTS,)),
    ]  # fmt: skip


CASES = [
    *_calls(), *_own(), *_shapes(), *_products(), *_windows(), *_networks(), *_recurrent(),
    *_control(), *_indexed(),
]  # fmt: skip
# Primitives that ONNX has no operator for: a graph that needs one is refused, by name.
UNWRITTEN = frozenset({
    "bitwise_left_shift", "bitwise_right_shift", "cholesky", "eig", "eigh", "jvp", "lu_factor", "qr",
    "solve", "solve_triangular", "svd", "view", "view_as_complex", "view_as_real",
})  # fmt: skip
DRAWS = (
    "random_uniform", "random_normal", "random_randint", "random_bernoulli", "random_gamma",
    "random_binomial",
)  # fmt: skip
