"""The kernels of `onnx` for products, windows, and the operators of neural networks."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from kerata import config
from kerata.backends.geometry import Window, axes_tuple, window
from kerata.backends.onnx.arrays import one_axis, reshape, sum, transpose
from kerata.backends.onnx.graph import OnnxValue, Size, Unsupported, emit
from kerata.backends.onnx.kernels import apply, broadcast, logical_not, logical_or, tensor, unary
from kerata.backends.spatial import transposed
from kerata.backends.state import body_of, operations

# Products


def matmul(x1: OnnxValue, x2: OnnxValue) -> OnnxValue:
    left = x1.shape if x1.ndim > 1 else (1, *x1.shape)
    right = x2.shape if x2.ndim > 1 else (*x2.shape, 1)
    inner = left[-1], right[-2]
    if not any(isinstance(s, Size) for s in inner) and inner[0] != inner[1]:
        raise ValueError(f"matmul: the shapes {x1.shape} and {x2.shape} don't fit")
    shape = [*broadcast(left[:-2], right[:-2])] if len(left) + len(right) > 4 else []
    shape += [left[-2]] * (x1.ndim > 1) + [right[-1]] * (x2.ndim > 1)
    return apply("MatMul", [x1, x2], shape)


def _terms(subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, `...` written out in capitals not used."""
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {subscripts!r} is for {len(terms)} operands, not {len(ranks)}")
    free = [c for c in map(chr, range(ord("Z"), ord("A") - 1, -1)) if c not in text]
    most = 0
    for i, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        if "..." in term:
            count = rank - len(term) + 3
            most = max(most, count)
            terms[i] = term.replace("...", "".join(free[:count][::-1]))
    dots = "".join(free[:most][::-1])
    if arrow:
        return terms, result.replace("...", dots)
    joined = "".join(terms)
    once = sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots)
    return terms, dots + "".join(once)


def einsum(subscripts: str, *operands: OnnxValue) -> OnnxValue:
    terms, result = _terms(subscripts, [x.ndim for x in operands])
    if any(len(set(t)) != len(t) for t in terms):
        sizes = {c: s for t, x in zip(terms, operands, strict=True)
                 for c, s in zip(t, x.shape, strict=True)}  # fmt: skip
        equation = f"{','.join(terms)}->{result}"
        return apply("Einsum", operands, [sizes[c] for c in result], equation=equation)
    term, x = terms[0], operands[0]
    for i, (other, y) in enumerate(zip(terms[1:], operands[1:], strict=True), 2):
        needed = set(result).union(*terms[i:])
        term, x = _contract(term, x, other, y, needed)
    term, x = _sum_out(term, x, set(result))
    return transpose(x, [term.index(c) for c in result])


def _sum_out(term: str, x: OnnxValue, needed: set[str]) -> tuple[str, OnnxValue]:
    gone = tuple(i for i, c in enumerate(term) if c not in needed)
    return "".join(c for c in term if c in needed), sum(x, gone) if gone else x


def _contract(
    a: str, x: OnnxValue, b: str, y: OnnxValue, needed: set[str]
) -> tuple[str, OnnxValue]:
    """Two operands as one matrix product: `(batch, free, summed) · (batch, summed, free)`."""
    a, x = _sum_out(a, x, needed | set(b))
    b, y = _sum_out(b, y, needed | set(a))
    shared = [c for c in a if c in b]
    batch = [c for c in shared if c in needed]
    inner = [c for c in shared if c not in needed]
    rows, columns = ([c for c in t if c not in shared] for t in (a, b))
    left = transpose(x, [a.index(c) for c in [*batch, *rows, *inner]])
    right = transpose(y, [b.index(c) for c in [*batch, *inner, *columns]])
    n, r = len(batch), len(rows)
    first, second = left.shape, right.shape
    flat = len(inner) != 1 or (r != 1 and n > 0)
    if flat:
        left = reshape(left, (*first[:n], _product(first[n : n + r]), _product(first[n + r :])))
    if len(inner) != 1 or len(columns) != 1:
        split = n + len(inner)
        right = reshape(right, (*second[:n], _product(second[n:split]), _product(second[split:])))
    z = matmul(left, right)
    heads = z.shape[:n]
    if flat or len(columns) != 1:
        z = reshape(z, (*heads, *first[n : n + r], *second[n + len(inner) :]))
    return "".join([*batch, *rows, *columns]), z


def _product(sizes: Sequence[Any]) -> Any:
    return functools.reduce(operator.mul, sizes, 1)


# Windows


def _windowed(
    op: str, x: OnnxValue, more: Sequence[OnnxValue], plan: Window, filters: Any, **attributes: Any
) -> OnnxValue:
    """Run `op`, which wants channels first, and return to the order of `plan`."""
    last = plan.rank + 1
    if plan.channels_last:
        x = transpose(x, (0, last, *range(1, last)))
    sizes: Any = x.shape[2:]
    if not any(isinstance(s, Size) for s in sizes):
        pairs = plan.pads(sizes)
        attributes["pads"] = tuple(p[0] for p in pairs) + tuple(p[1] for p in pairs)
        spatial: Sequence[Any] = plan.output(sizes)
    else:
        attributes["auto_pad"] = "SAME_UPPER" if plan.same else "VALID"
        spatial = [
            (s if plan.same and step == 1 else None) if isinstance(s, Size)
            else plan.output((s,) * plan.rank)[i]
            for i, (s, step) in enumerate(zip(sizes, plan.strides, strict=True))
        ]  # fmt: skip
    attributes |= {"kernel_shape": plan.size, "strides": plan.strides}
    y = apply(op, [x, *more], (x.shape[0], filters, *spatial), **attributes)
    return transpose(y, (0, *range(2, last + 1), 1)) if plan.channels_last else y


def conv(
    inputs: OnnxValue,
    kernel: OnnxValue,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> OnnxValue:
    plan = window(inputs.ndim, kernel.shape[:-2], strides, padding, data_format, dilation_rate)
    depth, filters = kernel.shape[-2:]
    channels = inputs.shape[-1 if plan.channels_last else 1]
    if isinstance(channels, Size):
        raise Unsupported("conv: the number of channels is open")
    if channels % depth:
        raise ValueError(f"conv: {channels} channels can't be cut into groups of {depth}")
    weights = transpose(kernel, (plan.rank + 1, plan.rank, *range(plan.rank)))
    return _windowed(
        "Conv", inputs, [weights], plan, filters, dilations=plan.dilation, group=channels // depth
    )


def conv_transpose(
    inputs: OnnxValue,
    kernel: OnnxValue,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> OnnxValue:
    plan = transposed(kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    rank = plan.rank
    after = [k - b - e for k, b, e in zip(plan.span, plan.before, plan.extra, strict=True)]
    more = [max(-a, 0) for a in after]
    if any(m >= s for m, s in zip(more, plan.strides, strict=True)):
        raise Unsupported("conv_transpose: ONNX wants an output padding smaller than the strides")
    x = transpose(inputs, (0, rank + 1, *range(1, rank + 1))) if plan.channels_last else inputs
    weights = transpose(kernel, (rank + 1, rank, *range(rank)))
    y = apply(
        "ConvTranspose",
        [x, weights],
        (x.shape[0], kernel.shape[-2], *plan.output(x.shape[2:])),
        strides=plan.strides,
        dilations=plan.dilation,
        kernel_shape=plan.size,
        pads=(*plan.before, *(max(a, 0) for a in after)),
        output_padding=tuple(more),
    )
    return transpose(y, (0, *range(2, rank + 2), 1)) if plan.channels_last else y


def pooling(op: str, **attributes: Any) -> Callable[..., OnnxValue]:
    def kernel(
        inputs: OnnxValue,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> OnnxValue:
        plan = window(inputs.ndim, pool_size, strides, padding, data_format)
        channels = inputs.shape[-1 if plan.channels_last else 1]
        return _windowed(op, inputs, (), plan, channels, **attributes)

    return kernel


# What ONNX has and runtimes know as one operator


def activation(op: str, parameter: str = "", default: float = 0.0) -> Callable[..., OnnxValue]:
    """The kernel of `op`, whose attribute `alpha` is called `parameter` here."""

    def kernel(x: OnnxValue, *args: float, **kwargs: float) -> OnnxValue:
        alpha = args[0] if args else kwargs.get(parameter, default)
        return apply(op, [x], x.shape, alpha=float(alpha))

    return kernel


def selu(x: OnnxValue) -> OnnxValue:
    return apply("Selu", [x], x.shape, alpha=1.6732632423543772, gamma=1.0507009873554805)


def hard_sigmoid(x: OnnxValue) -> OnnxValue:
    return apply("HardSigmoid", [x], x.shape, alpha=1 / 6, beta=0.5)


def gelu(x: OnnxValue, approximate: bool = True) -> OnnxValue:
    return apply("Gelu", [x], x.shape, approximate="tanh" if approximate else "none")


def _by_body(name: str) -> Callable[..., Any]:
    return body_of(name)


def along_axis(name: str, op: str) -> Callable[..., OnnxValue]:
    def kernel(x: OnnxValue, axis: Any = -1) -> OnnxValue:
        if not isinstance(axis, int):
            return _by_body(name)(x, axis)
        return apply(op, [x], x.shape, axis=one_axis(axis, x.ndim))

    return kernel


def clip(x: OnnxValue, x_min: Any, x_max: Any) -> OnnxValue:
    ends = [tensor(v, x.dtype) for v in (x_min, x_max)]
    if any(v.ndim for v in ends):
        return _by_body("clip")(x, *ends)
    return apply("Clip", [x, *ends], x.shape)


def isfinite(x: OnnxValue) -> OnnxValue:
    return logical_not(logical_or(unary("IsNaN", "bool")(x), unary("IsInf", "bool")(x)))


def layer_normalization(
    x: OnnxValue,
    gamma: OnnxValue | None = None,
    beta: OnnxValue | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> OnnxValue:
    axes = tuple(sorted(axes_tuple(axis, x.ndim)))
    sizes = x.shape[axes[0] :]
    trailing = axes == tuple(range(axes[0], x.ndim)) and not any(isinstance(s, Size) for s in sizes)
    if not trailing or x.dtype in ("float16", "bfloat16"):
        return _by_body("layer_normalization")(x, gamma, beta, axis, epsilon)
    ones = operations["ones"](sizes, x.dtype)
    scale = ones if gamma is None else reshape(tensor(gamma, x.dtype), sizes)
    shift = [] if beta is None else [reshape(tensor(beta, x.dtype), sizes)]
    small = config.epsilon() if epsilon is None else epsilon
    inputs = [x, scale, *shift]
    return emit("LayerNormalization", inputs, x.shape, x.dtype, axis=axes[0], epsilon=small)


KERNELS: dict[str, Callable[..., Any]] = {
    "matmul": matmul, "einsum": einsum, "conv": conv,
    "conv_transpose": conv_transpose, "max_pool": pooling("MaxPool"),
    "average_pool": pooling("AveragePool", count_include_pad=0), "relu": unary("Relu"),
    "elu": activation("Elu", "alpha", 1.0), "selu": selu, "gelu": gelu,
    "leaky_relu": activation("LeakyRelu", "negative_slope", 0.2), "sigmoid": unary("Sigmoid"),
    "hard_sigmoid": hard_sigmoid, "softplus": unary("Softplus"), "softsign": unary("Softsign"),
    "softmax": along_axis("softmax", "Softmax"), "clip": clip, "isfinite": isfinite,
    "log_softmax": along_axis("log_softmax", "LogSoftmax"),
    "layer_normalization": layer_normalization,
}  # fmt: skip
