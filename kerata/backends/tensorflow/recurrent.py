"""The LSTM by TensorFlow's kernel of whole sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerata.backends.state import body_of, operations
from kerata.backends.tensorflow.control import mapping, scan
from kerata.backends.tensorflow.kernels import flip, in_xla, raw, reshape, shape_of, transpose

_START = ("x", "cs_prev", "h_prev", "w", "b")  # what both kernels begin with
_MADE = ("i", "cs", "f", "o", "ci", "co", "h")


def _plain(x: Any, c: Any, h: Any, w: Any, b: Any) -> tuple[Any, Any]:
    """`_block` as a loop, which can be differentiated any number of times."""

    def step(states: Any, row: Any) -> Any:
        c, h = states
        gates = tf.concat([row, h], 1) @ w + b
        i, g, f, o = tf.split(gates, 4, 1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        return (c, h), (c, h)

    return scan(step, (c, h), x)[1]


@tf.custom_gradient
def _block(x: Any, c: Any, h: Any, w: Any, b: Any) -> Any:
    """The cell states and outputs `(length, batch, units)`; `w` takes inputs and outputs.

    The gates are those of input, cell, forgetting and output. The kernel's own gradient can't be
    differentiated.
    """
    given = dict(zip(_START, (x, c, h, w, b), strict=True))
    given["seq_len_max"] = tf.cast(shape_of(x)[0], tf.int64)
    given |= dict.fromkeys(("wci", "wcf", "wco"), tf.zeros((shape_of(h)[1],)))
    found = raw.BlockLSTM(**given, forget_bias=0, cell_clip=-1)
    made = {name: getattr(found, name) for name in _MADE}

    @tf.custom_gradient
    def slopes(*values: Any) -> Any:
        *start, c_slope, h_slope = values
        wanted = raw.BlockLSTMGrad(
            **given, **made, cs_grad=c_slope, h_grad=h_slope, use_peephole=False
        )

        def second(*upstream: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(values)
                with tf.GradientTape() as inner:
                    inner.watch(start)
                    states = _plain(*start)
                first = inner.gradient(states, start, [c_slope, h_slope])
            return tape.gradient(first, values, upstream)

        return [getattr(wanted, f"{name}_grad") for name in _START], second

    return (found.cs, found.h), lambda *upstream: slopes(x, c, h, w, b, *upstream)


def _fusible(tensors: Any, activation: Any, recurrent_activation: Any) -> bool:
    return (
        activation is operations["tanh"]
        and recurrent_activation is operations["sigmoid"]
        and all(t is None or t.dtype == tf.float32 for t in tensors)
        and 0 not in tensors[0].shape
        and not mapping()
        and not in_xla()
    )


def _packing(alive: Any) -> tuple[Any, Any, Any]:
    """How to move the steps that count to the front of each row.

    Returns:
        Places of `(batch, length)` in the order `(length, batch)`, how many steps up to each one
        count `(batch, length)`, and the number of rows.
    """
    rows, length = shape_of(alive)
    counts = raw.Cumsum(x=tf.cast(alive, tf.int32), axis=1)
    steps = tf.range(length)
    target = tf.where(alive, counts - 1, counts[:, -1:] + steps - counts)
    target += length * tf.range(rows)[:, None]
    order = raw.InvertPermutation(x=reshape(target, (-1,)))
    return transpose(reshape(order, (rows, length))), counts, rows


def _masked(
    x: Any, states: list[Any], w: Any, b: Any, alive: Any, fill: bool
) -> tuple[Any, Any, list[Any]]:
    """The states stay as they are where a step doesn't count: only those that do are run."""
    order, counts, rows = _packing(alive)
    width = shape_of(x)[-1]
    packed = raw.GatherV2(params=reshape(x, (-1, width)), indices=order, axis=0)
    cells, outputs = (reshape(t, (-1, shape_of(t)[-1])) for t in _block(packed, *states, w, b))
    places = (counts - 1) * rows + tf.range(rows)[:, None]
    ended, some = places[:, -1], counts[:, -1:] > 0

    def at(flat: Any, places: Any) -> Any:
        return raw.GatherV2(params=flat, indices=tf.maximum(places, 0), axis=0)

    last = [tf.where(some, at(flat, ended), 0.0) for flat in (outputs, cells)]
    shown = (counts > 0) if fill else alive
    y = tf.where(shown[..., None], at(outputs, places), 0.0)
    kept = [tf.where(some, a, b) for a, b in zip(last, states[::-1], strict=True)]
    return last[0] if fill else tf.where(shown[:, -1:], last[0], 0.0), y, kept


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
    if not _fusible(tensors, activation, recurrent_activation):
        return body_of("lstm")(
            *tensors, mask, activation, recurrent_activation, go_backwards, zero_output_for_mask
        )
    parts = [kernel, recurrent_kernel, *([] if bias is None else [bias[None]])]
    i, f, g, o = tf.split(tf.concat(parts, 0), 4, 1)
    joined = tf.concat([i, g, f, o], 1)
    w, b = (joined, tf.zeros_like(joined[0])) if bias is None else (joined[:-1], joined[-1])
    states = [initial_state_c, initial_state_h]
    x = flip(inputs, 1) if go_backwards else inputs
    if mask is not None:
        alive = tf.cast(flip(mask, 1) if go_backwards else mask, tf.bool)
        return _masked(x, states, w, b, alive, not zero_output_for_mask)
    cells, outputs = _block(transpose(x, (1, 0, 2)), *states, w, b)
    return outputs[-1], transpose(outputs, (1, 0, 2)), [outputs[-1], cells[-1]]


KERNELS: dict[str, Callable[..., Any]] = {"lstm": lstm}
