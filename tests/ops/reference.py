"""Convolution, pooling, attention and recurrences in NumPy, written for clarity alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import special


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _padded(x: np.ndarray, window: Sequence[int], strides: Any, padding: str, fill: float) -> Any:
    """`(batch, *spatial, channels)` padded as TensorFlow's "same" is."""
    pairs = [(0, 0)]
    for n, k, s in zip(x.shape[1:-1], window, strides, strict=True):
        total = max((math.ceil(n / s) - 1) * s + k - n, 0) if padding == "same" else 0
        pairs.append((total // 2, total - total // 2))
    return np.pad(x, [*pairs, (0, 0)], constant_values=fill)


def _shifted(x: np.ndarray, place: Sequence[int], counts: Sequence[int], strides: Any) -> Any:
    """What the window's element `place` meets at each of its positions."""
    cut = (slice(p, p + (n - 1) * s + 1, s) for p, n, s in zip(place, counts, strides, strict=True))
    return x[(slice(None), *cut)]


def conv(
    x: np.ndarray,
    kernel: np.ndarray,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> np.ndarray:
    """A convolution, one element of the window at a time."""
    if data_format == "channels_first":
        return np.moveaxis(
            conv(np.moveaxis(x, 1, -1), kernel, strides, padding, None, dilation_rate), -1, 1
        )
    rank = x.ndim - 2
    steps, rates = _sizes(strides, rank), _sizes(dilation_rate, rank)
    window = kernel.shape[:rank]
    spans = [(k - 1) * d + 1 for k, d in zip(window, rates, strict=True)]
    x = _padded(x, spans, steps, padding, 0.0)
    counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], spans, steps, strict=True)]
    depth, filters = kernel.shape[rank:]
    groups = x.shape[-1] // depth
    out = np.zeros((x.shape[0], *counts, filters), np.result_type(x, kernel))
    for place in np.ndindex(*window):
        seen = _shifted(x, [p * d for p, d in zip(place, rates, strict=True)], counts, steps)
        for g in range(groups):
            to = slice(g * filters // groups, (g + 1) * filters // groups)
            out[..., to] += seen[..., g * depth : (g + 1) * depth] @ kernel[place][:, to]
    return out


def pool(kind: str) -> Callable[..., np.ndarray]:
    """Max or average pooling."""

    def run(
        x: np.ndarray,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> np.ndarray:
        if data_format == "channels_first":
            return np.moveaxis(run(np.moveaxis(x, 1, -1), pool_size, strides, padding), -1, 1)
        rank = x.ndim - 2
        window = _sizes(pool_size, rank)
        steps = _sizes(pool_size if strides is None else strides, rank)
        wide = x.astype(float)
        padded = _padded(wide, window, steps, padding, np.nan)
        counts = [
            (n - k) // s + 1 for n, k, s in zip(padded.shape[1:-1], window, steps, strict=True)
        ]
        seen = np.stack([_shifted(padded, p, counts, steps) for p in np.ndindex(*window)])
        return np.nanmax(seen, 0) if kind == "max" else np.nanmean(seen, 0)

    run.__name__ = f"{kind}_pool"
    return run


def softmax(x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Along the last axis, over the places of `mask`; zeros where there is none."""
    if mask is None:
        return special.softmax(x, -1)
    mask = np.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))
    x = np.broadcast_to(x, mask.shape)
    out = np.zeros(mask.shape)
    for row in np.ndindex(*mask.shape[:-1]):
        if mask[row].any():
            out[row][mask[row]] = special.softmax(x[row][mask[row]])
    return out


def sparsemax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """The simplex's point next to each row: bisection of the level that is taken off."""
    low, high = x.max(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


def attention(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: Any = None,
    attn_logits_soft_cap: float | None = None,
) -> np.ndarray:
    """Attention, one batch entry and head at a time."""
    batch, length, heads, size = query.shape
    source, groups = key.shape[1:3]
    scale = 1 / math.sqrt(size) if scale is None else scale
    out = np.zeros((batch, length, heads, value.shape[-1]))
    every = (batch, heads, length, source)
    for b, h in itertools.product(range(batch), range(heads)):
        g = h * groups // heads
        scores = query[b, :, h] @ key[b, :, g].T * scale
        if attn_logits_soft_cap is not None:
            scores = np.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
        if bias is not None:
            scores = scores + np.broadcast_to(bias, every)[b, h]
        seen = np.ones((length, source), bool)
        if mask is not None:
            seen &= np.broadcast_to(mask, every)[b, h].astype(bool)
        if is_causal:
            seen &= np.tri(length, source, dtype=bool)
        out[b, :, h] = softmax(scores, seen) @ value[b, :, g]
    return out


def recurrence(
    step: Callable[[np.ndarray, list[np.ndarray]], tuple[np.ndarray, list[np.ndarray]]],
    inputs: np.ndarray,
    states: Sequence[np.ndarray],
    go_backwards: bool = False,
    mask: np.ndarray | None = None,
    zero_output_for_mask: bool = False,
) -> Any:
    """What `ops.rnn` returns, one step and one row at a time."""
    states, outputs = list(states), []
    length = inputs.shape[1]
    for t in reversed(range(length)) if go_backwards else range(length):
        output, new = step(inputs[:, t], states)
        if mask is not None:
            alive = mask[:, t].astype(bool)
            last = outputs[-1] if outputs and not zero_output_for_mask else np.zeros_like(output)
            output = np.stack([o if a else z for a, o, z in zip(alive, output, last, strict=True)])
            new = [
                np.stack([n if a else s for a, n, s in zip(alive, n_, s_, strict=True)])
                for n_, s_ in zip(new, states, strict=True)
            ]
        states = new
        outputs.append(output)
    return outputs[-1], np.stack(outputs, 1), states


def lstm(
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    kernel: np.ndarray,
    recurrent: np.ndarray,
    bias: Any = None,
    mask: Any = None,
    activation: Any = np.tanh,
    recurrent_activation: Any = special.expit,
    **options: Any,
) -> Any:
    """A long short-term memory layer, gates in the order i, f, g, o."""
    gate, act = _plain(recurrent_activation, special.expit), _plain(activation, np.tanh)

    def step(x: np.ndarray, states: Any) -> Any:
        h, c = states
        z = x @ kernel + h @ recurrent + (0 if bias is None else bias)
        i, f, g, o = np.split(z, 4, -1)
        c = gate(f) * c + gate(i) * act(g)
        h = gate(o) * act(c)
        return h, [h, c]

    return recurrence(step, x, [h, c], mask=mask, **options)


def gru(
    x: np.ndarray,
    h: np.ndarray,
    kernel: np.ndarray,
    recurrent: np.ndarray,
    bias: Any = None,
    mask: Any = None,
    activation: Any = np.tanh,
    recurrent_activation: Any = special.expit,
    reset_after: bool = True,
    **options: Any,
) -> Any:
    """A gated recurrent unit layer, gates in the order z, r, n."""
    gate, act = _plain(recurrent_activation, special.expit), _plain(activation, np.tanh)
    units = h.shape[-1]
    first, second = (0.0, 0.0) if bias is None else (bias if reset_after else (bias, 0.0))
    kz, kr, kn = np.split(recurrent, 3, -1)

    def step(x: np.ndarray, states: Any) -> Any:
        (h,) = states
        xz, xr, xn = np.split(x @ kernel + first, 3, -1)
        bz, br, bn = np.split(np.broadcast_to(second, (3 * units,)), 3)
        z, r = gate(xz + h @ kz + bz), gate(xr + h @ kr + br)
        n = act(xn + r * (h @ kn + bn)) if reset_after else act(xn + (r * h) @ kn)
        h = z * h + (1 - z) * n
        return h, [h]

    return recurrence(step, x, [h], mask=mask, **options)


_NAMED = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "sigmoid": special.expit}


def _plain(activation: Any, default: Any) -> Any:
    """NumPy's form of one of our operations."""
    return _NAMED.get(getattr(activation, "__name__", ""), default)
