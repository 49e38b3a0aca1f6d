"""Activations, convolution, pooling, normalization, attention, losses, and products of tensors."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from scipy import special

from tests.ops import reference as ref
from tests.ops.case import Case

_draw = np.random.default_rng(4)


def normal(*shape: int) -> np.ndarray:
    """Standard normal draws, float32."""
    return _draw.standard_normal(shape).astype("float32")


X = normal(3, 4)
CUBE = normal(3, 4, 6)
POSITIVE = np.abs(normal(3, 4)) + np.float32(0.2)
INTS = _draw.integers(-5, 6, (3, 4)).astype("int32")
BOOLS = X > 0
BRAIN = X.astype(ml_dtypes.bfloat16)
FAR = np.array([-100.0, -20.0, -1e-4, 0.0, 1e-4, 20.0, 100.0], "float32")
NAN = np.array([np.nan, np.inf, -np.inf, 0.5], "float32")
SIGNAL, IMAGE, VOLUME = normal(2, 11, 4), normal(2, 9, 8, 4), normal(2, 4, 5, 4, 2)


def table() -> list[Case]:
    """The cases."""
    return [
        *_activations(), *_products(), *_convolutions(), *_pools(), *_normalizations(), *_attention(),
        *_losses(),
    ]  # fmt: skip


def _gelu(x: np.ndarray, approximate: bool = True) -> np.ndarray:
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def _elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


_ACTIVATIONS: dict[str, Any] = {
    "relu": lambda x: np.maximum(x, 0), "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x), "elu": _elu,
    "selu": lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772), "sigmoid": special.expit,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1), "silu": lambda x: x * special.expit(x),
    "softplus": lambda x: np.logaddexp(x, 0), "softsign": lambda x: x / (1 + np.abs(x)), "gelu": _gelu,
    "celu": _elu, "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1), "hard_tanh": lambda x: np.clip(x, -1, 1),
    "log_sigmoid": special.log_expit, "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "sparse_plus": lambda x: np.where(x >= 1, x, np.where(x <= -1, 0, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1), "tanh_shrink": lambda x: x - np.tanh(x),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
}  # fmt: skip


def _activations() -> list[Case]:
    cases = []
    for name, f in _ACTIVATIONS.items():
        integer = "int32" if name in ("relu", "relu6") else "float32"
        cases += [
            Case(name, (X * 2,), f),
            Case(name, (FAR,), f, note="far", grad=False),
            Case(name, (INTS,), f, dtype=integer),
            Case(name, (BRAIN,), f, grad=False),
            Case(name, (np.zeros((0, 2), "float32"),), f, opens=False),
        ]
    cases += [
        Case("celu", (X * 2,), lambda x, alpha: alpha * _elu(x / alpha), {"alpha": 1.5}),
        Case("threshold", (X, 0.2, -1.5), lambda x, t, v: np.where(x > t, x, v)),
        Case("threshold", (INTS, 1, 0), lambda x, t, v: np.where(x > t, x, v)),
        Case("glu", (CUBE,), lambda x: x[..., :3] * special.expit(x[..., 3:])),
        Case("glu", (CUBE, 1), lambda x, _: x[:, :2] * special.expit(x[:, 2:])),
        Case("sparsemax", (CUBE * 2,), ref.sparsemax),
        Case("sparsemax", (CUBE, 1), ref.sparsemax),
        Case(
            "sparsemax",
            (np.float32([[1, 1, 1], [5, 0, 0]]),),
            ref.sparsemax,
            note="ties",
            grad=False,
        ),
    ]
    softmax = lambda x, axis=-1: special.softmax(x, axis)  # noqa: E731
    logs = lambda x, axis=-1: special.log_softmax(x, axis)  # noqa: E731
    for name, f in (("softmax", softmax), ("log_softmax", logs)):
        cases += [Case(name, (CUBE,), f, {"axis": axis}) for axis in (-1, 0, (0, 2))]
        cases += [
            Case(name, (X * 100,), f, note="far", tolerance=1e-5, grad=False),
            Case(
                name, (np.array([[-np.inf, 0.0, 1.0]], "float32"),), f, note="minus-inf", grad=False
            ),
            Case(name, (INTS,), f, dtype="float32"),
            Case(name, (BRAIN,), f, grad=False),
        ]
    return [
        *cases,
        Case("relu", (NAN,), _ACTIVATIONS["relu"], note="nan"),
        Case("leaky_relu", (X,), lambda x, negative_slope: np.where(x > 0, x, x * negative_slope),
             {"negative_slope": 0.05}),
        Case("elu", (X, 0.5), _elu),
        Case("gelu", (X * 2, False), _gelu),
    ]  # fmt: skip


def _int8_matmul(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.matmul(x.astype("int32"), y.astype("int32")).astype("float32")


def _products() -> list[Case]:
    a, b, vector = normal(2, 3, 4), normal(2, 4, 5), normal(4)
    cases = []
    for x, y in (
        (X, normal(4, 5)), (a, b), (a, b[0]), (a, b[:, None][:1]), (vector, vector), (X, vector),
        (vector, b), (a[:, None], b[None]), (np.zeros((3, 0), "float32"), np.zeros((0, 2), "float32")),
        (INTS, INTS.T.copy()), (INTS, X.T.copy()),
    ):  # fmt: skip
        dtype = "float32" if x.dtype != y.dtype else None
        grad = None if x.size and x.dtype == y.dtype else False
        rest: dict[str, Any] = {"dtype": dtype, "grad": grad, "opens": x.ndim > 1 and x.size > 0}
        cases.append(Case("matmul", (x, y), np.matmul, tolerance=1e-5, **rest))
    ones = np.ones((2, 4096), ml_dtypes.bfloat16)
    small = _draw.integers(-127, 128, (3, 3)).astype("int8")
    for x, y in (
        (X, normal(4, 5)),
        (a, b[0]),
        (a, b),
        (normal(1, 2, 3, 4), b[0]),
        (BRAIN, BRAIN.T.copy()),
    ):
        bias = normal(y.shape[-1]).astype(y.dtype)
        cases.append(
            Case(
                "linear",
                (x, y, bias),
                lambda x, kernel, bias: x @ kernel + bias,
                tolerance=1e-5,
                grad=None if y.dtype == "float32" else False,
                opens=(0,) if y.ndim == 2 else (),
            )
        )
    cases += [
        Case("add_bias", (X, normal(4)), np.add, opens=(0,)),
        Case("add_bias", (a, normal(1)), np.add, opens=(0,)),
        Case("add_bias", (INTS, INTS[0].copy()), np.add, opens=(0,)),
        Case(
            "linear",
            (INTS, INTS.T.copy(), INTS[:, 0].copy()),
            lambda x, kernel, bias: x @ kernel + bias,
            opens=(0,),
        ),
        Case("int8_matmul", (small, small), _int8_matmul, dtype="float32", opens=(0,)),
        Case(
            "int8_matmul",
            (np.stack([small, -small]), small),
            _int8_matmul,
            dtype="float32",
            opens=(0,),
        ),
        Case("matmul", (BRAIN, BRAIN.T.copy()), np.matmul, grad=False),
        Case(
            "matmul", (ones, ones.T.copy()), np.matmul, grad=False, note="bfloat16-sums-in-float32"
        ),
        Case("dot", (X, vector), np.dot, tolerance=1e-5),
        Case("dot", (a, b), np.dot, tolerance=1e-5),
        Case("dot", (X, 2.0), np.dot),
        Case("dot", (vector, vector), np.dot, tolerance=1e-5),
        Case("tensordot", (a, b), np.tensordot, {"axes": ((2,), (1,))}, tolerance=1e-5),
        Case("tensordot", (a, b, ((0, -1), (0, 1))), np.tensordot, tolerance=1e-5),
        Case("tensordot", (a, CUBE[:, :, :2], 0), np.tensordot, tolerance=1e-5),
        Case("tensordot", (a, normal(3, 4, 5)), np.tensordot, tolerance=1e-5),
        Case("tensordot", (a, vector, ([2], 0)), np.tensordot, tolerance=1e-5),
    ]
    for text, operands in (
        ("bij,bjk->bik", (a, b)), ("bij,cjk->bcik", (a, b)), ("bij,bjk", (a, b)), ("bij->b", (a,)),
        ("bij->jib", (a,)), ("...j,...jk->...k", (a[:, 0], b)), ("bij,j->bi", (a, vector)),
        ("i,j->ij", (X[0], X[1])), ("ii->i", (X[:, :3].copy(),)), ("ii", (X[:, :3].copy(),)),
        ("ij,jk,kl->il", (X, b[0], normal(5, 2))), ("ab,ab->ab", (X, POSITIVE)), ("ab->", (X,)),
        ("...i,i->...", (a, vector)), ("ba", (X,)), ("ij , jk -> ki", (X, b[0])),
        ("ij,jk->ik", (INTS, INTS.T.copy())),
    ):  # fmt: skip
        cases.append(
            Case("einsum", (text, *operands), np.einsum, tolerance=1e-5, opens="ii" not in text)
        )
    cases.append(Case("einsum", ("ij,ij->i", INTS, X), np.einsum, dtype="float32", tolerance=1e-5))
    return cases


def _convolutions() -> list[Case]:
    cases = []
    for x, window in ((SIGNAL, (3,)), (IMAGE, (3, 2)), (VOLUME, (2, 3, 2))):
        channels, rank = x.shape[-1], len(window)
        first = np.moveaxis(x, -1, 1).copy()
        for i, (strides, padding, rate, groups) in enumerate(
            (
                (1, "valid", 1, 1), (1, "same", 1, 1), (2, "same", 1, 1), (2, "valid", 1, 2),
                (1, "same", 2, 1), (1, "valid", 2, 2), ((2,) * (rank - 1) + (3,), "same", 1, channels),
            )
        ):  # fmt: skip
            kernel = normal(*window, channels // groups, 2 * groups)
            y, order = (x, "channels_last") if i % 2 else (first, "channels_first")
            args = (y, kernel, strides, padding, order, rate)
            heavy = y.ndim > 3 and i != 3
            rest: dict[str, Any] = {"grad": False if heavy else None, "opens": (0,)}
            cases.append(Case("conv", args, ref.conv, tolerance=1e-5, **rest))
    return [
        *cases,
        Case("conv", (SIGNAL, normal(2, 4, 3)), ref.conv, {"strides": (2,)}, tolerance=1e-5,
             opens=(0,)),
        Case("conv", (SIGNAL, normal(1, 4, 3)), ref.conv, tolerance=1e-5, note="window-1"),
        Case("conv", (IMAGE.astype(ml_dtypes.bfloat16), normal(2, 2, 4, 3).astype(ml_dtypes.bfloat16)),
             ref.conv, grad=False, opens=(0,)),
        Case("conv", (SIGNAL[:, :3].copy(), normal(5, 4, 2), 1, "same"), ref.conv, tolerance=1e-5,
             note="window-over-input"),
    ]  # fmt: skip


def _pools() -> list[Case]:
    cases = []
    for x in (SIGNAL, IMAGE, VOLUME):
        first = np.moveaxis(x, -1, 1).copy()
        for i, (size, strides, padding) in enumerate(
            ((2, None, "valid"), (2, 1, "same"), (3, 2, "same"), (3, 2, "valid"), (3, None, "same"))
        ):
            y, order = (x, "channels_last") if i % 2 else (first, "channels_first")
            args = (y, size, strides, padding, order)
            grad = None if y.ndim == 3 or (i == 1 and y.ndim == 4) else False
            cases.append(Case("max_pool", args, ref.pool("max"), grad=grad))
            cases.append(Case("average_pool", args, ref.pool("average"), grad=grad))
    return [
        *cases,
        Case("max_pool", (IMAGE, (2, 3), (1, 2)), ref.pool("max"), grad=False),
        Case("average_pool", (IMAGE, (2, 3), (1, 2)), ref.pool("average"), grad=False),
        Case("max_pool", (-np.abs(SIGNAL) - 1, 3, 1, "same"), ref.pool("max"), note="negative"),
        Case("max_pool", ((SIGNAL * 9).astype("int32"), 2), ref.pool("max"), note="int"),
        Case("max_pool", (SIGNAL.astype(ml_dtypes.bfloat16), 2, 1), ref.pool("max"), grad=False),
        Case("average_pool", (SIGNAL.astype("float16"), 2, 1), ref.pool("average"), grad=False),
    ]


def _moments(x: np.ndarray, axes: Any, keepdims: bool = False) -> Any:
    axes = tuple(axes) if isinstance(axes, list) else axes
    return np.mean(x, axes, keepdims=keepdims), np.var(x, axes, keepdims=keepdims)


def _batch(x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None,
           epsilon: float = 1e-3) -> Any:  # fmt: skip
    along = [1] * x.ndim
    along[axis] = -1
    mean, variance, offset, scale = (
        None if v is None else np.reshape(v, along) for v in (mean, variance, offset, scale)
    )
    y = (x - mean) / np.sqrt(variance + epsilon) * (1 if scale is None else scale)
    return y + (0 if offset is None else offset)


def _batch_training(
    x: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    others = tuple(a for a in range(x.ndim) if a != axis % x.ndim)
    mean, variance = _moments(x, others)
    return _batch(x, mean, variance, axis, offset, scale, epsilon), mean, variance


def _layer(x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None) -> Any:
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    mean, variance = _moments(x, axes, True)
    y = (x - mean) / np.sqrt(variance + (1e-7 if epsilon is None else epsilon))
    kept = [s if a in [b % x.ndim for b in axes] else 1 for a, s in enumerate(x.shape)]
    y = y * (1 if gamma is None else np.reshape(gamma, kept))
    return y + (0 if beta is None else np.reshape(beta, kept))


def _normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    size = np.sum(np.abs(x) ** order, axis, keepdims=True) ** (1 / order)
    return x / np.maximum(size, 1e-7 if epsilon is None else epsilon)


def _rms(x: np.ndarray, scale: Any = 1.0, axis: Any = -1, epsilon: float = 1e-7) -> np.ndarray:
    return x / np.sqrt(np.mean(x**2, axis, keepdims=True) + epsilon) * scale


def _group(x: Any, groups: int, gamma: Any = None, beta: Any = None, axis: int = -1,
           epsilon: float = 1e-3) -> Any:  # fmt: skip
    rows = np.moveaxis(x, axis, 1)
    cut = rows.reshape(len(x), groups, -1)
    mean, variance = _moments(cut, -1, True)
    y = np.moveaxis(((cut - mean) / np.sqrt(variance + epsilon)).reshape(rows.shape), 1, -1)
    y = y * (1 if gamma is None else gamma) + (0 if beta is None else beta)
    return np.moveaxis(y, -1, axis)


def _unit(x: np.ndarray, axis: Any = -1, epsilon: float = 1e-12) -> np.ndarray:
    return x / np.maximum(np.sqrt(np.sum(x * x, axis, keepdims=True)), epsilon)


def _softmax_along(x: np.ndarray, mask: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(ref.softmax(np.moveaxis(x, axis, -1), np.moveaxis(mask, axis, -1)), -1, axis)


def _normalizations() -> list[Case]:
    mean, scale = X[0], POSITIVE[0]
    far = (X + 30).astype(ml_dtypes.bfloat16)
    masks = np.array([[[1, 0, 1, 1]], [[0, 0, 0, 0]], [[1, 1, 1, 1]]], bool)
    whole = (X, scale[:3], scale[1:], mean[:3])
    image, gamma, beta = normal(2, 3, 2, 6), normal(6), normal(6)
    return [
        Case("group_normalization", (image, 2), _group, tolerance=2e-6),
        Case("group_normalization", (image, 3, gamma, beta, -1, 0.1), _group, tolerance=2e-6),
        Case("group_normalization", (image, 3, gamma[:3], None, 1), _group, tolerance=2e-6),
        Case("group_normalization", (image, 6), _group, {"beta": beta}, tolerance=2e-6),
        Case("group_normalization", (X, 2), _group, grad=False, tolerance=2e-6),
        Case("group_normalization", (far, 1), _group, grad=False),
        Case("l2_normalization", (CUBE,), _unit),
        Case("l2_normalization", (CUBE, (1, 2)), _unit),
        Case("l2_normalization", (np.zeros((2, 3), "float32"),), _unit, grad=False, note="zero"),
        Case("l2_normalization", ((X * 300).astype("float16"), 0), _unit, grad=False),
        Case("moments", (CUBE, (0, 1)), _moments),
        Case("moments", (CUBE, [2], True), _moments),
        Case("moments", (CUBE, -1), _moments),
        Case("moments", (far, (0,)), _moments, grad=False, note="bfloat16-in-float32"),
        Case("moments", (CUBE, (0, 1), True, True), lambda x, axes, kept, _: _moments(x, axes, kept),
             note="synchronized-kept"),
        Case("moments", (X, -1, False, True), lambda x, axis, *_: _moments(x, axis),
             note="synchronized"),
        Case("sum_over_replicas", (X,), lambda x: x),
        Case("batch_normalization", (X, mean, scale, -1), _batch, tolerance=2e-6),
        Case("batch_normalization", (X, mean, scale, 1, mean, scale, 0.1), _batch, tolerance=2e-6),
        Case("batch_normalization", (CUBE, mean, scale, -2), _batch, {"scale": scale}, tolerance=2e-6),
        Case("batch_normalization", (X, whole[2], whole[1], 0), _batch, tolerance=2e-6, opens=False),
        Case("batch_normalization_training", (CUBE, 1, mean, scale), _batch_training,
             tolerance=2e-6, stopped=(1, 2)),
        Case("batch_normalization_training", (CUBE, -1), _batch_training, tolerance=2e-6,
             stopped=(1, 2)),
        Case("layer_normalization", (CUBE,), _layer, tolerance=2e-6),
        Case("layer_normalization", (X, scale, mean), _layer, tolerance=2e-6),
        Case("layer_normalization", (CUBE, CUBE[0], CUBE[1], (1, 2), 0.01), _layer, tolerance=2e-6),
        Case("layer_normalization", (CUBE,), _layer, {"gamma": scale, "axis": 1}, tolerance=2e-6),
        Case("layer_normalization", (X, None, mean), _layer, tolerance=2e-6),
        Case("layer_normalization", (far,), _layer, grad=False),
        Case("rms_normalization", (CUBE,), _rms, tolerance=2e-6),
        Case("rms_normalization", (CUBE, CUBE[0], (1, 2), 0.1), _rms, tolerance=2e-6),
        Case("rms_normalization", (X, mean, -1), _rms, tolerance=2e-6),
        Case("rms_normalization", (far,), _rms, grad=False),
        Case("rms_normalization", (INTS,), _rms, dtype="float32", tolerance=2e-6),
        Case("normalize", (X,), _normalize),
        Case("normalize", (CUBE, 1, 3), _normalize),
        Case("normalize", (np.zeros((2, 3), "float32"),), _normalize, grad=False, note="zero"),
        Case("masked_softmax", (CUBE[:, :1, :4] * 30, masks), ref.softmax, grad=False, note="far"),
        Case("masked_softmax", (CUBE[:, :, :4], masks), ref.softmax),
        Case("masked_softmax", (X,), ref.softmax),
        Case("masked_softmax", (X, masks[0, 0, None] > 0, 1), _softmax_along),
        Case("masked_softmax", (CUBE[:, :, :4], CUBE[:, :, :4] < 1, 0), _softmax_along),
    ]  # fmt: skip


def _attention() -> list[Case]:
    q, k, v = normal(2, 3, 4, 2), normal(2, 5, 4, 2), normal(2, 5, 4, 3)
    few, bias = k[:, :, :2].copy(), normal(1, 4, 3, 5)
    mask = _draw.random((2, 1, 3, 5)) > 0.4
    mask[0, 0, 1] = False
    options: tuple[dict[str, Any], ...] = (
        {}, {"scale": 0.3}, {"is_causal": True}, {"mask": mask}, {"bias": bias},
        {"mask": mask, "is_causal": True, "bias": bias}, {"attn_logits_soft_cap": 1.5},
        {"flash_attention": False},
    )  # fmt: skip
    name = "dot_product_attention"
    cases = [Case(name, (q, k, v), ref.attention, o, tolerance=1e-5) for o in options]
    return [
        *cases,
        Case(name, (q, few, few), ref.attention, tolerance=1e-5, note="grouped"),
        Case(name, (q, k, v), ref.attention, {"mask": mask.astype("int32")}, tolerance=1e-5,
             note="int-mask"),
        Case(name, tuple(t.astype(ml_dtypes.bfloat16) for t in (q, k, v)), ref.attention, grad=False),
    ]  # fmt: skip


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return special.log_softmax(output, axis)
    return np.log(np.clip(output / output.sum(axis, keepdims=True), 1e-7, 1 - 1e-7))


def _categorical(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    return -np.sum(target * _log_probabilities(output, from_logits, axis), axis)


def _sparse(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    target = target.squeeze(axis) if target.ndim == output.ndim else target
    logs = np.moveaxis(_log_probabilities(output, from_logits, axis), axis, -1)
    return -np.take_along_axis(logs, target[..., None], -1)[..., 0]


def _binary(target: Any, output: Any, from_logits: bool = False) -> Any:
    if from_logits:
        return np.logaddexp(output, 0) - target * output
    output = np.clip(output, 1e-7, 1 - 1e-7)
    return -(target * np.log(output) + (1 - target) * np.log1p(-output))


def _one_hot(x: Any, n: int, axis: int = -1, dtype: Any = None) -> Any:
    return np.moveaxis((x[..., None] == np.arange(n)).astype(float), -1, axis)


def _losses() -> list[Case]:
    chances = special.softmax(X.astype(float), -1).astype("float32")
    targets = special.softmax(2 * X[::-1].astype(float), -1).astype("float32")
    many = _draw.integers(0, 4, (3, 6)).astype("int32")
    labels, edges = np.array([0, 3, 2], "int32"), np.array([0.0, 1.0, 1e-9, 0.3], "float32")
    grid, sure = np.array([[0, 5, 2, 1]] * 3, "int64"), np.array([[0.0, 1.0, 0.0]], "float32")
    f: dict[str, Any] = {"dtype": "float32", "tolerance": 2e-6}
    return [
        Case("one_hot", (labels, 4), _one_hot, dtype="float32"),
        Case("one_hot", (grid, 5, 1, "int32"), _one_hot, dtype="int32"),
        Case("one_hot", (labels - 1, 3), _one_hot, dtype="float32", note="out-of-range"),
        Case("one_hot", (labels, 3), _one_hot, {"axis": 0, "dtype": "bool"}, dtype="bool"),
        Case("one_hot", (labels.astype("uint8"), 300), _one_hot, dtype="float32", note="uint8"),
        Case("categorical_crossentropy", (targets, chances), _categorical, **f),
        Case("categorical_crossentropy", (targets, X * 5, True), _categorical, **f),
        Case("categorical_crossentropy", (targets, chances * 3, False, 0), _categorical, **f),
        Case("categorical_crossentropy", (sure, sure), _categorical, grad=False, note="sure",
             tolerance=0.3),
        Case("sparse_categorical_crossentropy", (labels, chances), _sparse, **f),
        Case("sparse_categorical_crossentropy", (labels[:, None], X * 5, True), _sparse, **f),
        Case("sparse_categorical_crossentropy", (many, CUBE, True, 1), _sparse, **f),
        Case("binary_crossentropy", (targets, chances), _binary, **f),
        Case("binary_crossentropy", (BOOLS, X * 9, True), _binary, **f),
        Case("binary_crossentropy", (INTS % 2, chances), _binary, **f),
        Case("binary_crossentropy", (edges[::-1] > 0.5, edges), _binary, grad=False, note="edges",
             dtype="float32", tolerance=2e-2),
    ]  # fmt: skip
