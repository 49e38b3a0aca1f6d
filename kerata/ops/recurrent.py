"""Recurrences over the time axis, each one scan; backends may have fused kernels of these names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.ops import activation as act
from kerata.ops import creation, products
from kerata.ops import elementwise as ew
from kerata.ops import shaping as sh
from kerata.ops.control import scan
from kerata.ops.dispatch import Tensor, Tree, composite

__all__ = (
    "rnn", "lstm", "gru",
)  # fmt: skip


@composite()
def rnn(
    step_function: Callable[[Any, list[Any]], tuple[Any, list[Any]]],
    inputs: Tree,
    initial_states: Tree,
    go_backwards: bool = False,
    mask: Tensor | None = None,
    zero_output_for_mask: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run `output, states = step_function(x, states)` over the second axis of `inputs`.

    Args:
        step_function: takes a slice `(batch, ...)` and the list of states `(batch, ...)`.
        inputs: tensors `(batch, length, ...)`.
        initial_states: list of `(batch, ...)`.
        go_backwards: run from the end; the outputs come in the order in which they were made.
        mask: bool `(batch, length)`. Where it is False the states stay as they are and the output
            is the one before (zeros at the start, or always with `zero_output_for_mask`).
        zero_output_for_mask: see `mask`.

    Returns:
        The last output `(batch, ...)`, all outputs `(batch, length, ...)`, the last states.
    """
    steps = map_nested(lambda x: _time_first(x, go_backwards), inputs)
    if mask is None:
        states, outputs = scan(_swap(step_function), initial_states, steps)
    else:
        first = map_nested(lambda x: x[0], steps)
        blank = creation.zeros_like(step_function(first, initial_states)[0])
        masks = _time_first(ew.cast(mask, "bool"), go_backwards)

        def masked_step(carry: Any, row: Any) -> Any:
            previous, states = carry
            x, alive = row
            output, new = step_function(x, states)
            output = _choose(alive, output, blank if zero_output_for_mask else previous)
            kept = [_choose(alive, n, s) for n, s in zip(new, states, strict=True)]
            return (output, kept), output

        start = (blank, list(initial_states))
        (_, states), outputs = scan(masked_step, start, (steps, masks))
    return outputs[-1], _time_first(outputs, False), states


def map_nested(function: Callable[[Any], Any], tree: Any) -> Any:
    """`function` of each tensor of a nesting of lists and tuples."""
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_nested(function, leaf) for leaf in tree)
    return function(tree)


def _swap(step_function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def step(states: Any, x: Any) -> Any:
        output, new = step_function(x, states)
        return list(new), output

    return step


def _time_first(x: Tensor, backwards: bool) -> Tensor:
    x = sh.transpose(x, (1, 0, *range(2, len(sh.shape(x)))))
    return sh.flip(x, 0) if backwards else x


def _choose(alive: Tensor, new: Tensor, old: Tensor) -> Tensor:
    for _ in range(len(sh.shape(new)) - 1):
        alive = sh.expand_dims(alive, -1)
    return ew.where(alive, new, old)


@composite()
def lstm(
    inputs: Tensor,
    initial_state_h: Tensor,
    initial_state_c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    activation: Callable[[Any], Any] = ew.tanh,
    recurrent_activation: Callable[[Any], Any] = act.sigmoid,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """A long short-term memory layer (Hochreiter & Schmidhuber, 1997).

    Args:
        inputs: `(batch, length, features)`.
        initial_state_h: `(batch, units)`.
        initial_state_c: `(batch, units)`.
        kernel: `(features, 4 * units)`: input, forget, cell and output gate.
        recurrent_kernel: `(units, 4 * units)`.
        bias: `(4 * units,)`.
        mask: as in `rnn`.
        activation: of the cell.
        recurrent_activation: of the gates.
        go_backwards: as in `rnn`.
        zero_output_for_mask: as in `rnn`.

    Returns:
        `(batch, units)`, `(batch, length, units)`, and the last `[h, c]`.
    """
    projected = products.matmul(inputs, kernel)
    if bias is not None:
        projected = projected + bias

    def step(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        h, c = states
        i, f, g, o = sh.split(x + products.matmul(h, recurrent_kernel), 4, -1)
        c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
        h = recurrent_activation(o) * activation(c)
        return h, [h, c]

    states = [initial_state_h, initial_state_c]
    return rnn(step, projected, states, go_backwards, mask, zero_output_for_mask)


@composite()
def gru(
    inputs: Tensor,
    initial_state: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    activation: Callable[[Any], Any] = ew.tanh,
    recurrent_activation: Callable[[Any], Any] = act.sigmoid,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    reset_after: bool = True,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """A gated recurrent unit layer (Cho et al., 2014); arguments as in `lstm`.

    `kernel` is `(features, 3 * units)`: update, reset and new gate. With `reset_after` the reset
    gate is applied after the product with the recurrent kernel, and `bias` is `(2, 3 * units)`, the
    second row being the recurrent one; otherwise `bias` is `(3 * units,)`.
    """
    units = sh.shape(recurrent_kernel)[0]
    projected = products.matmul(inputs, kernel)
    if bias is not None:
        projected = projected + (bias[0] if reset_after else bias)

    def step(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        h = states[0]
        xz, xr, xn = sh.split(x, 3, -1)
        if reset_after:
            inner = products.matmul(h, recurrent_kernel)
            if bias is not None:
                inner = inner + bias[1]
            hz, hr, hn = sh.split(inner, 3, -1)
            r = recurrent_activation(xr + hr)
            candidate = activation(xn + r * hn)
        else:
            inner = products.matmul(h, recurrent_kernel[:, : 2 * units])
            hz, hr = sh.split(inner, 2, -1)
            r = recurrent_activation(xr + hr)
            candidate = activation(xn + products.matmul(r * h, recurrent_kernel[:, 2 * units :]))
        z = recurrent_activation(xz + hz)
        h = z * h + ew.subtract(1.0, z) * candidate
        return h, [h]

    return rnn(step, projected, [initial_state], go_backwards, mask, zero_output_for_mask)
