"""Pooling on JAX: on CPUs, where XLA's gradient of a window is slow, by shifted views."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kerata.backends.geometry import Window, window

_MOST_VIEWS = 64  # elements of a window


def max_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    plan = window(inputs.ndim, pool_size, strides, padding, data_format)
    plan.check(inputs.shape)
    floating = jnp.issubdtype(inputs.dtype, jnp.floating)
    if floating and _gains_by_views(inputs, plan):
        return _largest(inputs, plan)
    if _tiles(inputs, plan):
        return _tiled_max(inputs, plan)
    low = -jnp.inf if floating else jnp.iinfo(inputs.dtype).min
    return _reduce_window(inputs, plan, np.asarray(low, inputs.dtype), lax.max)


def average_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    plan = window(inputs.ndim, pool_size, strides, padding, data_format)
    plan.check(inputs.shape)
    zero = np.asarray(0, inputs.dtype)
    total = _reduce_window(inputs, plan, zero, lax.add)
    return total / _reduce_window(jnp.ones_like(inputs), plan, zero, lax.add)


def _gains_by_views(x: Any, plan: Window) -> bool:
    known = all(isinstance(n, int) for n in plan.spatial(x.shape)) and 0 not in x.shape
    return known and jax.default_backend() == "cpu" and math.prod(plan.size) <= _MOST_VIEWS


@functools.partial(jax.jit, static_argnums=1)
def _largest(x: Any, plan: Window) -> Any:
    return _maximum(x, plan)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _maximum(x: Any, plan: Window) -> Any:
    return functools.reduce(jnp.maximum, _views(x, plan, -jnp.inf))


@_maximum.defjvp
def _maximum_tangents(plan: Window, primals: Any, tangents: Any) -> Any:
    """The tangent is that of the first of the largest elements, or of one that is NaN."""
    y, *rest = _views(primals[0], plan, -jnp.inf)
    index = jnp.zeros(y.shape, jnp.uint8)
    for i, view in enumerate(rest, 1):
        index = jnp.where((view > y) | (view != view), jnp.uint8(i), index)
        y = jnp.maximum(y, view)
    index = _written(index)
    tangent: Any = 0
    for i, view in enumerate(_views(tangents[0], plan, 0)):
        tangent = tangent + jnp.where(index == i, view, 0)
    return y, tangent


def _written(x: Any) -> Any:
    """`x`, which XLA will compute once: what uses an update in place does not repeat its origin."""
    start = (0,) * x.ndim
    return lax.dynamic_update_slice(x, lax.slice(x, start, (1,) * x.ndim), start)


def _views(x: Any, plan: Window, fill: Any) -> list[Any]:
    """Of all windows the first elements, the second elements, and so on."""
    first = 1 if plan.channels_last else 2
    sizes = plan.spatial(x.shape)
    spans = [(n - 1) * s + 1 for n, s in zip(plan.output(sizes), plan.strides, strict=True)]
    x = lax.pad(
        x,
        np.asarray(fill, x.dtype),
        [(low, high, 0) for low, high in _frame(plan, plan.pads(sizes), (0, 0))],
    )
    return [
        x[(slice(None),) * first + tuple(
            slice(p, p + n, s) for p, n, s in zip(place, spans, plan.strides, strict=True)
        )]
        for place in itertools.product(*map(range, plan.size))
    ]  # fmt: skip


def _frame(plan: Window, inner: tuple[Any, ...], outer: Any) -> tuple[Any, ...]:
    return (outer, *inner, outer) if plan.channels_last else (outer, outer, *inner)


def _reduce_window(x: Any, plan: Window, start: Any, function: Any) -> Any:
    return lax.reduce_window(
        x,
        start,
        function,
        _frame(plan, plan.size, 1),
        _frame(plan, plan.strides, 1),
        _frame(plan, plan.pads(plan.spatial(x.shape)), (0, 0)),
    )


def _tiles(x: Any, plan: Window) -> bool:
    """Whether the windows lie side by side, and none needs padding."""
    sizes = plan.spatial(x.shape)
    return plan.size == plan.strides and (
        not plan.same or all(n % k == 0 for n, k in zip(sizes, plan.size, strict=True))
    )


def _tiled_max(x: Any, plan: Window) -> Any:
    """Windows side by side as axes of their own: the gradient is a comparison, not a scatter."""
    first = 1 if plan.channels_last else 2
    kept = [slice(n // k * k) for n, k in zip(plan.spatial(x.shape), plan.size, strict=True)]
    x = x[(slice(None),) * first + tuple(kept)]
    shape, axes = list(x.shape[:first]), []
    for n, k in zip(plan.spatial(x.shape), plan.size, strict=True):
        axes.append(len(shape) + 1)
        shape += [n // k, k]
    shape += x.shape[first + plan.rank :]
    return jnp.max(x.reshape(shape), axis=tuple(axes))


KERNELS: dict[str, Callable[..., Any]] = {"max_pool": max_pool, "average_pool": average_pool}
