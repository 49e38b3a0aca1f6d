"""NumPy: the reference in tests, and inference with nothing else installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from kerata import config
from kerata.backends import dtypes
from kerata.backends.base import Backend
from kerata.backends.geometry import check_number, cut_points, summed, window
from kerata.backends.numpy.arrays import KERNELS as ARRAYS
from kerata.backends.numpy.control import KERNELS as CONTROL
from kerata.backends.numpy.elements import KERNELS as ELEMENTS
from kerata.backends.numpy.elements import quiet, wrap
from kerata.backends.numpy.fourier import KERNELS as FOURIER
from kerata.backends.numpy.indexing import KERNELS as INDEXING
from kerata.backends.numpy.linalg import KERNELS as LINALG
from kerata.backends.numpy.random import KERNELS as RANDOM
from kerata.backends.numpy.spatial import KERNELS as SPATIAL

_dtype = dtypes.numpy_dtype


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


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


def _need_order(x: np.ndarray) -> None:
    if x.dtype.kind == "c":
        raise TypeError("complex numbers have no order")


def extreme(function: Any, combine: Any) -> Callable[..., np.ndarray]:
    def kernel(
        x: np.ndarray, axis: Any = None, keepdims: bool = False, initial: Any = None
    ) -> np.ndarray:
        _need_order(x)
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
        _need_order(x)
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
    check_number(num, x.shape[axis])
    return list(np.moveaxis(x, axis, 0))


def split(x: np.ndarray, indices_or_sections: Any, axis: int = 0) -> list[np.ndarray]:
    return np.split(x, cut_points(indices_or_sections, x.shape[axis]), axis)


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
        return optree.tree_map(
            lambda y: y.astype(guests[0]) if y.dtype == np.float32 else y, body(*wide)
        )

    return run


_GUESTS = frozenset(_dtype(n) for n in ("bfloat16", "float8_e4m3fn", "float8_e5m2"))
_PLAIN: dict[str, Callable[..., Any]] = {
    "transpose": np.transpose, "broadcast_to": np.broadcast_to,
}  # fmt: skip
_OWN = (
    sum, prod, mean, cumsum, expand_dims, squeeze, reshape, tile, unstack, split,
    take, take_along_axis, arange, full, matmul, einsum, conv, max_pool,
    average_pool,
   
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
        self.kernels = {**ELEMENTS, **{n: wrap(f) for n, f in _PLAIN.items()}}
        self.kernels |= {f.__name__: quiet(f) for f in _OWN}
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
        }
        self.kernels |= others
        self.kernels |= {n: quiet(f) for n, f in (CONTROL | RANDOM | SPATIAL).items()}
        self.kernels |= {n: quiet(f) for n, f in (INDEXING | ARRAYS).items()}
        self.kernels |= {n: quiet(f) for n, f in (FOURIER | LINALG).items()}

    def body(self, op: Any) -> Any:
        return op.body if op.promote != "float" or op.body is None else _in_float32(op.body)

    def convert(self, x: Any, dtype: str | None = None) -> np.ndarray:
        return to_array(x, dtype)

    def to_numpy(self, x: Any) -> np.ndarray:
        return np.array(x)

    def dtype_of(self, x: Any) -> str:
        return dtypes.standardize_dtype(x.dtype)

    def to_sparse(self, x: np.ndarray) -> Any:
        if x.ndim != 2:
            return super().to_sparse(x)
        from scipy.sparse import csr_array

        return csr_array(x)

    def sparse_product(self, x: Any, y: np.ndarray) -> np.ndarray:
        return np.asarray(x @ y) if hasattr(x, "tocsr") else super().sparse_product(x, y)

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
