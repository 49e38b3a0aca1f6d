"""JAX's kernels for sorting, picking and placing elements."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kerata.backends.keys import axes_of, check_ints, is_basic, parts_of, refuse_unknown
from kerata.backends.slices import KEEPING, check_updates, size_unknown, slice_plan

# Order


def argsort(x: Any, axis: int | None = -1) -> Any:
    return jnp.argsort(x, axis, stable=True).astype(jnp.int32)


def _comparable(x: Any) -> Any:
    """`x` without the differences that XLA's total order makes between zeros and between NaN."""
    if x.dtype == jnp.bool_:
        return x.astype(jnp.uint8)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x
    x = jnp.where(x == 0, jnp.zeros((), x.dtype), x)
    return jnp.where(jnp.isnan(x), jnp.full((), jnp.nan, x.dtype), x)


@functools.partial(jax.jit, static_argnames=("k", "sorted"))
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    compared = _comparable(x)
    values, places = lax.top_k(compared, k)
    if compared.dtype != x.dtype:
        return jnp.take_along_axis(x, places, -1), places
    return values, places


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    return jnp.searchsorted(sorted_sequence, values, side).astype(jnp.int32)


# Places


def getitem(x: Any, key: Any) -> Any:
    """JAX clips all that is out of range, as we do with index arrays, but not with ints."""
    parts = parts_of(key)
    check_ints(parts, axes_of(parts, x.ndim), x.shape)
    if is_basic(key):
        return x[key]
    refuse_unknown(parts, jax.core.Tracer)
    return x.at[tuple(parts)].get(mode="clip")


def nonzero(x: Any) -> Any:
    if isinstance(x, jax.core.Tracer):
        raise size_unknown("nonzero", KEEPING)
    return tuple(places.astype(jnp.int32) for places in jnp.nonzero(x))


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    return nonzero(condition) if x1 is None and x2 is None else jnp.where(condition, x1, x2)


def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    starts, lengths = slice_plan(inputs.shape, start_indices, shape)
    if all(isinstance(s, int) for s in starts):
        return lax.slice(inputs, starts, [s + n for s, n in zip(starts, lengths, strict=True)])
    return lax.dynamic_slice(inputs, starts, lengths)


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    starts, _ = slice_plan(inputs.shape, start_indices, updates.shape)
    return lax.dynamic_update_slice(inputs, updates.astype(inputs.dtype), starts)


def _set(x: Any, where: Any, rows: Any) -> Any:
    """Of several rows for one place the last, as XLA on a CPU does; elsewhere it takes any."""
    if jax.default_backend() == "cpu":
        return x.at[where].set(rows, mode="drop")
    order = lax.iota(jnp.int32, where[0].size).reshape(where[0].shape)
    last = jnp.full(x.shape[: len(where)], -1, jnp.int32).at[where].max(order, mode="drop")
    away = jnp.int32(x.shape[0])
    first = jnp.where(last.at[where].get(mode="clip") == order, where[0], away)
    return x.at[(first, *where[1:])].set(rows, mode="drop")


@jax.custom_jvp
def _multiplied(x: Any, where: Any, rows: Any) -> Any:
    return x.at[where].multiply(rows, mode="drop")


@_multiplied.defjvp
def _multiplied_jvp(primals: Any, tangents: Any) -> Any:
    """The tangent of each factor times the product of the others, where several may be 0."""
    x, where, rows = primals
    dx, _, drows = tangents
    one = jnp.ones((), x.dtype)
    zeros = (x == 0).astype(jnp.int32).at[where].add((rows == 0).astype(jnp.int32), mode="drop")
    rest = _multiplied(jnp.where(x == 0, one, x), where, jnp.where(rows == 0, one, rows))

    def others(factor: Any, zeros: Any, rest: Any) -> Any:
        alone = jnp.where(zeros == 0, rest / jnp.where(factor == 0, one, factor), 0)
        return jnp.where(factor == 0, jnp.where(zeros == 1, rest, 0), alone)

    at_rows = (v.at[where].get(mode="clip") for v in (zeros, rest))
    tangent = dx * others(x, zeros, rest)
    tangent = tangent.at[where].add(drows * others(rows, *at_rows), mode="drop")
    return _multiplied(x, where, rows), tangent


def _added(x: Any, where: Any, rows: Any) -> Any:
    half = jnp.issubdtype(x.dtype, jnp.floating) and x.dtype.itemsize < 4
    wide = jnp.float32 if half else x.dtype
    return x.astype(wide).at[where].add(rows.astype(wide), mode="drop").astype(x.dtype)


_PLACE: dict[str | None, Callable[..., Any]] = {
    None: _set, "add": _added, "mul": _multiplied,
    "max": lambda x, where, rows: x.at[where].max(rows, mode="drop"),
    "min": lambda x, where, rows: x.at[where].min(rows, mode="drop"),
}  # fmt: skip
_LOGICAL: dict[str | None, str | None] = {"add": "max", "mul": "min"}


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    check_updates(inputs.shape, indices.shape, updates.shape)
    depth = indices.shape[-1]
    if inputs.dtype == jnp.bool_:
        bits = scatter_update(
            inputs.astype(jnp.uint8), indices, updates.astype(jnp.uint8),
            _LOGICAL.get(reduction, reduction),
        )  # fmt: skip
        return bits.astype(jnp.bool_)
    where = tuple(indices[..., i].astype(jnp.int32) for i in range(depth))
    return _PLACE[reduction](inputs, where, updates.astype(inputs.dtype))


KERNELS: dict[str, Callable[..., Any]] = {
    "argsort": argsort, "sort": jnp.sort, "top_k": top_k, "searchsorted": searchsorted,
    "getitem": getitem, "nonzero": nonzero, "where": where, "slice": slice,
    "slice_update": slice_update, "scatter_update": scatter_update,
}  # fmt: skip
