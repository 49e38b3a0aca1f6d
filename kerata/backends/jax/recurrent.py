"""Recurrences on JAX: steps whose derivative is written out, so that little is kept for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kerata.backends.jax.kernels import matmul
from kerata.backends.state import body_of, operations


def _gates(z: Any, c: Any) -> tuple[Any, ...]:
    i, f, g, o = jnp.split(z, 4, -1)
    i, f, g, o = lax.logistic(i), lax.logistic(f), lax.tanh(g), lax.logistic(o)
    return i, f, g, o, f * c + i * g


@jax.custom_jvp
def _lstm_cell(z: Any, c: Any) -> Any:
    """`(h, c)` after a step, from the four gates' sums and the cell before."""
    *_, o, c = _gates(z, c)
    return o * lax.tanh(c), c


@_lstm_cell.defjvp
def _lstm_tangents(primals: Any, tangents: Any) -> Any:
    z, c = primals
    dz, dc = tangents
    i, f, g, o, new = _gates(z, c)
    t = lax.tanh(new)
    di, df, dg, do = jnp.split(dz, 4, -1)
    dc = f * dc + g * i * (1 - i) * di + c * f * (1 - f) * df + i * (1 - g * g) * dg
    return (o * t, new), (o * (1 - t * t) * dc + t * o * (1 - o) * do, dc)


def _parts(x: Any, inner: Any) -> tuple[Any, ...]:
    (xz, xr, xn), (hz, hr, hn) = jnp.split(x, 3, -1), jnp.split(inner, 3, -1)
    r = lax.logistic(xr + hr)
    return lax.logistic(xz + hz), r, lax.tanh(xn + r * hn), hn


@jax.custom_jvp
def _gru_cell(x: Any, inner: Any, h: Any) -> Any:
    """The state after a step, from the sums of inputs, those of the state, and the state before."""
    z, _, n, _ = _parts(x, inner)
    return z * h + (1 - z) * n


@_gru_cell.defjvp
def _gru_tangents(primals: Any, tangents: Any) -> Any:
    x, inner, h = primals
    dx, dinner, dh = tangents
    z, r, n, hn = _parts(x, inner)
    (dxz, dxr, dxn), (dhz, dhr, dhn) = jnp.split(dx, 3, -1), jnp.split(dinner, 3, -1)
    a = (1 - z) * (1 - n * n)
    new = z * dh + (h - n) * z * (1 - z) * (dxz + dhz)
    new = new + a * hn * r * (1 - r) * (dxr + dhr) + a * dxn + a * r * dhn
    return z * h + (1 - z) * n, new


# Features up to which each step's own product is faster on a CPU than one product of all before,
# whose slices XLA is slow to read inside of a loop.
_FEW = 64


def _run(
    cell: Callable[[Any, list[Any]], list[Any]],
    inputs: Any,
    states: list[Any],
    kernel: Any,
    bias: Any,
    mask: Any,
    backwards: bool,
    zeros: bool,
) -> Any:
    """Last output, outputs and last states of `cell`, whose first state is its output."""

    def project(x: Any) -> Any:
        x = matmul(x, kernel)
        return x if bias is None else x + bias

    def time_first(x: Any) -> Any:
        x = jnp.swapaxes(x, 0, 1)
        return lax.rev(x, (0,)) if backwards else x

    def step(states: list[Any], row: Any) -> Any:
        x, alive = row
        new = cell(project(x) if inside else x, states)
        if alive is not None:
            new = [jnp.where(alive, n, s) for n, s in zip(new, states, strict=True)]
        return new, new[0]

    inside = kernel.shape[0] <= _FEW and jax.default_backend() == "cpu"
    rows = time_first(inputs)
    alive = None if mask is None else time_first(mask.astype(bool))[..., None]
    states, outputs = lax.scan(step, states, (rows if inside else project(rows), alive))
    last = states[0]
    if alive is not None:
        shown = alive if zeros else jnp.cumsum(alive, 0) > 0
        outputs, last = jnp.where(shown, outputs, 0), jnp.where(shown[-1], last, 0)
    return last, jnp.swapaxes(outputs, 0, 1), states


@functools.partial(jax.jit, static_argnums=(7, 8))
def _lstm(
    inputs: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any, *how: bool
) -> Any:
    def cell(x: Any, states: list[Any]) -> list[Any]:
        h, c = states
        return list(_lstm_cell(x + matmul(h, recurrent), c))

    return _run(cell, inputs, [h, c], kernel, bias, mask, *how)


@functools.partial(jax.jit, static_argnums=(6, 7))
def _gru(inputs: Any, h: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any, *how: bool) -> Any:
    own, inner_bias = (None, None) if bias is None else bias

    def cell(x: Any, states: list[Any]) -> list[Any]:
        inner = matmul(states[0], recurrent)
        return [_gru_cell(x, inner if bias is None else inner + inner_bias, states[0])]

    return _run(cell, inputs, [h], kernel, own, mask, *how)


def _usual(tensors: tuple[Any, ...], activation: Any, recurrent_activation: Any) -> bool:
    return (
        activation is operations["tanh"]
        and recurrent_activation is operations["sigmoid"]
        and len({t.dtype for t in tensors if t is not None}) == 1
        and tensors[0].shape[1] != 0
    )


def lstm(
    inputs: Any,
    initial_state_h: Any,
    initial_state_c: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    activation: Any = None,
    recurrent_activation: Any = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> Any:
    tensors = (inputs, initial_state_h, initial_state_c, kernel, recurrent_kernel, bias)
    how = bool(go_backwards), bool(zero_output_for_mask)
    if _usual(tensors, activation, recurrent_activation):
        return _lstm(*tensors, mask, *how)
    return body_of("lstm")(*tensors, mask, activation, recurrent_activation, *how)


def gru(
    inputs: Any,
    initial_state: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    activation: Any = None,
    recurrent_activation: Any = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    reset_after: bool = True,
) -> Any:
    tensors = (inputs, initial_state, kernel, recurrent_kernel, bias)
    how = bool(go_backwards), bool(zero_output_for_mask)
    if reset_after and _usual(tensors, activation, recurrent_activation):
        return _gru(*tensors, mask, *how)
    return body_of("gru")(*tensors, mask, activation, recurrent_activation, *how, reset_after)


KERNELS: dict[str, Callable[..., Any]] = {"lstm": lstm, "gru": gru}
