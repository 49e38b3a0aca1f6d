"""Recurrences by PyTorch's fused kernels, also where a mask leaves one run of steps in each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerata.backends.state import body_of, operations, state

# `run(inputs, alive, states)` gives outputs `(batch, length, units)` and last states. `alive` is a
# bool `(batch, length)` whose rows begin with what counts, or None; of the states all but the first
# must be those after the last step that counts.
Run = Callable[[Tensor, Tensor | None, list[Tensor]], tuple[Tensor, list[Tensor]]]


_SHUT = 1e4  # the sigmoid of which is 1, and of its negative 0, in every dtype


def _fusible(tensors: Sequence[Tensor | None], activation: Any, recurrent_activation: Any) -> bool:
    """Whether torch's fused recurrences mean what is asked for."""
    return (
        activation is operations["tanh"]
        and recurrent_activation is operations["sigmoid"]
        and len({t.dtype for t in tensors if t is not None}) == 1
        and state.differentiating < 2
    )


def _along(places: Tensor, x: Tensor) -> Tensor:
    """`x[b, places[b, t]]` for tensors `(batch, length, ...)`."""
    return torch.gather(x, 1, places.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def _recurrence(
    run: Run, x: Tensor, states: list[Tensor], mask: Tensor | None, backwards: bool, fill: bool
) -> Any:
    """Last output, outputs and last states; None where a row of the mask has several runs.

    A mask is looked at, which waits for the device.
    """
    if backwards:
        x, mask = x.flip(1), None if mask is None else mask.flip(1)
    if mask is not None:
        mask = mask.to(torch.bool)
        lengths, starts = mask.sum(1), mask.int().argmax(1)
        runs = (mask & ~F.pad(mask[:, :-1], (1, 0))).sum(1)
        looked = torch.stack([runs.amax(), starts.amax(), lengths.amin()])
        most, last_start, least = looked.tolist()
        if most > 1:
            return None
        if least < x.shape[1]:
            return _masked(run, x, states, starts, lengths, bool(last_start), fill)
    y, last = run(x, None, states)
    return last[0], y, last


def _masked(
    run: Run,
    x: Tensor,
    states: list[Tensor],
    starts: Tensor,
    lengths: Tensor,
    shifted: bool,
    fill: bool,
) -> Any:
    """Only `lengths[b]` steps from `starts[b]` on count; a run is moved to the beginning for it."""
    length, some = x.shape[1], (lengths > 0).unsqueeze(-1)
    steps = torch.arange(length, device=x.device)
    starts, lengths = starts.unsqueeze(1), lengths.unsqueeze(1)
    if shifted:
        x = _along((steps + starts).remainder(length), x)
    alive = steps < lengths
    y, last = run(torch.where(alive.unsqueeze(-1), x, 0.0), alive, states)
    h = _along((lengths - 1).clamp(0), y).squeeze(1)
    output = torch.where(some, h, 0.0)
    if shifted:
        y = torch.where((steps >= starts).unsqueeze(-1), _along((steps - starts).clamp(0), y), 0.0)
    after = (steps >= starts + lengths).unsqueeze(-1)
    y = torch.where(after, output.unsqueeze(1) if fill else 0.0, y)
    # That of the last step; by itself, as its gradient would fill all of `y`.
    final = output if fill else torch.where(after[:, -1], 0.0, output)
    return final, y, [torch.where(some, h, states[0]), *last[1:]]


def _whole(mask: Tensor | None, inputs: Tensor) -> bool:
    """Whether there are steps, and a mask can be looked at."""
    return inputs.numel() > 0 and (mask is None or not torch.compiler.is_compiling())


def lstm(
    inputs: Tensor,
    initial_state_h: Tensor,
    initial_state_c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    activation: Any = None,
    recurrent_activation: Any = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> Any:
    tensors = (inputs, initial_state_h, initial_state_c, kernel, recurrent_kernel, bias)

    def run(x: Tensor, alive: Tensor | None, states: list[Tensor]) -> Any:
        inner = kernel
        if alive is not None:  # one more feature, which shuts the input gate and opens the other
            x = torch.cat([x, (~alive).to(x.dtype).unsqueeze(-1)], -1)
            shut = kernel.new_tensor([[-_SHUT], [_SHUT], [0.0], [0.0]])
            inner = torch.cat([kernel, shut.expand(4, kernel.shape[1] // 4).reshape(1, -1)])
        weights = [inner.t(), recurrent_kernel.t()]
        if bias is not None:
            weights += [bias, torch.zeros_like(bias)]
        y, h, c = torch.lstm(
            x, [s.unsqueeze(0) for s in states],
            weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True,
        )  # fmt: skip
        return y, [h.squeeze(0), c.squeeze(0)]

    if _fusible(tensors, activation, recurrent_activation) and _whole(mask, inputs):
        states = [initial_state_h, initial_state_c]
        found = _recurrence(run, inputs, states, mask, go_backwards, not zero_output_for_mask)
        if found is not None:
            return found
    return body_of("lstm")(
        *tensors, mask, activation, recurrent_activation, go_backwards, zero_output_for_mask
    )


def _new_gate_last(gates: Tensor) -> Tensor:
    """Update, reset, new as torch has them: reset, update, new."""
    update, reset, new = gates.chunk(3, -1)
    return torch.cat([reset, update, new], -1)


def gru(
    inputs: Tensor,
    initial_state: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    activation: Any = None,
    recurrent_activation: Any = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    reset_after: bool = True,
) -> Any:
    tensors = (inputs, initial_state, kernel, recurrent_kernel, bias)

    def run(x: Tensor, alive: Tensor | None, states: list[Tensor]) -> Any:
        weights = [_new_gate_last(kernel).t(), _new_gate_last(recurrent_kernel).t()]
        if bias is not None:
            weights += _new_gate_last(bias).unbind(0)
        y, h = torch.gru(
            x, states[0].unsqueeze(0),
            weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True,
        )  # fmt: skip
        return y, [h.squeeze(0)]

    fused = reset_after and _fusible(tensors, activation, recurrent_activation)
    if fused and _whole(mask, inputs):
        fill = not zero_output_for_mask
        found = _recurrence(run, inputs, [initial_state], mask, go_backwards, fill)
        if found is not None:
            return found
    return body_of("gru")(
        *tensors, mask, activation, recurrent_activation, go_backwards, zero_output_for_mask,
        reset_after,
    )  # fmt: skip


KERNELS: dict[str, Callable[..., Any]] = {"lstm": lstm, "gru": gru}
