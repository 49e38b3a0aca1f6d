"""NumPy: the reference in tests, and inference with nothing else installed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from kerata import config
from kerata.backends import dtypes
from kerata.backends.base import Backend
from kerata.backends.geometry import cut_points, pad_pairs, summed, window

_dtype = dtypes.numpy_dtype


def _wrap(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """NumPy gives scalars for results without axes; ours stay arrays."""

    def kernel(*args: Any, **kwargs: Any) -> np.ndarray:
        y = function(*args, **kwargs)
        return y if type(y) is np.ndarray else np.asarray(y)

    return kernel


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def kernel(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return kernel


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def cast(x: np.ndarray, dtype: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return x.astype(_dtype(dtypes.standardize_dtype(dtype)))


def _accumulated(dtype: np.dtype[Any]) -> Any:
    """What sums of a dtype are kept in: half precision in float32."""
    return np.float32 if dtype.itemsize < 4 and dtype.kind not in "iub" else dtype


def sum(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
    dtype = _dtype(summed(dtypes.standardize_dtype(x.dtype)))
    total = np.sum(x, _axis(axis), dtype=_accumulated(dtype), keepdims=keepdims)
    return np.asarray(total).astype(dtype, copy=False)


def prod(x: np.ndarray, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> np.ndarray:
    kind = _dtype(dtypes.standardize_dtype(dtype or summed(dtypes.standardize_dtype(x.dtype))))
    found = np.prod(x, _axis(axis), dtype=_accumulated(kind), keepdims=keepdims)
    return np.asarray(found).astype(kind, copy=False)


def mean(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
    total = np.mean(x, _axis(axis), dtype=_accumulated(x.dtype), keepdims=keepdims)
    return np.asarray(total).astype(x.dtype, copy=False)


def extreme(function: Any, combine: Any) -> Callable[..., np.ndarray]:
    def kernel(
        x: np.ndarray, axis: Any = None, keepdims: bool = False, initial: Any = None
    ) -> np.ndarray:
        if x.size == 0 and initial is not None:
            return np.asarray(
                function(x, _axis(axis), keepdims=keepdims, initial=np.asarray(initial, x.dtype))
            )
        found = np.asarray(function(x, _axis(axis), keepdims=keepdims))
        return np.asarray(
            found if initial is None else combine(found, np.asarray(initial, x.dtype))
        )

    return kernel


def _reduction(function: Any) -> Callable[..., np.ndarray]:
    def kernel(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
        return np.asarray(function(x, _axis(axis), keepdims=keepdims))

    return kernel


def arg(function: Any) -> Callable[..., np.ndarray]:
    def kernel(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
        return np.asarray(function(x, axis, keepdims=keepdims)).astype(np.int32)

    return kernel


def cumsum(x: np.ndarray, axis: Any = None, dtype: Any = None) -> np.ndarray:
    kind = _dtype(dtypes.standardize_dtype(dtype or summed(dtypes.standardize_dtype(x.dtype))))
    return np.cumsum(x, axis, dtype=_accumulated(kind)).astype(kind, copy=False)


def expand_dims(x: np.ndarray, axis: Any) -> np.ndarray:
    return np.expand_dims(x, _axis(axis))


def squeeze(x: np.ndarray, axis: Any = None) -> np.ndarray:
    return np.squeeze(x, _axis(axis))


def reshape(x: np.ndarray, newshape: Any) -> np.ndarray:
    return np.reshape(x, newshape)


def tile(x: np.ndarray, repeats: Any) -> np.ndarray:
    return np.tile(x, repeats)


def unstack(x: np.ndarray, num: int | None = None, axis: int = 0) -> list[np.ndarray]:
    return list(np.moveaxis(x, axis, 0))


def split(x: np.ndarray, indices_or_sections: Any, axis: int = 0) -> list[np.ndarray]:
    return np.split(x, cut_points(indices_or_sections, x.shape[axis]), axis)


def getitem(x: np.ndarray, key: Any) -> np.ndarray:
    return np.asarray(x[key])


def pad(
    x: np.ndarray, pad_width: Any, mode: str = "constant", constant_values: Any = None
) -> np.ndarray:
    pairs = pad_pairs(pad_width, x.ndim)
    if mode != "constant":
        return np.pad(x, pairs, mode)  # type: ignore[call-overload]
    return np.pad(x, pairs, constant_values=0 if constant_values is None else constant_values)


def take(x: np.ndarray, indices: np.ndarray, axis: int | None = None) -> np.ndarray:
    size = x.size if axis is None else x.shape[axis]
    places = np.where(indices < 0, indices + size, indices)
    return np.asarray(np.take(x, places, axis, mode="clip"))


def take_along_axis(x: np.ndarray, indices: np.ndarray, axis: int | None = None) -> np.ndarray:
    if axis is None:
        x, indices, axis = x.reshape(-1), indices.reshape(-1), 0
    size = x.shape[axis]
    places = np.clip(np.where(indices < 0, indices + size, indices), 0, max(size - 1, 0))
    return np.take_along_axis(x, places, axis)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> np.ndarray:
    ends = [v for v in (start, stop, step) if v is not None]
    kind = dtype or dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in ends))
    first, last = (0, start) if stop is None else (start, stop)
    return np.arange(first, last, 1 if step is None else step).astype(
        _dtype(dtypes.standardize_dtype(kind))
    )


def full(shape: Any, fill_value: Any, dtype: Any = None) -> np.ndarray:
    kind = fill_value.dtype if dtype is None else _dtype(dtypes.standardize_dtype(dtype))
    return np.full(shape, fill_value, kind)


def matmul(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    if x1.dtype.itemsize < 4 and x1.dtype.kind not in "iub":
        wide = np.matmul(x1.astype(np.float32), x2.astype(np.float32))
        return np.asarray(wide).astype(x1.dtype)
    return np.asarray(np.matmul(x1, x2))


def einsum(subscripts: str, *operands: np.ndarray) -> np.ndarray:
    dtype = operands[0].dtype
    if dtype.itemsize < 4 and dtype.kind not in "iub":
        wide = [o.astype(np.float32) for o in operands]
        return np.asarray(np.einsum(subscripts, *wide, optimize=True)).astype(dtype)
    return np.asarray(np.einsum(subscripts, *operands, optimize=True))


_erf = np.vectorize(math.erf, otypes=[np.float64])


def erf(x: np.ndarray) -> np.ndarray:
    return np.asarray(_erf(x)).astype(x.dtype) if x.size else x


def erfinv(x: np.ndarray) -> np.ndarray:
    """Giles' first guess (2010), then two steps of Halley on `math.erf`."""
    y = x.astype(np.float64)
    w = np.log1p(-y * y)
    a = 2 / (math.pi * 0.147) + w / 2
    z = np.sign(y) * np.sqrt(np.sqrt(a * a - w / 0.147) - a)
    for _ in range(2):
        finite = np.isfinite(z)
        error = np.where(finite, np.asarray(_erf(np.where(finite, z, 0.0))) - y, 0.0)
        slope = 2 / math.sqrt(math.pi) * np.exp(-z * z)
        step = np.where(slope > 0, error / np.where(slope > 0, slope, 1.0), 0.0)
        z = np.where(finite, z - step / (1 + z * step), z)
    z = np.where(np.abs(y) == 1, np.sign(y) * np.inf, z)
    return np.where(np.abs(y) > 1, np.nan, z).astype(x.dtype)


def _windows(x: np.ndarray, plan: Any) -> np.ndarray:
    """`(batch, *output, channels, *window)` views of a padded, channels-last `x`."""
    spans = tuple((k - 1) * d + 1 for k, d in zip(plan.size, plan.dilation, strict=True))
    axes = tuple(range(1, 1 + plan.rank))
    view = np.lib.stride_tricks.sliding_window_view(x, spans, axes)
    steps = tuple(slice(None, None, s) for s in plan.strides)
    inner = tuple(slice(None, None, d) for d in plan.dilation)
    return view[(slice(None), *steps, slice(None), *inner)]


def _windowed(x: np.ndarray, plan: Any, fill: Any) -> np.ndarray:
    if not plan.channels_last:
        x = np.moveaxis(x, 1, -1)
    pads = plan.pads(x.shape[1:-1])
    return _windows(np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill), plan)


def _placed(y: np.ndarray, plan: Any) -> np.ndarray:
    return y if plan.channels_last else np.moveaxis(y, -1, 1)


def conv(
    inputs: np.ndarray,
    kernel: np.ndarray,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> np.ndarray:
    size = kernel.shape[:-2]
    plan = window(inputs.ndim, size, strides, padding, data_format, dilation_rate)
    views = _windowed(inputs, plan, 0)
    depth, filters = kernel.shape[-2:]
    groups = views.shape[1 + plan.rank] // depth
    flat = np.moveaxis(views, 1 + plan.rank, -1).reshape(
        *views.shape[: 1 + plan.rank], math.prod(size), groups, depth
    )
    weights = kernel.reshape(math.prod(size), depth, groups, filters // groups)
    y = einsum("...wgd,wdgf->...gf", flat, weights)
    return _placed(y.reshape(*views.shape[: 1 + plan.rank], filters), plan)


def max_pool(
    inputs: np.ndarray,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> np.ndarray:
    plan = window(inputs.ndim, pool_size, strides, padding, data_format)
    low = dtypes.bounds(dtypes.standardize_dtype(inputs.dtype))[0]
    views = _windowed(inputs, plan, low)
    return _placed(views.max(tuple(range(-plan.rank, 0))), plan)


def average_pool(
    inputs: np.ndarray,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> np.ndarray:
    plan = window(inputs.ndim, pool_size, strides, padding, data_format)
    axes = tuple(range(-plan.rank, 0))
    total = _windowed(inputs, plan, 0).sum(axes, dtype=np.float32 if inputs.itemsize < 4 else None)
    count = _windowed(np.ones_like(inputs), plan, 0).sum(axes, dtype=total.dtype)
    return _placed((total / count).astype(inputs.dtype), plan)


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    leaves, tree = optree.tree_flatten(xs)
    count = len(leaves[0]) if leaves else length or 0
    carry, rows = init, []
    for i in reversed(range(count)) if reverse else range(count):
        carry, y = f(carry, optree.tree_unflatten(tree, [leaf[i] for leaf in leaves]))
        rows.append(y)
    if reverse:
        rows.reverse()
    return carry, optree.tree_map(lambda *ys: np.stack(ys), *rows) if rows else None


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: Any = None,
) -> Any:
    single = not isinstance(loop_vars, (list, tuple))
    values = (loop_vars,) if single else tuple(loop_vars)
    count = 0
    while cond(*values) and (maximum_iterations is None or count < maximum_iterations):
        result = body(*values)
        values = (result,) if single else tuple(result)
        count += 1
    return values[0] if single else values


def cond(pred: np.ndarray, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    return true_fn() if pred else false_fn()


def _generator(seed: np.ndarray) -> np.random.Generator:
    first, second = (int(v) & 0xFFFFFFFF for v in np.asarray(seed).reshape(-1)[:2])
    return np.random.Generator(np.random.Philox(key=(first << 32) | second))


def random_uniform(shape: Any, seed: np.ndarray, dtype: str = "float32") -> np.ndarray:
    kind = np.float64 if dtype == "float64" else np.float32
    return np.asarray(_generator(seed).random(shape, kind)).astype(_dtype(dtype), copy=False)


def random_normal(shape: Any, seed: np.ndarray, dtype: str = "float32") -> np.ndarray:
    kind = np.float64 if dtype == "float64" else np.float32
    draws = _generator(seed).standard_normal(shape, kind)
    return np.asarray(draws).astype(_dtype(dtype), copy=False)


def random_randint(
    shape: Any, minval: Any, maxval: Any, seed: np.ndarray, dtype: str = "int32"
) -> np.ndarray:
    draws = _generator(seed).integers(int(minval), int(maxval), shape)
    return np.asarray(draws).astype(_dtype(dtype))


def random_bernoulli(shape: Any, probability: float, seed: np.ndarray) -> np.ndarray:
    return np.asarray(_generator(seed).random(shape, np.float32) < probability)


def _in_float32(body: Callable[..., Any]) -> Callable[..., Any]:
    """A composite's body; what is of a guest dtype is computed in float32 and cast back."""

    def run(*values: Any) -> Any:
        guests = [v.dtype for v in values if isinstance(v, np.ndarray) and v.dtype in _GUESTS]
        if not guests:
            return body(*values)
        wide = (
            v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype in _GUESTS else v
            for v in values
        )  # fmt: skip
        return optree.tree_map(lambda y: y.astype(guests[0]), body(*wide))

    return run


_GUESTS = frozenset(_dtype(n) for n in ("bfloat16", "float8_e4m3fn", "float8_e5m2"))
_PLAIN: dict[str, Callable[..., Any]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "maximum": np.maximum,
    "minimum": np.minimum, "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_not": np.logical_not,
    "where": np.where, "negative": np.negative, "absolute": np.absolute, "sign": np.sign,
    "floor": np.floor, "ceil": np.ceil, "round": np.round, "tanh": np.tanh, "isnan": np.isnan,
    "transpose": np.transpose, "broadcast_to": np.broadcast_to, "repeat": np.repeat,
}  # fmt: skip
# These meet infinities and NaN in the ordinary course, and NumPy would warn.
_QUIET: dict[str, Callable[..., Any]] = {
    "true_divide": np.true_divide, "floor_divide": np.floor_divide, "mod": np.mod,
    "power": np.power, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
    "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos,
    "rsqrt": lambda x: (1 / np.sqrt(x)).astype(x.dtype),
}  # fmt: skip
_OWN = (
    cast, sum, prod, mean, cumsum, expand_dims, squeeze, reshape, tile, unstack, split, getitem,
    pad, take, take_along_axis, arange, full, matmul, einsum, erf, erfinv, conv, max_pool,
    average_pool, scan, while_loop, cond, random_uniform, random_normal, random_randint,
    random_bernoulli,
)  # fmt: skip


class NumpyBackend(Backend):
    """Arrays of NumPy, computed at once.

    NumPy's operators widen its guest dtypes (bfloat16, float8) where they meet Python's floats, so
    the bodies of composites are run in float32 for them.
    """

    name = "numpy"
    tensor_types = (np.ndarray, np.generic)  # operators give scalars where no axis is left
    floats = frozenset(_dtype(n) for n in ("float16", "float32", "float64"))

    def __init__(self) -> None:
        super().__init__()
        self.kernels = {n: _wrap(f) for n, f in _PLAIN.items()}
        self.kernels |= {n: _quiet(_wrap(f)) for n, f in _QUIET.items()}
        self.kernels |= {f.__name__: _quiet(f) for f in _OWN}
        others: dict[str, Callable[..., Any]] = {
            "max": extreme(np.max, np.maximum),
            "min": extreme(np.min, np.minimum),
            "any": _reduction(np.any),
            "all": _reduction(np.all),
            "argmax": arg(np.argmax),
            "argmin": arg(np.argmin),
            "concatenate": lambda xs, axis=0: np.concatenate(xs, axis),
            "stack": lambda x, axis=0: np.stack(x, axis),
            "flip": lambda x, axis=None: np.flip(x, _axis(axis)),
            "stop_gradient": lambda variable: variable,
        }
        self.kernels |= others

    def body(self, op: Any) -> Any:
        return op.body if op.promote != "float" or op.body is None else _in_float32(op.body)

    def convert(self, x: Any, dtype: str | None = None) -> np.ndarray:
        return to_array(x, dtype)

    def to_numpy(self, x: Any) -> np.ndarray:
        return np.array(x)

    def dtype_of(self, x: Any) -> str:
        return dtypes.standardize_dtype(x.dtype)

    def store(self, value: np.ndarray, trainable: bool, on_host: bool = False) -> np.ndarray:
        return np.array(value)


def to_array(x: Any, dtype: str | None = None) -> np.ndarray:
    """`x` on the host, Python floats as `config.floatx()`, ints as int32, dtypes otherwise kept."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        x = (
            x.float().numpy().astype(_dtype("bfloat16"))
            if "bfloat16" in str(x.dtype)
            else x.numpy()
        )
    array = np.asarray(x)
    if array.dtype == object and array.size and not isinstance(array.flat[0], (str, bytes)):
        raise TypeError(f"{type(x).__name__} can't be made a tensor: {x!r}")
    if dtype is None and not hasattr(x, "dtype"):
        strong = {"f": config.floatx(), "c": "complex64"}.get(array.dtype.kind)
        if array.dtype.kind in "iu":
            small = array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31)
            strong = "int32" if small else None
        dtype = strong if array.size or strong else config.floatx()
        if isinstance(x, (list, tuple)) and any(hasattr(v, "dtype") for v in optree.tree_leaves(x)):
            dtype = None
    if dtype is not None and dtype != "string":
        array = array.astype(_dtype(dtype), copy=False)
    return array


def create() -> NumpyBackend:
    """The backend; called once, by the registry."""
    return NumpyBackend()
